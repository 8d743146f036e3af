/** Log lines for the journal. */
@NullMarked
package io.apiserverupdater.bootstrap.log;

import org.jspecify.annotations.NullMarked;
