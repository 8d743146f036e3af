/** The one-shot comparison and how it is shown. */
@NullMarked
package io.apiserverupdater.updater.dryrun;

import org.jspecify.annotations.NullMarked;
