package io.apiserverupdater.updater.readiness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ProbeScheduleTest {
  private static final Duration INTERVAL = Duration.ofMillis(300);

  /** Long before the clock wraps around. */
  private static final long START = Long.MAX_VALUE - Duration.ofSeconds(1).toNanos();

  private final ProbeSchedule schedule = new ProbeSchedule(INTERVAL, () -> 0.4, START);

  private static long after(long millis) {
    return START + millis * 1_000_000;
  }

  private long restMillis(long now) {
    return schedule.untilNext(after(now)).toMillis();
  }

  @Test
  void membersThatAreAskedApartMeetInTheNextRound() {
    assertEquals(293, restMillis(1));
    assertEquals(274, restMillis(20));
    assertEquals(94, restMillis(200));
  }

  @Test
  void roundsFollowEachOtherAtTheirDistanceHoweverLongAnAnswerTakes() {
    assertEquals(291, restMillis(3));
    assertEquals(292, restMillis(296));
    assertEquals(294, restMillis(588));
  }

  @Test
  void roundThatIsTooNearIsLeftOut() {
    assertEquals(294, restMillis(0));
    assertEquals(150, restMillis(240));
    assertEquals(198, restMillis(390));
  }

  @Test
  void missedRoundsAreNotMadeUpFor() {
    assertEquals(294, restMillis(0));
    assertEquals(294, restMillis(100_000));
    assertEquals(293, restMillis(100_001));
  }

  @Test
  void memberThatIsBehindTheOthersRestsNoLongerThanTheInterval() {
    assertEquals(294, restMillis(500));
    assertEquals(300, restMillis(0));
  }

  @Test
  void goesOnWhenTheClockWrapsAround() {
    for (int round = 0; round < 10; round++) {
      assertEquals(294, restMillis(round * 294L), "round " + round);
    }
  }

  @Test
  void neverLongerThanTheIntervalAndNeverTheSameForLong() {
    Random random = new Random(1);
    ProbeSchedule varied = new ProbeSchedule(INTERVAL, random::nextDouble, START);
    Set<Long> gaps = new HashSet<>();
    long now = START;
    for (int i = 0; i < 1000; i++) {
      long wait = varied.untilNext(now).toNanos();
      assertTrue(wait <= INTERVAL.toNanos() && wait >= INTERVAL.toNanos() / 4, () -> "" + wait);
      gaps.add(wait);
      now += wait;
    }
    assertTrue(gaps.size() > 900, () -> gaps.size() + " different ones");
  }
}
