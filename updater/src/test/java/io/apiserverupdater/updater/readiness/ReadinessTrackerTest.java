package io.apiserverupdater.updater.readiness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReadinessTrackerTest {
  private static final ProbePolicy POLICY =
      new ProbePolicy(Duration.ofMillis(300), Duration.ofMillis(350), 2, 2);
  private static final ProbeResult READY = new ProbeResult.Ready();
  private static final ProbeResult NOT_READY = new ProbeResult.NotReady(500, List.of("etcd"));
  private static final ProbeResult REFUSED = unreachable(Reason.REFUSED);
  private static final ProbeResult SILENT = unreachable(Reason.ANSWER_TIMEOUT);
  private static final Duration STEP = Duration.ofMillis(300);

  private final ReadinessTracker tracker = new ReadinessTracker(POLICY);

  // Where nanoTime may stand: about to wrap around.
  private long now = Long.MAX_VALUE - Duration.ofSeconds(20).toNanos();

  private static ProbeResult unreachable(Reason reason) {
    return new ProbeResult.Unreachable(reason, reason.name());
  }

  private Optional<MemberHealth.State> observe(ProbeResult result) {
    return tracker.observe(result, now).map(MemberHealth::state);
  }

  private List<MemberHealth.State> observe(ProbeResult... results) {
    List<MemberHealth.State> turns = new ArrayList<>();
    for (ProbeResult result : results) {
      observe(result).ifPresent(turns::add);
    }
    return turns;
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }

  private MemberHealth.State state() {
    return tracker.health().state();
  }

  @Test
  void isUnknownBeforeTheFirstResult() {
    assertEquals(MemberHealth.State.UNKNOWN, state());
    assertFalse(tracker.health().answers());
  }

  @Nested
  class First {
    @Test
    void goodResultMakesReadyAtOnce() {
      assertEquals(Optional.of(MemberHealth.State.READY), observe(READY));
    }

    @Test
    void honestNotReadyIsBelievedAtOnce() {
      assertEquals(Optional.of(MemberHealth.State.UNREADY), observe(NOT_READY));
      assertTrue(tracker.health().answers());
      assertEquals("/readyz says 500, failing: etcd", tracker.health().evidence());
    }

    @Test
    void silenceLeavesItUnknownUntilConfirmed() {
      assertEquals(Optional.empty(), observe(SILENT));
      assertTrue(tracker.wantsConfirmation());
      assertEquals(Optional.of(MemberHealth.State.UNREADY), observe(SILENT));
      assertFalse(tracker.wantsConfirmation());
    }
  }

  @Nested
  class Falls {
    @ParameterizedTest
    @EnumSource(names = {"REFUSED", "CERTIFICATE"})
    void atOnceByProof(Reason reason) {
      observe(READY);
      assertEquals(Optional.of(MemberHealth.State.UNREADY), observe(unreachable(reason)));
      assertFalse(tracker.wantsConfirmation());
    }

    @ParameterizedTest
    @EnumSource(
        mode = EnumSource.Mode.EXCLUDE,
        names = {"REFUSED", "CERTIFICATE"})
    void onlyWhenConfirmedByWhatMayPass(Reason reason) {
      observe(READY);
      assertEquals(Optional.empty(), observe(unreachable(reason)));
      assertTrue(tracker.wantsConfirmation());
      assertEquals(Optional.of(MemberHealth.State.UNREADY), observe(unreachable(reason)));
    }

    @Test
    void risesWhileItAnswersAndIsNotReadyYet() {
      observe(READY);
      assertFalse(tracker.isRising());
      observe(SILENT, SILENT);
      assertFalse(tracker.isRising());
      assertEquals(Optional.empty(), observe(READY));
      assertTrue(tracker.isRising());
      observe(SILENT);
      assertFalse(tracker.isRising());
      observe(READY, READY);
      assertFalse(tracker.isRising());
    }

    @Test
    void notByOneSilentProbeNowAndThen() {
      observe(READY);
      for (int i = 0; i < 100; i++) {
        assertEquals(List.of(), observe(SILENT, READY));
        assertFalse(tracker.wantsConfirmation());
      }
    }

    @Test
    void bySilenceAndThenRefusal() {
      observe(READY);
      assertEquals(List.of(MemberHealth.State.UNREADY), observe(SILENT, REFUSED));
    }

    @Test
    void afterAsManySilentProbesAsAreAskedFor() {
      ReadinessTracker patient = new ReadinessTracker(new ProbePolicy(STEP, STEP, 2, 5));
      patient.observe(READY, now);
      for (int i = 0; i < 4; i++) {
        assertEquals(Optional.empty(), patient.observe(SILENT, now));
      }
      assertTrue(patient.observe(SILENT, now).isPresent());
    }
  }

  @Nested
  class Rises {
    @Test
    void afterOneGoodProbeWhenItHadAnsweredHonestly() {
      observe(READY, NOT_READY);
      assertEquals(Optional.of(MemberHealth.State.READY), observe(READY));
    }

    @Test
    void afterTwoGoodProbesWhenItHadBeenSilent() {
      observe(READY, REFUSED);
      assertEquals(Optional.empty(), observe(READY));
      assertEquals(Optional.of(MemberHealth.State.READY), observe(READY));
    }

    @Test
    void byTheLastEvidenceOfAStartingApiserver() {
      observe(READY, REFUSED);
      observe(NOT_READY);
      assertEquals(Optional.of(MemberHealth.State.READY), observe(READY));
    }

    @Test
    void notWithABadProbeInBetween() {
      observe(READY, REFUSED);
      assertEquals(List.of(), observe(READY, SILENT, READY, REFUSED, READY));
      assertEquals(Optional.of(MemberHealth.State.READY), observe(READY));
    }
  }

  @Nested
  class Flapping {
    private void fallAndRise() {
      observe(REFUSED);
      pass(STEP);
      observe(READY, READY);
    }

    @Test
    void firstReturnIsNotHeldUp() {
      observe(READY);
      fallAndRise();
      assertEquals(MemberHealth.State.READY, state());
    }

    @Test
    void secondFallWithinTenSecondsKeepsItOut() {
      observe(READY);
      fallAndRise();
      pass(Duration.ofSeconds(8));
      fallAndRise();
      assertEquals(MemberHealth.State.UNREADY, state());
      assertTrue(
          tracker.health().evidence().startsWith("ready, but it failed too often; kept out for"),
          tracker.health().evidence());
      assertTrue(tracker.health().answers());
    }

    @Test
    void secondFallLaterDoesNot() {
      observe(READY);
      for (int i = 0; i < 20; i++) {
        fallAndRise();
        assertEquals(MemberHealth.State.READY, state(), "fall " + i);
        pass(Duration.ofSeconds(20));
      }
    }

    @Test
    void comesBackByItselfOnceItHasBeenStill() {
      observe(READY);
      fallAndRise();
      fallAndRise();
      long still = now;
      while (state() != MemberHealth.State.READY) {
        pass(STEP);
        observe(READY);
      }
      Duration took = Duration.ofNanos(now - still);
      assertTrue(took.compareTo(Duration.ofSeconds(10)) > 0, took::toString);
      assertTrue(took.compareTo(Duration.ofSeconds(15)) < 0, took::toString);
    }

    @Test
    void isKeptOutForTwentyFourSecondsAtMost() {
      observe(READY);
      for (int i = 0; i < 200; i++) {
        fallAndRise();
      }
      pass(Duration.ofMillis(24_500));
      assertEquals(Optional.of(MemberHealth.State.READY), observe(READY));
    }

    @Test
    void silenceCountsHalf() {
      observe(READY);
      for (int fall = 1; fall <= 3; fall++) {
        observe(SILENT, SILENT);
        pass(STEP);
        observe(READY, READY);
        assertEquals(MemberHealth.State.READY, state(), "fall " + fall);
      }
      observe(SILENT, SILENT);
      pass(STEP);
      observe(READY, READY);
      assertEquals(MemberHealth.State.UNREADY, state());
    }

    /** Whatever the pattern of its falls, it ends up out and the number of turns is bounded. */
    @Test
    void restartLoopEndsUpOutWithFewTurns() {
      for (Duration period : List.of(Duration.ofSeconds(1), Duration.ofSeconds(2))) {
        ReadinessTracker loop = new ReadinessTracker(POLICY);
        loop.observe(READY, now);
        int turns = 0;
        for (long t = 0; t < Duration.ofMinutes(1).toMillis(); t += 100) {
          boolean down = t % period.toMillis() < period.toMillis() / 2;
          turns += loop.observe(down ? REFUSED : READY, now).isPresent() ? 1 : 0;
          pass(Duration.ofMillis(100));
        }
        assertEquals(3, turns, "down, up, down and out: each " + period);
        assertEquals(MemberHealth.State.UNREADY, loop.health().state());
      }
    }

    @Test
    void turnsAreBoundedWhateverTheFallsAre() {
      for (int seed = 0; seed < 200; seed++) {
        Random random = new Random(seed);
        ReadinessTracker any = new ReadinessTracker(POLICY);
        Duration most = Duration.ofMillis(200L << random.nextInt(8));
        long start = now;
        int turns = 0;
        while (now - start < Duration.ofMinutes(10).toNanos()) {
          ProbeResult result =
              List.of(READY, READY, REFUSED, NOT_READY, SILENT).get(random.nextInt(5));
          for (int i = random.nextInt(3); i >= 0; i--) {
            turns += any.observe(result, now).isPresent() ? 1 : 0;
          }
          pass(Duration.ofNanos((long) (random.nextDouble() * most.toNanos())));
        }
        assertTrue(turns <= 600 / 3 + 5, "seed " + seed + ": " + turns + " turns in 10 min");
      }
    }
  }
}
