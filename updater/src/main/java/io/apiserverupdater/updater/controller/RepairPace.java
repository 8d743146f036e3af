package io.apiserverupdater.updater.controller;

import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import java.time.Duration;
import java.util.Optional;

/**
 * Slows a fight down. Whoever writes the same content again and again has an opponent: a webhook,
 * or another installation. The first repairs follow at once, each further one waits twice as long;
 * new content never waits. Not thread-safe.
 */
final class RepairPace {
  static final Duration FIRST = Duration.ofMillis(25);
  static final Duration LONGEST = Duration.ofSeconds(5);

  /** After such a time without a repair the opponent has gone. */
  static final Duration CALM = Duration.ofSeconds(30);

  private Optional<EndpointsSnapshot> written = Optional.empty();
  private int repairs;
  private long writtenAt;

  /**
   * How long to wait before this is written; zero when it may be written now.
   *
   * @param now the monotonic clock, in nanoseconds
   */
  Duration delay(EndpointsSnapshot content, long now) {
    if (repairs == 0 || !isRepair(content, now)) {
      return Duration.ZERO;
    }
    Duration gap = FIRST.multipliedBy(1L << Math.min(repairs - 1, 10));
    long left = Math.min(gap.toNanos(), LONGEST.toNanos()) - (now - writtenAt);
    return Duration.ofNanos(Math.max(0, left));
  }

  /** Notes that it was written. */
  void written(EndpointsSnapshot content, long now) {
    repairs = isRepair(content, now) ? repairs + 1 : 0;
    written = Optional.of(content);
    writtenAt = now;
  }

  private boolean isRepair(EndpointsSnapshot content, long now) {
    return written.equals(Optional.of(content)) && now - writtenAt < CALM.toNanos();
  }
}
