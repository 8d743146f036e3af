/** What the program tells while it works, for the journal. */
@NullMarked
package io.apiserverupdater.bootstrap.log;

import org.jspecify.annotations.NullMarked;
