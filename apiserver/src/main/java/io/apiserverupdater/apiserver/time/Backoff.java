package io.apiserverupdater.apiserver.time;

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
    failures++;
    return after(failures, first, most, random);
  }

  public void reset() {
    failures = 0;
  }

  /**
   * The time to wait after so many failures in a row.
   *
   * @param failures at least 1
   * @param random from 0 (inclusive) to 1 (exclusive)
   */
  public static Duration after(int failures, Duration first, Duration most, DoubleSupplier random) {
    long ceiling = Math.min(first.toNanos() << Math.min(failures - 1, 20), most.toNanos());
    return Duration.ofNanos(ceiling / 2 + (long) (random.getAsDouble() * (ceiling / 2.0)));
  }
}
