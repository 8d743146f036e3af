package io.apiserverupdater.updater.controller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WriteBudgetTest {
  private static final Duration INTERVAL = Duration.ofMillis(40);

  /** Spends as fast as it may until the end, and tells how often it could. */
  private static int writes(WriteBudget budget, long start, Duration length) {
    long now = start;
    int writes = 0;
    while (true) {
      long wait = budget.earliest() - now;
      now += Math.max(0, wait);
      if (now - start > length.toNanos()) {
        return writes;
      }
      budget.spend(now);
      writes++;
    }
  }

  @Test
  void singleWriteNeverWaits() {
    WriteBudget budget = new WriteBudget(3, INTERVAL, 0);
    for (long now = 0; now < Duration.ofSeconds(10).toNanos(); now += INTERVAL.toNanos()) {
      assertTrue(budget.earliest() <= now, "at " + now);
      budget.spend(now);
    }
  }

  // The monotonic clock starts anywhere.
  @ParameterizedTest
  @ValueSource(longs = {0, -5_000_000_000L, 5_000_000_000L})
  void burstIsFreeAndThenOneWritePerInterval(long start) {
    WriteBudget budget = new WriteBudget(3, INTERVAL, start);
    assertEquals(3, writes(budget, start, Duration.ZERO));
    assertEquals(INTERVAL.toNanos(), budget.earliest() - start);
  }

  @Test
  void longBurstCostsBoundedNumberOfWrites() {
    assertEquals(3 + 50, writes(new WriteBudget(3, INTERVAL, 0), 0, Duration.ofSeconds(2)));
  }

  @Test
  void roomComesBackWithTimeButNotMoreThanBurst() {
    WriteBudget budget = new WriteBudget(3, INTERVAL, 0);
    writes(budget, 0, Duration.ZERO);
    long later = INTERVAL.toNanos() * 1000;
    assertEquals(3, writes(budget, later, Duration.ZERO));
  }
}
