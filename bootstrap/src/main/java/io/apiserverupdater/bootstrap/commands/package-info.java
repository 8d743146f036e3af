/** One class per command, which wires the other packages as configured. */
@NullMarked
package io.apiserverupdater.bootstrap.commands;

import org.jspecify.annotations.NullMarked;
