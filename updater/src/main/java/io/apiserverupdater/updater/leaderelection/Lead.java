package io.apiserverupdater.updater.leaderelection;

/**
 * Our own leadership, in nanoseconds of the monotonic clock.
 *
 * @param renewedAt when the last successful write of the Lease was sent; from then on others wait
 *     for at least the lease duration
 * @param attemptedAt when the last write was tried
 */
public record Lead(long renewedAt, long attemptedAt) {}
