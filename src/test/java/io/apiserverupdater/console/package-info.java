/**
 * The lab as a tool ({@code ./lab}): a lab that stays in the background, and commands for it over a
 * socket in the file system, which reaches into its namespaces.
 */
@NullMarked
package io.apiserverupdater.console;

import org.jspecify.annotations.NullMarked;
