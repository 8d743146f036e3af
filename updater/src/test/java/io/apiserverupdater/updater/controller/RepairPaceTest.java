package io.apiserverupdater.updater.controller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RepairPaceTest {
  private static final EndpointsSnapshot A = content("192.0.2.1");
  private static final EndpointsSnapshot B = content("192.0.2.2");

  private final RepairPace pace = new RepairPace();
  private long now = Long.MAX_VALUE - Duration.ofSeconds(20).toNanos(); // It may wrap around.

  private static EndpointsSnapshot content(String address) {
    return new EndpointsSnapshot(
        Map.of(
            AddressFamily.IPV4,
            new EndpointsSnapshot.Members(6443, List.of(Endpoint.ready(address)))));
  }

  @Test
  void firstRepairIsAtOnceAndTheNextOnesWaitLongerAndLonger() {
    pace.written(A, now);
    assertEquals(Duration.ZERO, pace.delay(A, now));
    pace.written(A, now);
    Duration before = Duration.ZERO;
    for (int i = 0; i < 20; i++) {
      Duration delay = pace.delay(A, now);
      assertEquals(
          i == 0
              ? RepairPace.FIRST
              : Duration.ofNanos(Math.min(before.toNanos() * 2, 5_000_000_000L)),
          delay);
      now += delay.toNanos() - 1;
      assertEquals(Duration.ofNanos(1), pace.delay(A, now));
      now++;
      assertEquals(Duration.ZERO, pace.delay(A, now));
      pace.written(A, now);
      before = delay;
    }
    assertEquals(RepairPace.LONGEST, pace.delay(A, now));
  }

  /** Another installation: in between it was right each time. */
  @Test
  void fightIsOneHoweverOftenItWasRightInBetween() {
    int writes = 0;
    long end = now + Duration.ofMinutes(1).toNanos();
    while (now - end < 0) {
      if (pace.delay(A, now).isZero()) {
        pace.written(A, now);
        writes++;
      }
      now += Duration.ofMillis(10).toNanos();
    }
    assertTrue(writes <= 22, writes + " writes in a minute");
  }

  @Test
  void newContentNeverWaits() {
    for (int i = 0; i < 10; i++) {
      pace.written(A, now);
    }
    assertEquals(Duration.ZERO, pace.delay(B, now));
    pace.written(B, now);
    assertEquals(Duration.ZERO, pace.delay(A, now));
  }

  @Test
  void calmForgetsTheFight() {
    for (int i = 0; i < 10; i++) {
      pace.written(A, now);
    }
    now += RepairPace.CALM.toNanos();
    assertEquals(Duration.ZERO, pace.delay(A, now));
    pace.written(A, now);
    assertEquals(Duration.ZERO, pace.delay(A, now));
  }
}
