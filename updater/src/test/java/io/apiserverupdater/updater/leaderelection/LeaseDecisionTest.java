package io.apiserverupdater.updater.leaderelection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LeaseDecisionTest {
  private static final ElectionSettings SETTINGS =
      new ElectionSettings(
          "me", Duration.ofSeconds(4), Duration.ofSeconds(3), Duration.ofSeconds(1));
  private static final Instant WALL = Instant.parse("2026-03-01T00:00:00Z");
  private static final Instant BEFORE = Instant.parse("2026-02-01T00:00:00Z");

  private static final LeaseLock.Sight UNKNOWN = new LeaseLock.Sight.Unknown();
  private static final LeaseLock.Sight ABSENT = new LeaseLock.Sight.Absent();
  private static final LeaseDecision READ = new LeaseDecision.Read();

  private static long ms(long millis) {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }

  private static LeaseRecord leaseRecord(String holder, int seconds) {
    return recordOf(holder, seconds, BEFORE, 5);
  }

  private static LeaseRecord recordOf(String holder, int seconds, Instant at, int transitions) {
    return new LeaseRecord(
        holder, Duration.ofSeconds(seconds), Optional.of(at), Optional.of(at), transitions);
  }

  private static LeaseLock.Sight present(LeaseRecord leaseRecord, long since) {
    return new LeaseLock.Sight.Present(new ObservedLease(leaseRecord, "9", since));
  }

  private static LeaseLock.Sight held(String holder, int seconds, long since) {
    return present(leaseRecord(holder, seconds), since);
  }

  private static LeaseDecision waitUntil(long millis) {
    return new LeaseDecision.Wait(ms(millis));
  }

  private static LeaseRecord taken(int transitions) {
    return recordOf("me", 4, WALL, transitions);
  }

  private static LeaseDecision acquire(int transitions) {
    return new LeaseDecision.Acquire(taken(transitions), "9");
  }

  private static LeaseDecision decide(Optional<Lead> lead, LeaseLock.Sight sight, long now) {
    return LeaseDecision.decide(SETTINGS, lead, sight, now, WALL);
  }

  static List<Arguments> standby() {
    LeaseRecord theirs = leaseRecord("other", 4);
    return List.of(
        Arguments.of("nothing is known yet", UNKNOWN, 0L, READ),
        Arguments.of("there is no Lease", ABSENT, 0L, new LeaseDecision.Create(taken(0))),
        Arguments.of("nobody holds it", held("", 1, ms(0)), ms(1), acquire(6)),
        Arguments.of("it has no spec", present(LeaseRecord.UNHELD, ms(0)), ms(1), acquire(1)),
        Arguments.of("just seen", present(theirs, ms(100)), ms(100), waitUntil(4100)),
        Arguments.of(
            "silent, but not long enough", present(theirs, ms(100)), ms(4100) - 1, waitUntil(4100)),
        Arguments.of("silent for its duration", present(theirs, ms(100)), ms(4100), acquire(6)),
        Arguments.of(
            "asked for longer than we would", held("other", 15, 0), ms(14_999), waitUntil(15_000)),
        Arguments.of(
            "asked for longer, and silent for that long",
            held("other", 15, 0),
            ms(15_000),
            acquire(6)),
        Arguments.of(
            "asked for less than we would", held("other", 1, 0), ms(3999), waitUntil(4000)),
        Arguments.of("asked for no time at all", held("other", 0, 0), ms(3999), waitUntil(4000)),
        Arguments.of(
            "asked for a nonsensical time",
            held("other", 1_000_000, 0),
            ms(59_999),
            waitUntil(60_000)),
        Arguments.of(
            "asked for a nonsensical time, and the patience is over",
            held("other", 1_000_000, 0),
            ms(60_000),
            acquire(6)),
        // The server refuses a negative number, and we would never lead.
        Arguments.of(
            "its transitions cannot be counted further",
            present(recordOf("", 1, BEFORE, Integer.MAX_VALUE), 0),
            ms(1),
            acquire(Integer.MAX_VALUE)),
        Arguments.of("ours without our knowing", held("me", 4, ms(0)), ms(1), acquire(5)),
        Arguments.of(
            "the holder's name only begins like ours", held("me2", 4, 0), ms(1), waitUntil(4000)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void standby(String situation, LeaseLock.Sight sight, long now, LeaseDecision expected) {
    assertEquals(expected, decide(Optional.empty(), sight, now), situation);
  }

  static List<Arguments> leader() {
    Lead fresh = new Lead(0, 0);
    LeaseLock.Sight mine = held("me", 4, 0);
    LeaseDecision renew =
        new LeaseDecision.Renew(
            new LeaseRecord("me", Duration.ofSeconds(4), Optional.of(BEFORE), Optional.of(WALL), 5),
            "9");
    return List.of(
        Arguments.of("just renewed", fresh, mine, ms(10), waitUntil(1000)),
        Arguments.of(
            "a moment before the next renewal", fresh, mine, ms(1000) - 1, waitUntil(1000)),
        Arguments.of("a renewal is due", fresh, mine, ms(1000), renew),
        Arguments.of(
            "the last attempt failed a moment ago",
            new Lead(0, ms(1000)),
            mine,
            ms(1500),
            waitUntil(2000)),
        Arguments.of("the last attempt failed", new Lead(0, ms(1000)), mine, ms(2000), renew),
        Arguments.of(
            "a moment before the deadline", new Lead(0, ms(1000)), mine, ms(3000) - 1, renew),
        Arguments.of("nothing is known when a renewal is due", fresh, UNKNOWN, ms(1000), READ));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void leader(
      String situation, Lead lead, LeaseLock.Sight sight, long now, LeaseDecision expected) {
    assertEquals(expected, decide(Optional.of(lead), sight, now), situation);
  }

  static List<Arguments> stepsDown() {
    Lead fresh = new Lead(0, 0);
    LeaseLock.Sight mine = held("me", 4, 0);
    return List.of(
        Arguments.of(
            "somebody else holds it",
            fresh,
            held("other", 4, 0),
            ms(1),
            "the Lease is held by other"),
        Arguments.of(
            "somebody has released it",
            fresh,
            held("", 1, 0),
            ms(1),
            "the Lease was released by another client"),
        Arguments.of("it is gone", fresh, ABSENT, ms(1), "deleted"),
        Arguments.of("at the deadline", fresh, mine, ms(3000), "within 3000ms"),
        Arguments.of(
            "at the deadline, whatever was tried since",
            new Lead(0, ms(2900)),
            mine,
            ms(3000),
            "within 3000ms"),
        Arguments.of(
            "long after the deadline, as after a suspension", fresh, mine, ms(30_000), "3000ms"),
        Arguments.of(
            "at the deadline, with nothing known", fresh, UNKNOWN, ms(3000), "within 3000ms"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void stepsDown(String situation, Lead lead, LeaseLock.Sight sight, long now, String reason) {
    LeaseDecision.StepDown decision =
        assertInstanceOf(
            LeaseDecision.StepDown.class, decide(Optional.of(lead), sight, now), situation);
    assertTrue(decision.reason().contains(reason), decision.reason());
  }

  // The monotonic clock may be negative, and may wrap around.
  @ParameterizedTest
  @ValueSource(longs = {Long.MAX_VALUE - 1_000, -1_000, Long.MIN_VALUE})
  void countsTheSameFromAnyStartOfTheClock(long start) {
    Lead lead = new Lead(start, start);
    LeaseLock.Sight mine = held("me", 4, start);
    LeaseLock.Sight theirs = held("other", 4, start);
    assertInstanceOf(
        LeaseDecision.Wait.class, decide(Optional.of(lead), mine, start + ms(1000) - 1));
    assertInstanceOf(LeaseDecision.Renew.class, decide(Optional.of(lead), mine, start + ms(1000)));
    assertInstanceOf(
        LeaseDecision.StepDown.class, decide(Optional.of(lead), mine, start + ms(3000)));
    assertInstanceOf(
        LeaseDecision.Wait.class, decide(Optional.empty(), theirs, start + ms(4000) - 1));
    assertInstanceOf(
        LeaseDecision.Acquire.class, decide(Optional.empty(), theirs, start + ms(4000)));
  }

  @Test
  void timesInTheLeaseAreNeverComparedWithOurClock() {
    LeaseLock.Sight fromTheFuture = present(recordOf("other", 4, WALL.plusSeconds(86_400), 1), 0);
    assertInstanceOf(
        LeaseDecision.Acquire.class, decide(Optional.empty(), fromTheFuture, ms(4000)));
    LeaseLock.Sight ancient = present(recordOf("other", 4, Instant.EPOCH, 1), 0);
    assertInstanceOf(LeaseDecision.Wait.class, decide(Optional.empty(), ancient, ms(3999)));
  }

  @Test
  void ourOwnLongDurationIsWaitedForEvenBeyondTheLongestPatience() {
    ElectionSettings slow =
        new ElectionSettings(
            "me", Duration.ofSeconds(120), Duration.ofSeconds(60), Duration.ofSeconds(10));
    LeaseLock.Sight theirs = held("other", 120, 0);
    assertEquals(
        waitUntil(120_000), LeaseDecision.decide(slow, Optional.empty(), theirs, ms(60_000), WALL));
  }
}
