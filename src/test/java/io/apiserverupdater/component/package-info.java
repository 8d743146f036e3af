/**
 * The updater as it ships, a process made from its jar, against the sandbox control plane: what it
 * does, what it survives, what it says.
 */
@NullMarked
package io.apiserverupdater.component;

import org.jspecify.annotations.NullMarked;
