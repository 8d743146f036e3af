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

  private long waitMillis(long now) {
    return schedule.untilNext(after(now)).toMillis();
  }

  @Test
  void membersThatAreProbedApartMeetAtTheNextMoment() {
    assertEquals(293, waitMillis(1));
    assertEquals(274, waitMillis(20));
    assertEquals(94, waitMillis(200));
  }

  @Test
  void probesKeepTheirIntervalHoweverLongAnAnswerTakes() {
    assertEquals(291, waitMillis(3));
    assertEquals(292, waitMillis(296));
    assertEquals(294, waitMillis(588));
  }

  @Test
  void momentThatIsTooNearIsLeftOut() {
    assertEquals(294, waitMillis(0));
    assertEquals(150, waitMillis(240));
    assertEquals(198, waitMillis(390));
  }

  @Test
  void missedMomentsAreNotMadeUpFor() {
    assertEquals(294, waitMillis(0));
    assertEquals(294, waitMillis(100_000));
    assertEquals(293, waitMillis(100_001));
  }

  @Test
  void memberThatIsBehindTheOthersWaitsNoLongerThanTheInterval() {
    assertEquals(294, waitMillis(500));
    assertEquals(300, waitMillis(0));
  }

  @Test
  void goesOnWhenTheClockWrapsAround() {
    for (int turn = 0; turn < 10; turn++) {
      assertEquals(294, waitMillis(turn * 294L), "turn " + turn);
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
