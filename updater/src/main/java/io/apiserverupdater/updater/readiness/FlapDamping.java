package io.apiserverupdater.updater.readiness;

import java.time.Duration;

/**
 * Keeps an apiserver out that falls again and again, as routers keep flapping routes out (RFC
 * 2439): each fall adds one to a penalty that halves every 10 s. A second fall within 10 s of the
 * first keeps it out, for 10 to 24 s after its last fall. Whatever it does, it changes sides once
 * in 5 s on average at most. Not thread-safe.
 */
final class FlapDamping {
  static final Duration HALF_LIFE = Duration.ofSeconds(10);

  static final double FALL = 1;
  static final double FALL_BY_SILENCE = 0.5;

  private static final double SUPPRESS = 1.5;
  private static final double REUSE = 0.75;

  /** Bounds how long it is kept out after its last fall. */
  private static final double MOST = 4;

  private double penalty;
  private long countedAt;
  private boolean suppressed;

  /**
   * Counts one fall.
   *
   * @param weight {@link #FALL} or {@link #FALL_BY_SILENCE}
   */
  void fell(double weight, long now) {
    penalty = Math.min(MOST, penaltyAt(now) + weight);
    countedAt = now;
    suppressed |= penalty > SUPPRESS;
  }

  boolean isSuppressed(long now) {
    suppressed &= penaltyAt(now) > REUSE;
    return suppressed;
  }

  /** How long it is kept out if it does not fall again. */
  Duration remaining(long now) {
    if (!isSuppressed(now)) {
      return Duration.ZERO;
    }
    double halfLives = Math.log(penaltyAt(now) / REUSE) / Math.log(2);
    return Duration.ofNanos((long) (halfLives * HALF_LIFE.toNanos()));
  }

  private double penaltyAt(long now) {
    // Before the first fall countedAt is no moment.
    return penalty == 0
        ? 0
        : penalty * Math.pow(2, -(double) (now - countedAt) / HALF_LIFE.toNanos());
  }
}
