/** What the log looks like on the standard error. */
@NullMarked
package io.apiserverupdater.updater.log;

import org.jspecify.annotations.NullMarked;
