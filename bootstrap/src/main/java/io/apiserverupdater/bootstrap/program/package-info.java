/** Runs programs of the node, without a shell and with a deadline. */
@NullMarked
package io.apiserverupdater.bootstrap.program;

import org.jspecify.annotations.NullMarked;
