package io.apiserverupdater.updater.readiness;

import java.time.Duration;
import java.util.function.DoubleSupplier;

/**
 * When members are probed: all that this replica probes at the same moment. A probe costs little
 * beside what it takes to be woken for it, with caches that have gone cold: three that are due in
 * the same millisecond take a third less processor time than three that are spread. The interval
 * varies by a twentieth, so that two replicas do not stay in step.
 *
 * <p>Asks no clock: each moment is one of the monotonic clock, in nanoseconds. Thread-safe.
 */
final class ProbeSchedule {
  private final long intervalNanos;
  private final DoubleSupplier random;
  private long next; // Guarded by this.

  /**
   * @param interval the longest
   * @param random from 0 (inclusive) to 1 (exclusive)
   * @param now the first moment
   */
  ProbeSchedule(Duration interval, DoubleSupplier random, long now) {
    this.intervalNanos = interval.toNanos();
    this.random = random;
    this.next = now;
  }

  /**
   * How long to wait with a member that has been probed just now: until the next moment, or for
   * half of the interval when that is too near to tell more than this answer did. Never longer than
   * the interval.
   */
  synchronized Duration untilNext(long now) {
    if (next - now <= 0) {
      long gap = intervalNanos - (long) (random.getAsDouble() * (intervalNanos / 20.0));
      // Moments that were missed in a standstill are not made up for.
      next = (now - next < gap ? next : now) + gap;
    }
    // Somebody who was held up between reading the clock and this lock is behind the others.
    long left = Math.min(next - now, intervalNanos);
    return Duration.ofNanos(left < intervalNanos / 4 ? intervalNanos / 2 : left);
  }
}
