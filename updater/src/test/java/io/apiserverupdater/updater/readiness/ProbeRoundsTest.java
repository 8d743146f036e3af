package io.apiserverupdater.updater.readiness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ProbeRoundsTest {
  private static final Duration INTERVAL = Duration.ofMillis(300);

  /** Long before the clock wraps around. */
  private static final long START = Long.MAX_VALUE - Duration.ofSeconds(1).toNanos();

  private final ProbeRounds rounds = new ProbeRounds(INTERVAL, () -> 0.5, START);

  private static long after(long millis) {
    return START + millis * 1_000_000;
  }

  private long restMillis(long now) {
    return rounds.rest(after(now)).toMillis();
  }

  @Test
  void membersThatAreAskedApartMeetInTheNextRound() {
    assertEquals(284, restMillis(1));
    assertEquals(265, restMillis(20));
    assertEquals(85, restMillis(200));
  }

  @Test
  void roundsFollowEachOtherAtTheirDistanceHoweverLongAnAnswerTakes() {
    assertEquals(282, restMillis(3));
    assertEquals(283, restMillis(287));
    assertEquals(285, restMillis(570));
  }

  @Test
  void roundThatIsTooNearIsLeftOut() {
    assertEquals(285, restMillis(0));
    assertEquals(150, restMillis(240));
    assertEquals(180, restMillis(390));
  }

  @Test
  void missedRoundsAreNotMadeUpFor() {
    assertEquals(285, restMillis(0));
    assertEquals(285, restMillis(100_000));
    assertEquals(284, restMillis(100_001));
  }

  @Test
  void goesOnWhenTheClockWrapsAround() {
    for (int round = 0; round < 10; round++) {
      assertEquals(285, restMillis(round * 285L), "round " + round);
    }
  }

  @Test
  void neverLongerThanTheIntervalAndNeverTheSameForLong() {
    Random random = new Random(1);
    ProbeRounds varied = new ProbeRounds(INTERVAL, random::nextDouble, START);
    Set<Long> gaps = new HashSet<>();
    long now = START;
    for (int i = 0; i < 1000; i++) {
      long rest = varied.rest(now).toNanos();
      assertTrue(rest <= INTERVAL.toNanos() && rest >= INTERVAL.toNanos() / 4, () -> "" + rest);
      gaps.add(rest);
      now += rest;
    }
    assertTrue(gaps.size() > 900, () -> gaps.size() + " different ones");
  }
}
