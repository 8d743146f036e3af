package io.apiserverupdater.updater.events;

import java.time.Instant;

/**
 * One thing that has happened.
 *
 * @param at when, by the wall clock: for people only
 * @param about the member, address family or refusal that it is about; empty for the replica
 * @param message one sentence, without secrets
 */
public record Event(Instant at, EventReason reason, String about, String message) {}
