package io.apiserverupdater.updater.leaderelection;

/**
 * The Lease as this process saw it.
 *
 * @param leaseRecord its contents
 * @param resourceVersion the version that a write must name
 * @param since when these contents were first seen here, in nanoseconds of the monotonic clock
 */
public record ObservedLease(LeaseRecord leaseRecord, String resourceVersion, long since) {}
