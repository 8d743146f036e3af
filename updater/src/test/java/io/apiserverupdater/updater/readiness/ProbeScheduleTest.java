package io.apiserverupdater.updater.readiness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  /** Asked at these milliseconds, one after the other, how many there are until the next probe. */
  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "members that are probed apart meet at the next moment, 1 20 200, 293 274 94",
    "probes keep their interval however long an answer takes, 3 296 588, 291 292 294",
    "a moment that is too near is left out, 0 240 390, 294 150 198",
    "missed moments are not made up for, 0 100000 100001, 294 294 293",
    "a member that is behind the others waits no longer than the interval, 500 0, 294 300",
  })
  void meetsTheOthers(String situation, String asked, String waits) {
    List<String> found =
        Stream.of(asked.split(" ", -1))
            .map(millis -> Long.toString(waitMillis(Long.parseLong(millis))))
            .toList();
    assertEquals(waits, String.join(" ", found), situation);
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
