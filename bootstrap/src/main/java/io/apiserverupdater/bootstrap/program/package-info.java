/** Programs of the node that the bootstrap runs. */
@NullMarked
package io.apiserverupdater.bootstrap.program;

import org.jspecify.annotations.NullMarked;
