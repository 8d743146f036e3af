package io.apiserverupdater.updater.readiness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class MemberProbingTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final Member A = new Member("192.0.2.1", 6443);
  private static final Member B = new Member("2001:db8::1", 6443);
  private static final ProbeResult READY = new ProbeResult.Ready();
  private static final ProbeResult REFUSED = new ProbeResult.Unreachable(Reason.REFUSED, "refused");
  private static final ProbeResult SILENT =
      new ProbeResult.Unreachable(Reason.ANSWER_TIMEOUT, "silent");
  private static final ProbeResult HELD_UP =
      new ProbeResult.Unreachable(Reason.ANSWER_TIMEOUT, "silent", true);

  // Far longer than a test: only what wakes a probe makes it ask again.
  private static final ProbePolicy POLICY =
      new ProbePolicy(Duration.ofMinutes(10), Duration.ofSeconds(1), 2, 2);

  /** Answers what it is given, and waits when it has nothing. */
  private static final class ScriptedProbe implements MemberProbe {
    final LinkedBlockingQueue<ProbeResult> answers = new LinkedBlockingQueue<>();
    final Semaphore wakes = new Semaphore(0);
    final LinkedBlockingQueue<Duration> waits = new LinkedBlockingQueue<>();
    volatile boolean closed;
    volatile Optional<Instant> certificateEnds = Optional.empty();

    @Override
    public Optional<Instant> certificateEnd() {
      return certificateEnds;
    }

    @Override
    public ProbeResult ask(Duration timeout) {
      try {
        return answers.take();
      } catch (InterruptedException e) {
        return SILENT;
      }
    }

    /** The kept connection ends, and the probes that follow are answered so. */
    void lose(ProbeResult... then) {
      answers.addAll(List.of(then));
      wakes.release();
    }

    @Override
    public void awaitNext(Duration longest) throws InterruptedException {
      waits.add(longest);
      boolean unusedWake = wakes.tryAcquire(longest.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
      closed = true;
      answers.add(SILENT);
      wakes.release();
    }
  }

  private final Map<String, ScriptedProbe> probes = new ConcurrentHashMap<>();
  private final AtomicLong clock = new AtomicLong();
  private final LinkedBlockingQueue<String> turns = new LinkedBlockingQueue<>();
  private final LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();
  private final MemberProbing probing =
      new MemberProbing(
          this::probe,
          POLICY,
          (reason, about, message) -> events.add(reason + " " + about),
          Clock.fixed(NOW, ZoneOffset.UTC),
          clock::get,
          () -> 0);

  MemberProbingTest() {
    probing.onChange(() -> turns.add("turn"));
  }

  private MemberProbe probe(ApiserverAddress address) {
    ScriptedProbe probe = new ScriptedProbe();
    probes.put(address.toString(), probe);
    return probe;
  }

  private ScriptedProbe of(Member member) {
    String address =
        ApiserverAddress.parse(member.toString(), member.port()).orElseThrow().toString();
    return Objects.requireNonNull(probes.get(address), address);
  }

  private void awaitTurn() throws InterruptedException {
    assertEquals("turn", turns.poll(5, TimeUnit.SECONDS));
  }

  private void followReady() throws InterruptedException {
    probing.follow(Set.of(A));
    of(A).answers.add(READY);
    awaitTurn();
  }

  private void assertWaits(Duration expected, Member member) throws InterruptedException {
    assertEquals(expected, of(member).waits.poll(5, TimeUnit.SECONDS));
  }

  private void awaitLetGo(ScriptedProbe gone) {
    clock.addAndGet(Duration.ofSeconds(31).toNanos());
    gone.lose();
    while (!gone.closed) {
      Thread.onSpinWait();
    }
  }

  @AfterEach
  void end() {
    probing.close();
  }

  @Test
  void observationHasSinceLatencyAndCertificate() throws Exception {
    Instant end = Instant.parse("2027-01-02T03:04:05Z");
    probing.follow(Set.of(A));
    assertEquals(Optional.of(MemberObservation.NONE), probing.observation(A));
    assertEquals(Optional.empty(), probing.observation(B));
    of(A).certificateEnds = Optional.of(end);
    clock.set(Duration.ofMillis(7).toNanos());
    of(A).answers.add(READY);
    awaitTurn();
    MemberObservation ready = probing.observation(A).orElseThrow();
    assertEquals(Optional.of(clock.get()), ready.since());
    assertTrue(ready.latency().isPresent());
    assertEquals(Optional.of(end), ready.certificateEnds());

    clock.set(Duration.ofMillis(9).toNanos());
    of(A).lose(REFUSED);
    awaitTurn();
    MemberObservation down = probing.observation(A).orElseThrow();
    assertEquals("refused", down.health().evidence());
    assertEquals(Optional.of(clock.get()), down.since());
    assertEquals(Optional.empty(), down.latency());
    assertEquals(Optional.of(end), down.certificateEnds());
  }

  /** It may leave for longer than it is remembered, and comes back with the same certificate. */
  @Test
  void certificateThatExpiresSoonIsToldOnce() throws Exception {
    for (int i = 0; i < 2; i++) {
      probing.follow(Set.of(A));
      of(A).certificateEnds = Optional.of(NOW.plus(Duration.ofDays(12)));
      of(A).answers.add(READY);
      awaitTurn();
      probing.follow(Set.of());
      awaitLetGo(of(A));
    }
    assertEquals(
        List.of(
            "MemberReady 192.0.2.1:6443",
            "CertificateExpiring 192.0.2.1:6443",
            "MemberReady 192.0.2.1:6443"),
        List.copyOf(events));
  }

  @Test
  void memberIsUnknownUntilItIsJudged() throws Exception {
    probing.follow(Set.of(A, B));
    assertEquals(MemberHealth.UNKNOWN, probing.of(A));
    assertFalse(probing.isComplete());
    of(A).answers.add(READY);
    awaitTurn();
    assertTrue(probing.of(A).isReady());
    of(B).answers.add(REFUSED);
    awaitTurn();
    probing.awaitJudged(Duration.ofSeconds(1));
    assertTrue(probing.isComplete());
    assertEquals(List.of(B), probing.unready());
    assertTrue(probing.of(B).fellAt().isEmpty(), "it has never been ready");
  }

  @Test
  void lostConnectionIsFollowedByAProbeAtOnce() throws Exception {
    followReady();
    of(A).lose(REFUSED);
    awaitTurn();
    assertFalse(probing.of(A).isReady());
    assertTrue(probing.of(A).fellAt().isPresent());
  }

  @Test
  void silenceIsConfirmedAtOnce() throws Exception {
    followReady();
    of(A).lose(SILENT, SILENT);
    awaitTurn();
    assertFalse(probing.of(A).isReady());
  }

  @Test
  void membersAreProbedAtTheSameMoment() throws Exception {
    probing.follow(Set.of(A));
    of(A).answers.add(READY);
    assertWaits(POLICY.interval(), A);
    clock.addAndGet(Duration.ofMinutes(1).toNanos());
    probing.follow(Set.of(A, B));
    of(B).answers.add(READY);
    assertWaits(POLICY.interval().minusMinutes(1), B);
  }

  @Test
  void memberThatBeginsToAnswerIsAskedAgainAfterHalfOfTheInterval() throws Exception {
    probing.follow(Set.of(A));
    of(A).answers.add(READY);
    assertWaits(POLICY.interval(), A);
    of(A).lose(SILENT, SILENT);
    assertWaits(POLICY.interval(), A);
    of(A).lose(READY);
    assertWaits(POLICY.interval().dividedBy(2), A);
    of(A).lose(READY);
    assertWaits(POLICY.interval(), A);
    assertTrue(probing.of(A).isReady());
  }

  @Test
  void silenceInWhichThisProcessDidNotRunCountsForNothing() throws Exception {
    followReady();
    for (int i = 0; i < 3; i++) {
      of(A).lose(HELD_UP);
      while (!of(A).answers.isEmpty()) {
        Thread.onSpinWait();
      }
    }
    of(A).lose(REFUSED);
    awaitTurn();
    assertEquals("refused", probing.of(A).evidence());
  }

  @Test
  void memberThatLeavesAndReturnsIsStillKnown() throws Exception {
    probing.follow(Set.of(A, B));
    of(A).answers.add(READY);
    awaitTurn();
    ScriptedProbe probe = of(A);
    probing.follow(Set.of(B));
    assertEquals(Set.of(B), probing.members());
    assertEquals(MemberHealth.UNKNOWN, probing.of(A));
    probing.follow(Set.of(A, B));
    assertTrue(probing.of(A).isReady());
    assertEquals(probe, of(A));
  }

  /** As in a crash loop: it leaves the source while it restarts, and comes back too early. */
  @Test
  void memberThatReturnsAsUnreadyIsToldOf() throws Exception {
    followReady();
    probing.follow(Set.of());
    of(A).lose(REFUSED);
    awaitTurn();
    assertEquals(List.of(), probing.unready());
    probing.follow(Set.of(A));
    awaitTurn();
    assertEquals(List.of(A), probing.unready());
  }

  @Test
  void memberThatHasLeftForLongIsLetGo() throws Exception {
    followReady();
    ScriptedProbe gone = of(A);
    probing.follow(Set.of(B));
    awaitLetGo(gone);
    probing.follow(Set.of(A, B));
    assertEquals(MemberHealth.UNKNOWN, probing.of(A));
  }

  @Test
  void closeEndsEveryProbe() {
    probing.follow(Set.of(A, B));
    probing.close();
    assertTrue(of(A).closed);
    assertTrue(of(B).closed);
    probing.follow(Set.of(A));
    assertEquals(Set.of(), probing.members());
  }
}
