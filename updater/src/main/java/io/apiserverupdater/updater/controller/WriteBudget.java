package io.apiserverupdater.updater.controller;

import java.time.Duration;

/**
 * Spreads a burst: a few writes may follow each other at once, after that one per interval. A
 * single change never waits; a source that changes all the time costs the API server and every
 * kube-proxy a bounded number of updates.
 */
final class WriteBudget {
  private final int burst;
  private final long intervalNanos;
  private long fullAt;

  /**
   * @param burst writes that may follow each other at once
   * @param interval the time after which one more write is allowed
   * @param now the monotonic clock, in nanoseconds
   */
  WriteBudget(int burst, Duration interval, long now) {
    this.burst = burst;
    this.intervalNanos = interval.toNanos();
    this.fullAt = now;
  }

  /** The moment from which on a write may start; not after now when there is room. */
  long earliest() {
    return fullAt - (burst - 1) * intervalNanos;
  }

  /** Counts one write. */
  void spend(long now) {
    fullAt = Math.max(fullAt, now) + intervalNanos;
  }
}
