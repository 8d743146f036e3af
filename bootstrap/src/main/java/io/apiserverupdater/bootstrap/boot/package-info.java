/**
 * The boot sequence: which control plane the name points at first, and when it points at the
 * cluster IP. What to do is decided by values that know no thread, socket or clock; the sequences
 * carry it out.
 */
@NullMarked
package io.apiserverupdater.bootstrap.boot;

import org.jspecify.annotations.NullMarked;
