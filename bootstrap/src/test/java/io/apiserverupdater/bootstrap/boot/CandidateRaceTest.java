package io.apiserverupdater.bootstrap.boot;

import static io.apiserverupdater.bootstrap.boot.BootSequenceTest.address;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Ready;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.bootstrap.state.Evidence;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CandidateRaceTest {
  private static final ApiserverAddress CP1 = address("10.0.0.1");
  private static final ApiserverAddress CP2 = address("10.0.0.2");
  private static final ApiserverAddress CP3 = address("10.0.0.3");
  private static final List<ApiserverAddress> ALL = List.of(CP1, CP2, CP3);
  private static final ProbeResult REFUSED = new Unreachable(Reason.REFUSED, "");
  private static final ProbeResult NO_ROUTE =
      new Unreachable(Reason.NO_ROUTE, "Network is unreachable");
  private static final ProbeResult UNAUTHORIZED = new NotReady(401, List.of());
  private static final ProbeResult STARTING = new NotReady(500, List.of("etcd"));
  // Near the overflow of the clock, which begins anywhere.
  private static final long T0 = Long.MAX_VALUE - millis(150);

  private static long millis(long millis) {
    return Duration.ofMillis(millis).toNanos();
  }

  private static CandidateRace race(
      List<ApiserverAddress> ordered, Optional<Duration> limit, boolean askOnce) {
    return new CandidateRace(
        ordered,
        new CandidateRace.Pace(Duration.ofMillis(200), Duration.ofSeconds(5), limit, askOnce),
        T0,
        () -> 0);
  }

  private static CandidateRace race() {
    return race(ALL, Optional.of(Duration.ofSeconds(30)), false);
  }

  private static void assertAsks(ApiserverAddress expected, RaceStep step) {
    assertEquals(expected, assertInstanceOf(RaceStep.Ask.class, step).address());
  }

  private static void assertWaits(long millis, RaceStep step) {
    assertEquals(
        millis, (assertInstanceOf(RaceStep.Wait.class, step).untilNanos() - T0) / 1_000_000);
  }

  @Test
  void healthyFirstCandidateIsTheOnlyOneThatIsAsked() {
    CandidateRace race = race();
    assertAsks(CP1, race.next(T0));
    assertWaits(200, race.next(T0));
    race.answered(CP1, new Ready(), T0 + millis(20));
    assertEquals(new RaceStep.Ready(CP1), race.next(T0 + millis(20)));
  }

  @Test
  void failedCandidateLetsTheNextOneGoAtOnce() {
    CandidateRace race = race();
    assertAsks(CP1, race.next(T0));
    race.answered(CP1, REFUSED, T0 + millis(1));
    assertAsks(CP2, race.next(T0 + millis(1)));
    race.answered(CP2, STARTING, T0 + millis(9));
    assertAsks(CP3, race.next(T0 + millis(9)));
  }

  @Test
  void silentCandidateLetsTheNextOneGoAfterTheStagger() {
    CandidateRace race = race();
    assertAsks(CP1, race.next(T0));
    assertWaits(200, race.next(T0 + millis(199)));
    assertAsks(CP2, race.next(T0 + millis(200)));
    assertWaits(400, race.next(T0 + millis(200)));
    race.answered(CP2, REFUSED, T0 + millis(210));
    assertAsks(CP3, race.next(T0 + millis(210)));
  }

  @Test
  void silentCandidateMayStillWin() {
    CandidateRace race = race();
    assertAsks(CP1, race.next(T0));
    assertAsks(CP2, race.next(T0 + millis(200)));
    race.answered(CP1, new Ready(), T0 + millis(300));
    assertEquals(new RaceStep.Ready(CP1), race.next(T0 + millis(300)));
  }

  @Test
  void theOneThatAnswersFirstWins() {
    CandidateRace race = race();
    assertAsks(CP1, race.next(T0));
    assertAsks(CP2, race.next(T0 + millis(200)));
    race.answered(CP2, new Ready(), T0 + millis(220));
    race.answered(CP1, new Ready(), T0 + millis(221));
    assertEquals(new RaceStep.Ready(CP2), race.next(T0 + millis(230)));
  }

  @Test
  void failedOnesAreAskedAgainAfterABackoffThatDoubles() {
    CandidateRace race = race(List.of(CP1), Optional.of(Duration.ofSeconds(30)), false);
    long now = T0;
    long[] pauses = {125, 250, 500, 500, 500};
    for (long pause : pauses) {
      assertAsks(CP1, race.next(now));
      race.answered(CP1, REFUSED, now);
      assertWaits((now - T0) / 1_000_000 + pause, race.next(now));
      now += millis(pause);
    }
  }

  @Test
  void oneThatAnswersIsAskedLessOftenThanOneThatRefuses() {
    CandidateRace race = race(List.of(CP1), Optional.empty(), false);
    long now = T0;
    long pause = 0;
    for (int i = 0; i < 8; i++) {
      assertAsks(CP1, race.next(now));
      race.answered(CP1, STARTING, now);
      long until = assertInstanceOf(RaceStep.Wait.class, race.next(now)).untilNanos();
      pause = until - now;
      now = until;
    }
    assertEquals(millis(1500), pause);
  }

  @Test
  void silentCandidateDoesNotKeepTheOthersFromBeingAskedAgain() {
    CandidateRace race = race(List.of(CP1, CP2), Optional.of(Duration.ofSeconds(30)), false);
    assertAsks(CP1, race.next(T0));
    assertAsks(CP2, race.next(T0 + millis(200)));
    race.answered(CP2, REFUSED, T0 + millis(201));
    assertWaits(326, race.next(T0 + millis(202)));
    assertAsks(CP2, race.next(T0 + millis(326)));
    race.answered(CP2, new Ready(), T0 + millis(340));
    assertEquals(new RaceStep.Ready(CP2), race.next(T0 + millis(340)));
  }

  @Test
  void probeEndsWithTheRace() {
    CandidateRace race = race(ALL, Optional.of(Duration.ofSeconds(6)), false);
    assertEquals(new RaceStep.Ask(CP1, Duration.ofSeconds(5)), race.next(T0));
    assertEquals(new RaceStep.Ask(CP2, Duration.ofSeconds(2)), race.next(T0 + millis(4000)));
  }

  @Test
  void limitEndsTheRaceWithTheFirstThatProvedToBeAnApiserver() {
    CandidateRace race = race(ALL, Optional.of(Duration.ofSeconds(2)), false);
    assertAsks(CP1, race.next(T0));
    race.answered(CP1, new Unreachable(Reason.CERTIFICATE, ""), T0);
    assertAsks(CP2, race.next(T0));
    race.answered(CP2, new Unreachable(Reason.ANSWER_TIMEOUT, ""), T0);
    assertAsks(CP3, race.next(T0));
    race.answered(CP3, STARTING, T0);
    assertEquals(new RaceStep.Over(Optional.of(CP3)), race.next(T0 + millis(2000)));
  }

  @ParameterizedTest
  @EnumSource
  void unverifiedCandidateIsNoWayOut(Reason reason) {
    CandidateRace race = race(List.of(CP1), Optional.of(Duration.ofSeconds(2)), false);
    assertAsks(CP1, race.next(T0));
    ProbeResult result = new Unreachable(reason, "");
    race.answered(CP1, result, T0 + millis(1));
    assertEquals(
        new RaceStep.Over(result.verified() ? Optional.of(CP1) : Optional.empty()),
        race.next(T0 + millis(2000)));
  }

  @Test
  void lastAnswerCountsNotAnEarlierOne() {
    CandidateRace race = race(List.of(CP1), Optional.of(Duration.ofSeconds(2)), false);
    assertAsks(CP1, race.next(T0));
    race.answered(CP1, STARTING, T0);
    assertAsks(CP1, race.next(T0 + millis(200)));
    race.answered(CP1, REFUSED, T0 + millis(201));
    assertEquals(new RaceStep.Over(Optional.empty()), race.next(T0 + millis(2000)));
  }

  /** As the last probe ends when the race does, either may be seen first. */
  @ParameterizedTest
  @EnumSource(names = {"CONNECT_TIMEOUT", "HANDSHAKE_TIMEOUT", "ANSWER_TIMEOUT"})
  void probeThatTheEndCutsShortTakesNoAnswerBack(Reason timeout) {
    CandidateRace race = race(List.of(CP1, CP2), Optional.of(Duration.ofSeconds(2)), false);
    assertAsks(CP1, race.next(T0));
    assertAsks(CP2, race.next(T0 + millis(200)));
    race.answered(CP2, STARTING, T0 + millis(1700));
    assertEquals(new RaceStep.Ask(CP2, Duration.ofMillis(100)), race.next(T0 + millis(1900)));
    race.answered(CP1, new Unreachable(Reason.ANSWER_TIMEOUT, ""), T0 + millis(2000));
    race.answered(CP2, new Unreachable(timeout, ""), T0 + millis(2000));
    assertEquals(new RaceStep.Over(Optional.of(CP2)), race.next(T0 + millis(2000)));
  }

  @Test
  void probeThatTheEndCutsShortMayTellMoreThanOneBefore() {
    CandidateRace race = race(List.of(CP1), Optional.of(Duration.ofSeconds(2)), false);
    assertAsks(CP1, race.next(T0));
    race.answered(CP1, REFUSED, T0 + millis(1700));
    assertAsks(CP1, race.next(T0 + millis(1900)));
    race.answered(CP1, new Unreachable(Reason.ANSWER_TIMEOUT, ""), T0 + millis(2000));
    assertEquals(new RaceStep.Over(Optional.of(CP1)), race.next(T0 + millis(2000)));
  }

  @Test
  void askingOnceIsOverWhenEachHasAnswered() {
    CandidateRace race = race(List.of(CP1, CP2), Optional.of(Duration.ofSeconds(5)), true);
    assertAsks(CP1, race.next(T0));
    race.answered(CP1, REFUSED, T0);
    assertAsks(CP2, race.next(T0));
    assertInstanceOf(RaceStep.Wait.class, race.next(T0));
    race.answered(CP2, REFUSED, T0);
    assertEquals(new RaceStep.Over(Optional.empty()), race.next(T0));
  }

  @Test
  void noRouteIsNoAnswerWhereEachIsAskedOnce() {
    CandidateRace race = race(List.of(CP1), Optional.of(Duration.ofSeconds(5)), true);
    for (long at : new long[] {0, 1000, 4000}) {
      assertAsks(CP1, race.next(T0 + millis(at)));
      race.answered(CP1, NO_ROUTE, T0 + millis(at));
      assertInstanceOf(RaceStep.Wait.class, race.next(T0 + millis(at)));
    }
    assertEquals(new RaceStep.Over(Optional.empty()), race.next(T0 + millis(5000)));
  }

  @Test
  void raceWithoutALimitGoesOn() {
    CandidateRace race = race(List.of(CP1), Optional.empty(), false);
    long now = T0 + Duration.ofDays(3).toNanos();
    assertAsks(CP1, race.next(now));
    race.answered(CP1, REFUSED, now);
    assertInstanceOf(RaceStep.Wait.class, race.next(now));
  }

  /** The thread that asks may die, of a lack of memory or of a fault of ours. */
  @Test
  void lostAnswerIsNotWaitedForWithoutEnd() {
    CandidateRace race = race(List.of(CP1), Optional.empty(), false);
    assertAsks(CP1, race.next(T0));
    assertWaits(6000, race.next(T0));
    assertWaits(6125, race.next(T0 + millis(6000)));
    assertAsks(CP1, race.next(T0 + millis(6125)));
  }

  @Test
  void answersOfStrangersChangeNothing() {
    CandidateRace race = race(List.of(CP1), Optional.of(Duration.ofSeconds(5)), false);
    assertAsks(CP1, race.next(T0));
    race.answered(CP3, new Ready(), T0);
    assertTrue(race.next(T0) instanceof RaceStep.Wait);
  }

  /**
   * Whoever believes the first one that does not know it may be with the only one that is wrong.
   */
  @Test
  void oneThatDoesNotTellIsTakenWhenEachHasBeenAskedAndNoneIsReady() {
    CandidateRace race = race();
    assertAsks(CP1, race.next(T0));
    race.answered(CP1, UNAUTHORIZED, T0 + millis(1));
    assertAsks(CP2, race.next(T0 + millis(1)));
    race.answered(CP2, REFUSED, T0 + millis(2));
    assertAsks(CP3, race.next(T0 + millis(2)));
    assertInstanceOf(RaceStep.Wait.class, race.next(T0 + millis(2)));
    race.answered(CP3, STARTING, T0 + millis(9));
    assertEquals(new RaceStep.Ready(CP1, Evidence.ALIVE), race.next(T0 + millis(9)));
  }

  @Test
  void oneThatIsReadyIsPreferredToOneThatDoesNotTell() {
    CandidateRace race = race();
    assertAsks(CP1, race.next(T0));
    race.answered(CP1, UNAUTHORIZED, T0 + millis(1));
    assertAsks(CP2, race.next(T0 + millis(1)));
    race.answered(CP2, new Ready(), T0 + millis(2));
    assertEquals(new RaceStep.Ready(CP2), race.next(T0 + millis(2)));
  }

  @Test
  void oneThatDoesNotTellIsTakenWhenTheTimeIsOver() {
    CandidateRace race = race(ALL, Optional.of(Duration.ofSeconds(1)), false);
    assertAsks(CP1, race.next(T0));
    race.answered(CP1, UNAUTHORIZED, T0 + millis(1));
    assertAsks(CP2, race.next(T0 + millis(1)));
    assertAsks(CP3, race.next(T0 + millis(201)));
    assertEquals(new RaceStep.Ready(CP1, Evidence.ALIVE), race.next(T0 + millis(1000)));
  }
}
