/**
 * Faults by name, injected into a lab with two replicas of the updater, and what workers see of
 * them: the room that {@code ./lab}, the fault matrix of the real tier and {@code ./bench failover}
 * share.
 */
@NullMarked
package io.apiserverupdater.failover;

import org.jspecify.annotations.NullMarked;
