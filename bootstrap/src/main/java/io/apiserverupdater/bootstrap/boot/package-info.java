/**
 * The boot sequence: which control plane the name points at first, and when it points at the
 * cluster IP. Values without threads, sockets or clocks decide what to do; the sequences carry it
 * out.
 */
@NullMarked
package io.apiserverupdater.bootstrap.boot;

import org.jspecify.annotations.NullMarked;
