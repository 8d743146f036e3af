package io.apiserverupdater.bootstrap.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Ready;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class HandoverWatchTest {
  private static final ApiserverAddress SERVICE =
      ApiserverAddress.parse("10.96.0.64", 6443).orElseThrow();
  private static final ProbeResult SILENT = new Unreachable(Reason.CONNECT_TIMEOUT, "");
  private static final ProbeResult HANGING = new Unreachable(Reason.HANDSHAKE_TIMEOUT, "");
  private static final ProbeResult STARTING = new NotReady(500, List.of());
  private static final long T0 = Long.MAX_VALUE - 42;

  private final HandoverWatch watch = new HandoverWatch(SERVICE, 3, T0, () -> 0);
  private long now = T0;

  private Duration asked() {
    return assertInstanceOf(RaceStep.Ask.class, watch.next(now)).deadline();
  }

  private void answer(ProbeResult result, long afterMillis) {
    now += Duration.ofMillis(afterMillis).toNanos();
    watch.answered(result, now);
  }

  /** Until the next question. */
  private long waitsMillis() {
    long until = assertInstanceOf(RaceStep.Wait.class, watch.next(now)).untilNanos();
    long millis = (until - now) / 1_000_000;
    now = until;
    return millis;
  }

  @Test
  void threeReadyAnswersInARowMakeAHandover() {
    for (int i = 0; i < 3; i++) {
      Duration unusedDeadline = asked();
      answer(new Ready(), 5);
    }
    assertEquals(new RaceStep.Ready(SERVICE), watch.next(now));
  }

  @Test
  void oneFailureBeginsTheRowAnew() {
    ProbeResult[] answers = {new Ready(), new Ready(), SILENT, new Ready(), new Ready()};
    for (ProbeResult result : answers) {
      if (watch.next(now) instanceof RaceStep.Wait wait) {
        now = wait.untilNanos();
        Duration unusedDeadline = asked();
      }
      answer(result, 5);
    }
    Duration unusedDeadline = asked();
    answer(new Ready(), 5);
    assertEquals(new RaceStep.Ready(SERVICE), watch.next(now));
  }

  @Test
  void oneQuestionIsOpenAtATime() {
    Duration unusedDeadline = asked();
    assertInstanceOf(RaceStep.Wait.class, watch.next(now));
  }

  /** The thread that asks may die, of a lack of memory or of a fault of ours. */
  @Test
  void lostAnswerIsNotWaitedForWithoutEnd() {
    assertEquals(Duration.ofMillis(150), asked());
    assertEquals(1150, waitsMillis());
    assertEquals(Duration.ofMillis(150), asked());
  }

  @Test
  void lostPacketsAreFollowedByTheNextOnes() {
    for (int i = 0; i < 100; i++) {
      assertEquals(Duration.ofMillis(150), asked());
      answer(SILENT, 150);
    }
  }

  @Test
  void refusalIsFollowedByTheNextQuestionAfterATenthOfASecond() {
    Duration unusedFirst = asked();
    for (int i = 0; i < 100; i++) {
      answer(new Unreachable(Reason.REFUSED, ""), 1);
      assertEquals(99, waitsMillis());
      assertEquals(Duration.ofSeconds(3), asked());
    }
  }

  @Test
  void nobodyThereForLongIsAskedLessOftenAndMorePatiently() {
    now = T0 + Duration.ofMinutes(20).toNanos();
    assertEquals(Duration.ofSeconds(1), asked());
    now = T0 + Duration.ofHours(20).toNanos();
    answer(SILENT, 0);
    assertEquals(Duration.ofSeconds(2), asked());
    answer(new Unreachable(Reason.NO_ROUTE, ""), 1);
    assertEquals(1999, waitsMillis());
  }

  @Test
  void slowOneIsGivenTimeAsSoonAsItIsKnownToBeThere() {
    assertEquals(Duration.ofMillis(150), asked());
    answer(HANGING, 150);
    assertEquals(Duration.ofSeconds(3), asked());
    answer(new Ready(), 900);
    assertEquals(Duration.ofSeconds(3), asked());
  }

  @Test
  void oneThatIsNotReadyIsLeftAloneForLongerAndLonger() {
    long[] pauses = {125, 250, 500, 1000, 2000, 2500, 2500};
    for (long pause : pauses) {
      Duration unusedDeadline = asked();
      answer(STARTING, 5);
      assertEquals(pause, waitsMillis());
    }
  }

  @Test
  void answerByAnotherWayDoesNotCountAndIsNotRepeatedAtOnce() {
    for (int i = 0; i < 5; i++) {
      Duration unusedDeadline = asked();
      watch.answeredByAnotherWay(now);
      assertTrue(waitsMillis() >= 125);
    }
  }
}
