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
import org.junit.jupiter.params.provider.CsvSource;
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

  /**
   * One result after the other, each with the turn that it brings, if it does; and whether a
   * confirmation is wanted, whether it rises and whether it answers.
   */
  private void play(String situation, String steps) {
    for (String step : steps.strip().split("\\s+", -1)) {
      String[] parts = step.split("=", -1);
      String where = situation + ", at " + step;
      switch (parts[0]) {
        case "confirm" ->
            assertEquals(Boolean.valueOf(parts[1]), tracker.wantsConfirmation(), where);
        case "rising" -> assertEquals(Boolean.valueOf(parts[1]), tracker.isRising(), where);
        case "answers" ->
            assertEquals(Boolean.valueOf(parts[1]), tracker.health().answers(), where);
        default -> {
          String turn = observe(result(parts[0])).map(Enum::name).orElse("none");
          assertEquals(parts.length > 1 ? parts[1] : turn, turn, where);
        }
      }
    }
  }

  private static ProbeResult result(String word) {
    return switch (word) {
      case "ready" -> READY;
      case "unready" -> NOT_READY;
      case "refused" -> REFUSED;
      case "silent" -> SILENT;
      default -> throw new IllegalArgumentException(word);
    };
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a good first result makes ready at once | ready=READY
          silence leaves it unknown until confirmed |\
            silent=none confirm=true silent=UNREADY confirm=false
          rises while it answers and is not ready yet |\
            ready rising=false silent silent rising=false ready=none rising=true \
            silent rising=false ready ready rising=false
          falls by silence and then refusal | ready silent=none refused=UNREADY
          rises after one good probe when it had answered honestly | ready unready ready=READY
          rises after two good probes when it had been silent |\
            ready refused ready=none ready=READY
          rises by the last evidence of a starting apiserver | ready refused unready ready=READY
          does not rise with a bad probe in between |\
            ready refused ready=none silent=none ready=none refused=none ready=none ready=READY
          """)
  void fallsAndRises(String situation, String steps) {
    play(situation, steps);
  }

  @Test
  void honestNotReadyIsBelievedAtOnce() {
    play("at first", "unready=UNREADY answers=true");
    assertEquals("/readyz says 500, failing: etcd", tracker.health().evidence());
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
    void notByOneSilentProbeNowAndThen() {
      observe(READY);
      for (int i = 0; i < 100; i++) {
        assertEquals(List.of(), observe(SILENT, READY));
        assertFalse(tracker.wantsConfirmation());
      }
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
