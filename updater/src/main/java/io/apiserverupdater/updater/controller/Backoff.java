package io.apiserverupdater.updater.controller;

import java.time.Duration;
import java.util.function.DoubleSupplier;

/**
 * Waiting times that double from one failure to the next, each of them half fixed and half random.
 * Not thread-safe.
 */
public final class Backoff {
  private final Duration first;
  private final Duration most;
  private final DoubleSupplier random;
  private int failures;

  /**
   * @param random from 0 (inclusive) to 1 (exclusive)
   */
  public Backoff(Duration first, Duration most, DoubleSupplier random) {
    this.first = first;
    this.most = most;
    this.random = random;
  }

  /** The time to wait after one more failure: at least half of the doubled time. */
  public Duration next() {
    int doublings = Math.min(failures, 20);
    failures++;
    long ceiling = Math.min(first.toNanos() << doublings, most.toNanos());
    return Duration.ofNanos(ceiling / 2 + (long) (random.getAsDouble() * (ceiling / 2.0)));
  }

  public void reset() {
    failures = 0;
  }
}
