package io.apiserverupdater.updater.controller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.controller.EndpointsClient.WriteResult;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.endpoints.DesiredObject;
import io.apiserverupdater.updater.endpoints.Drains;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Endpoints;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Refusal;
import io.apiserverupdater.updater.endpoints.ServedObjects;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.endpoints.TargetName;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(5)
class EndpointsReconcilerTest {
  private static final String SLICE = "create EndpointSlice apiserver-ipv4";
  private static final String ENDPOINTS = "create Endpoints apiserver";
  private static final Duration AMPLE = Duration.ofHours(1);

  /** An API server of a few fields; its answers can be written down beforehand. */
  private static final class ScriptedClient implements EndpointsClient {
    final List<String> writes = new CopyOnWriteArrayList<>();
    final List<Duration> timeouts = new CopyOnWriteArrayList<>();
    final List<Thread> reads = new CopyOnWriteArrayList<>();
    final Deque<WriteResult> answers = new ArrayDeque<>();
    final Map<AddressFamily, EndpointSlice> slices = new EnumMap<>(AddressFamily.class);
    Optional<Endpoints> endpoints = Optional.empty();
    Optional<Service> service = Optional.of(ServedObjects.service());
    List<EndpointSlice> source = List.of();
    boolean known = true;
    boolean keepsWrites = true;
    int rereads;
    Runnable afterWrite = () -> {};
    Runnable listener = () -> {};

    void source(String... addresses) {
      source = List.of(ServedObjects.source(Stream.of(addresses).map(Endpoint::ready).toList()));
    }

    @Override
    public Optional<ObservedState> observed() {
      reads.add(Thread.currentThread());
      return known
          ? Optional.of(new ObservedState(source, service, slices, endpoints))
          : Optional.empty();
    }

    @Override
    public WriteResult apply(Change change, Duration timeout) {
      writes.add(change.describe());
      timeouts.add(timeout);
      WriteResult answer = answers.isEmpty() ? new WriteResult.Written() : answers.pop();
      if (answer instanceof WriteResult.Written && keepsWrites) {
        store(change);
      }
      afterWrite.run();
      return answer;
    }

    private void store(Change change) {
      if (change instanceof Change.DeleteSlice delete) {
        slices.values().removeIf(slice -> slice.name().equals(delete.name()));
      } else if (change.desired().orElseThrow() instanceof DesiredObject.Slice slice) {
        slices.put(slice.family(), ServedObjects.written(slice, "2"));
      } else if (change.desired().orElseThrow() instanceof DesiredObject.LegacyEndpoints legacy) {
        endpoints = Optional.of(ServedObjects.written(legacy, "2"));
      }
    }

    @Override
    public void reread() {
      rereads++;
    }

    @Override
    public void onChange(Runnable whenChanged) {
      listener = whenChanged;
    }
  }

  private final ScriptedClient client = new ScriptedClient();
  private final AtomicLong clock = new AtomicLong();
  private volatile Duration certainFor = AMPLE;
  private final List<String> events = new ArrayList<>();
  private final SettableClock wallClock = new SettableClock();

  /** A wall clock that somebody sets. */
  private static final class SettableClock extends Clock {
    Instant time = Instant.parse("2026-01-02T03:04:05Z");

    @Override
    public Instant instant() {
      return time;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  private final EndpointsReconciler reconciler = reconciler(MemberHealths.NOT_PROBED);

  private EndpointsReconciler reconciler(MemberHealths healths) {
    return new EndpointsReconciler(
        new MirrorRule("default/kubernetes", new TargetName("kube-system", "apiserver"), true),
        client,
        healths,
        () -> certainFor,
        (reason, about, message) -> events.add(reason + " " + about + ": " + message),
        clock::get,
        wallClock,
        () -> 0,
        new DirectExecutor());
  }

  EndpointsReconcilerTest() {
    client.source("192.0.2.1");
  }

  @AfterEach
  void close() {
    reconciler.close();
  }

  @Test
  void writesNothingWithoutLeadership() {
    certainFor = Duration.ZERO;
    assertEquals(Optional.empty(), reconciler.reconcile());
    assertEquals(List.of(), client.writes);
  }

  @Test
  void writesNothingUntilAllIsKnown() {
    client.known = false;
    assertEquals(Optional.empty(), reconciler.reconcile());
    assertEquals(List.of(), client.writes);
  }

  @Test
  void writesWhatKubeProxyReadsFirst() {
    reconciler.reconcile();
    assertEquals(List.of(SLICE, ENDPOINTS), client.writes);
  }

  @Test
  void looksOnceMoreAfterWritingAndThenIsIdle() {
    assertEquals(Optional.of(Duration.ZERO), reconciler.reconcile());
    assertEquals(Optional.empty(), reconciler.reconcile());
    assertEquals(2, client.writes.size());
  }

  /** What an observer was told, in order. */
  private List<String> observed(EndpointsReconciler observed) {
    List<String> told = new ArrayList<>();
    observed.observe(
        new SyncObserver() {
          @Override
          public void synced(Result result) {
            told.add(result.name());
          }

          @Override
          public void published(Duration sinceEvidence) {
            told.add(sinceEvidence.toMillis() + " ms");
          }
        });
    return told;
  }

  @Test
  void tellsHowEachSyncEnded() {
    List<String> told = observed(reconciler);
    client.known = false;
    reconciler.reconcile();
    client.known = true;
    certainFor = Duration.ZERO;
    reconciler.reconcile();
    certainFor = AMPLE;
    client.answers.add(new WriteResult.Conflict());
    reconciler.reconcile();
    client.answers.add(new WriteResult.Failed("timeout", Optional.empty()));
    reconciler.reconcile();
    reconciler.reconcile();
    reconciler.reconcile();
    client.source();
    reconciler.reconcile();
    assertEquals(
        List.of("WAITING", "STANDBY", "FAILED", "FAILED", "WRITTEN", "UP_TO_DATE", "REFUSED"),
        told);
  }

  @Test
  void tellsWhatIsRefusedAsLongAsItIs() {
    client.source();
    reconciler.reconcile();
    assertEquals(
        List.of("EmptySource"), reconciler.refused().stream().map(Refusal::reason).toList());
    certainFor = Duration.ZERO;
    reconciler.reconcile();
    assertEquals(List.of(), reconciler.refused(), "that is for the new leader to say");
    certainFor = AMPLE;
    reconciler.reconcile();
    client.source("192.0.2.1");
    reconciler.reconcile();
    assertEquals(List.of(), reconciler.refused());
  }

  /** Members whose health a test changes. */
  private static final class ScriptedHealths implements MemberHealths {
    final Set<String> unready = new HashSet<>();
    final Set<String> silent = new HashSet<>();
    private Runnable listener = () -> {};

    void turn(String address, boolean ready) {
      boolean unusedChange = ready ? unready.remove(address) : unready.add(address);
      listener.run();
    }

    @Override
    public void follow(Set<Member> members) {}

    @Override
    public MemberHealth of(Member member) {
      if (silent.contains(member.address())) {
        return new MemberHealth(
            MemberHealth.State.UNREADY, false, Optional.of(0L), "no answer in time");
      }
      return unready.contains(member.address())
          ? new MemberHealth(MemberHealth.State.UNREADY, true, Optional.of(0L), "/readyz says 500")
          : MemberHealth.READY;
    }

    @Override
    public void onChange(Runnable whenChanged) {
      listener = whenChanged;
    }
  }

  @Test
  void tellsHowLongItTookFromTheEvidenceToTheWrite() {
    ScriptedHealths healths = new ScriptedHealths();
    try (EndpointsReconciler probing = reconciler(healths)) {
      List<String> told = observed(probing);
      client.source("192.0.2.1", "192.0.2.2");
      probing.reconcile();
      probing.reconcile();
      assertEquals(List.of("WRITTEN", "UP_TO_DATE"), told, "no evidence led to the first write");
      told.clear();
      clock.addAndGet(Duration.ofSeconds(1).toNanos());
      healths.turn("192.0.2.1", false);
      clock.addAndGet(Duration.ofMillis(7).toNanos());
      client.answers.add(new WriteResult.Failed("timeout", Optional.empty()));
      probing.reconcile();
      clock.addAndGet(Duration.ofMillis(25).toNanos());
      healths.turn("192.0.2.1", false);
      probing.reconcile();
      assertEquals(List.of("FAILED", "WRITTEN", "32 ms"), told);
    }
  }

  @Test
  void evidenceThatChangedNothingIsNotCountedToALaterWrite() {
    ScriptedHealths healths = new ScriptedHealths();
    try (EndpointsReconciler probing = reconciler(healths)) {
      client.source("192.0.2.1", "192.0.2.2");
      probing.reconcile();
      probing.reconcile();
      List<String> told = observed(probing);
      healths.turn("192.0.2.1", true);
      probing.reconcile();
      clock.addAndGet(Duration.ofHours(1).toNanos());
      client.source("192.0.2.2");
      probing.reconcile();
      assertEquals(List.of("UP_TO_DATE", "WRITTEN"), told);
    }
  }

  @Test
  void tellsOnceThatItFailedOpenAndThatTheProbesDecideAgain() {
    ScriptedHealths healths = new ScriptedHealths();
    try (EndpointsReconciler probing = reconciler(healths)) {
      client.source("192.0.2.1", "192.0.2.2");
      probing.reconcile();
      healths.turn("192.0.2.1", false);
      probing.reconcile();
      assertEquals(List.of(), events, "the word of one member is for the probes to tell");
      healths.turn("192.0.2.2", false);
      probing.reconcile();
      probing.reconcile();
      healths.turn("192.0.2.1", true);
      healths.turn("192.0.2.2", true);
      probing.reconcile();
      probing.reconcile();
      assertEquals(
          List.of(
              "FailedOpen IPv4: IPv4: " + EndpointsReconciler.FAILED_OPEN,
              "GateNormal IPv4: IPv4: members are published as probed again"),
          events);
    }
  }

  @Test
  void tellsOnceThatItHoldsAndThatTheProbesDecideAgain() {
    ScriptedHealths healths = new ScriptedHealths();
    try (EndpointsReconciler probing = reconciler(healths)) {
      client.source("192.0.2.1", "192.0.2.2");
      probing.reconcile();
      healths.silent.addAll(Set.of("192.0.2.1", "192.0.2.2"));
      probing.reconcile();
      probing.reconcile();
      healths.silent.clear();
      probing.reconcile();
      probing.reconcile();
      assertEquals(
          List.of(
              "Holding IPv4: IPv4: " + EndpointsReconciler.HOLDING,
              "GateNormal IPv4: IPv4: members are published as probed again"),
          events);
    }
  }

  @Test
  void refusalWritesNothingAndWaitsForChange() {
    client.source();
    assertEquals(Optional.empty(), reconciler.reconcile());
    client.source("192.0.2.1");
    client.service = Optional.empty();
    assertEquals(Optional.empty(), reconciler.reconcile());
    assertEquals(List.of(), client.writes);
  }

  @Test
  void sourceThatTurnsEmptyLeavesTheTarget() {
    reconciler.reconcile();
    client.source();
    reconciler.reconcile();
    assertEquals(List.of(SLICE, ENDPOINTS), client.writes);
    assertEquals(1, client.slices.size());
  }

  @Test
  void conflictIsFollowedByReadAndShortWait() {
    client.answers.add(new WriteResult.Conflict());
    assertEquals(Optional.of(Duration.ofMillis(25)), reconciler.reconcile());
    assertEquals(1, client.rereads);
    assertEquals(List.of(SLICE), client.writes, "nothing after the conflict");
    assertEquals(Optional.of(Duration.ZERO), reconciler.reconcile());
    assertEquals(List.of(SLICE, SLICE, ENDPOINTS), client.writes);
  }

  @Test
  void repeatedConflictsWaitLongerAndLonger() {
    List<Duration> waits = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      client.answers.add(new WriteResult.Conflict());
      waits.add(reconciler.reconcile().orElseThrow());
    }
    assertEquals(waits.stream().sorted().toList(), waits);
    assertEquals(Duration.ofSeconds(5), waits.get(9));
  }

  @Test
  void rejectedWriteIsTriedAgainMoreAndMoreSlowlyWithoutReading() {
    List<Duration> waits = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      client.answers.add(new WriteResult.Rejected("403: forbidden"));
      waits.add(reconciler.reconcile().orElseThrow());
    }
    assertEquals(waits.stream().sorted().toList(), waits);
    assertEquals(Duration.ofSeconds(1), waits.get(0));
    assertEquals(Duration.ofSeconds(15), waits.get(11));
    assertEquals(Collections.nCopies(12, SLICE), client.writes);
    assertEquals(0, client.rereads);
  }

  @Test
  void failedWriteIsFollowedByReadBecauseItMayHaveLanded() {
    client.answers.add(new WriteResult.Failed("timeout", Optional.empty()));
    assertEquals(Optional.of(Duration.ofMillis(25)), reconciler.reconcile());
    assertEquals(1, client.rereads);
    assertEquals(List.of(SLICE), client.writes);
  }

  @Test
  void honoursWhatTheServerAsksFor() {
    client.answers.add(new WriteResult.Failed("429", Optional.of(Duration.ofSeconds(7))));
    assertEquals(Optional.of(Duration.ofSeconds(7)), reconciler.reconcile());
  }

  @Test
  void failureOfTheSecondWriteLeavesTheFirst() {
    client.answers.add(new WriteResult.Written());
    client.answers.add(new WriteResult.Failed("500", Optional.empty()));
    assertTrue(reconciler.reconcile().isPresent());
    assertEquals(Optional.of(Duration.ofMillis(25)), reconciler.reconcile());
    assertEquals(List.of(SLICE, ENDPOINTS), client.writes, "its failure is backed off from");
    clock.addAndGet(Duration.ofMillis(25).toNanos());
    reconciler.reconcile();
    assertEquals(List.of(SLICE, ENDPOINTS, ENDPOINTS), client.writes);
  }

  @Test
  void honoursWhatTheServerAsksForAlsoAtTheSecondWrite() {
    client.answers.add(new WriteResult.Written());
    client.answers.add(new WriteResult.Failed("429", Optional.of(Duration.ofSeconds(7))));
    assertTrue(reconciler.reconcile().isPresent());
    assertEquals(Optional.of(Duration.ofSeconds(7)), reconciler.reconcile());
    clock.addAndGet(Duration.ofMillis(6_900).toNanos());
    reconciler.reconcile();
    assertEquals(List.of(SLICE, ENDPOINTS), client.writes);
    clock.addAndGet(Duration.ofMillis(100).toNanos());
    reconciler.reconcile();
    assertEquals(List.of(SLICE, ENDPOINTS, ENDPOINTS), client.writes);
  }

  @Test
  void failureOfTheEndpointsObjectDelaysNoSlice() {
    client.answers.add(new WriteResult.Written());
    client.answers.add(new WriteResult.Rejected("403: forbidden"));
    reconciler.reconcile();
    client.source("192.0.2.2");
    reconciler.reconcile();
    assertEquals(List.of(SLICE, ENDPOINTS, "update EndpointSlice apiserver-ipv4"), client.writes);
  }

  @Test
  void repairOfASliceIsNotSlowedDownByTheEndpointsObject() {
    client.answers.add(new WriteResult.Written());
    for (int i = 0; i < 20; i++) {
      client.answers.add(new WriteResult.Rejected("403: forbidden"));
      reconciler.reconcile();
      clock.addAndGet(Duration.ofSeconds(15).toNanos());
    }
    client.writes.clear();
    client.slices.clear();
    reconciler.reconcile();
    assertEquals(SLICE, client.writes.get(0));
  }

  @Test
  void failureOfOneFamilyDoesNotKeepTheOtherFromItsSlice() {
    EndpointSlice ipv4 = client.source.get(0);
    List<Endpoint> ipv6 = List.of(Endpoint.ready("2001:db8::1"));
    client.source =
        List.of(ipv4, new EndpointSlice("ipv6", "IPv6", Map.of(), ipv4.ports(), ipv6, "1"));
    client.answers.add(new WriteResult.Rejected("403: forbidden"));
    reconciler.reconcile();
    assertEquals(List.of(SLICE, "create EndpointSlice apiserver-ipv6"), client.writes);
  }

  @Test
  void leadershipLostBetweenTwoWritesStopsTheSecond() {
    client.afterWrite = () -> certainFor = Duration.ZERO;
    reconciler.reconcile();
    assertEquals(List.of(SLICE), client.writes);
    assertEquals(Optional.empty(), reconciler.reconcile());
    assertEquals(List.of(SLICE), client.writes);
  }

  /** It may go to one apiserver after the other, and none may be asked when the Lease has ended. */
  @Test
  void writeTakesNoLongerThanTheLeaseIsCertainlyOurs() {
    client.afterWrite = () -> certainFor = Duration.ofMillis(800);
    reconciler.reconcile();
    assertEquals(List.of(EndpointsClient.LONGEST_WRITE, Duration.ofMillis(800)), client.timeouts);
  }

  /** Such a write would fail, and the blame would be on the apiserver. */
  @Test
  void writeWithoutTimeForAnAnswerWaitsForTheRenewal() {
    certainFor = Duration.ofMillis(40);
    assertEquals(Optional.of(certainFor), reconciler.reconcile());
    assertEquals(List.of(), client.writes);
    certainFor = AMPLE;
    reconciler.reconcile();
    assertEquals(List.of(SLICE, ENDPOINTS), client.writes);
  }

  /** Each write is seen by the watch, which asks for a sync at once. */
  @Test
  void slowsDownWhenTheSameWritesKeepBeingNeeded() {
    client.keepsWrites = false;
    int syncs = 0;
    while (clock.get() < Duration.ofMinutes(1).toNanos()) {
      Duration planned = reconciler.reconcile().orElseThrow();
      assertTrue(planned.compareTo(RepairPace.LONGEST) <= 0, planned::toString);
      clock.addAndGet(Duration.ofMillis(10).toNanos());
      syncs++;
    }
    assertEquals(6000, syncs);
    long slices = client.writes.stream().filter(SLICE::equals).count();
    assertTrue(slices > 5 && slices <= 22, slices + " writes in a minute");
  }

  @Test
  void slowsDownWhenAnotherOneWritesItsOwnEachTime() {
    int repairs = 0;
    while (clock.get() < Duration.ofMinutes(1).toNanos()) {
      Optional<Duration> unusedRest = reconciler.reconcile();
      if (client.slices.containsKey(AddressFamily.IPV4)) {
        assertEquals(Optional.empty(), reconciler.reconcile(), "it is right now");
        client.slices.clear();
        repairs++;
      }
      clock.addAndGet(Duration.ofMillis(10).toNanos());
    }
    assertTrue(repairs > 5 && repairs <= 22, repairs + " repairs in a minute");
  }

  @Test
  void newContentsAreNotSlowedDown() {
    for (int i = 0; i < 5; i++) {
      client.source("192.0.2." + (i + 1));
      assertEquals(Optional.of(Duration.ZERO), reconciler.reconcile(), "change " + i);
    }
  }

  @Test
  void threadRepairsOnEachChangeAndStops() throws Exception {
    CountDownLatch written = new CountDownLatch(4);
    client.afterWrite = written::countDown;
    try (reconciler) {
      reconciler.start();
      reconciler.trigger();
      while (written.getCount() > 2) {
        Thread.onSpinWait();
      }
      client.source("192.0.2.2");
      client.listener.run();
      assertTrue(written.await(2, TimeUnit.SECONDS), "written");
      assertTrue(reconciler.isAlive());
    }
    assertFalse(reconciler.isAlive());
  }

  @Test
  void nothingIsWrittenBeforeTheStartOrAfterTheEnd() {
    client.listener.run();
    assertEquals(List.of(), client.writes, "not before the start");
    reconciler.start();
    awaitWrites(2);
    reconciler.close();
    client.source("192.0.2.3");
    int before = client.writes.size();
    client.listener.run();
    assertEquals(before, client.writes.size(), "not after the end");
  }

  @Test
  void standbyDoesOneSyncForWhatComesWithin50Milliseconds() {
    certainFor = Duration.ZERO;
    reconciler.start();
    for (int i = 0; i < 5; i++) {
      client.listener.run();
      assertEquals(List.of(), client.reads, "after " + 10 * i + " ms");
      clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(10));
    }
    // The first of them was to be dealt with 50 ms after it had come, the others with it.
    client.listener.run();
    await(() -> !client.reads.isEmpty());
    assertEquals(List.of(), client.writes);
  }

  @Test
  void whatASyncWasToldToWaitForIsWaitedFor() throws Exception {
    client.answers.add(new WriteResult.Rejected("no"));
    reconciler.start();
    reconciler.trigger();
    awaitWrites(1);
    awaitIdle();
    assertEquals(List.of(SLICE), client.writes);
    reconciler.trigger();
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(50);
    while (System.nanoTime() < end) {
      assertEquals(List.of(SLICE), client.writes);
    }
    clock.addAndGet(TimeUnit.SECONDS.toNanos(2));
    reconciler.trigger();
    awaitWrites(3);
  }

  @Test
  void changeDuringASyncIsTakenUpByTheNextOne() throws Exception {
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    client.afterWrite =
        () -> {
          writing.countDown();
          try {
            assertTrue(goOn.await(4, TimeUnit.SECONDS));
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    // After this there is nothing to do for 50 ms of a clock that stands still, but a change.
    client.answers.add(new WriteResult.Conflict());
    reconciler.start();
    reconciler.trigger();
    assertTrue(writing.await(4, TimeUnit.SECONDS));
    client.listener.run(); // Returns at once, though a write is under way.
    goOn.countDown();
    awaitWrites(3);
  }

  private void awaitWrites(int count) {
    await(() -> client.writes.size() >= count);
  }

  /** Waits until the reconciler's thread has done at least one sync, and sleeps. */
  private void awaitIdle() {
    await(
        () ->
            !client.reads.isEmpty()
                && client.reads.get(0).getState() == Thread.State.TIMED_WAITING);
  }

  /** The class has a timeout, which interrupts. */
  private static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      assertFalse(Thread.interrupted(), "too late");
      Thread.onSpinWait();
    }
  }

  private void drain(String annotation) {
    client.service = Optional.of(ServedObjects.service(Drains.of(annotation)));
  }

  private List<String> ready() {
    return listed(Endpoint::ready);
  }

  private List<String> listed(Predicate<Endpoint> wanted) {
    return client.slices.values().stream()
        .flatMap(slice -> slice.endpoints().stream())
        .filter(wanted)
        .map(Endpoint::address)
        .toList();
  }

  @Test
  void drainedMemberIsOutUntilItsTimeIsOver() {
    client.source("192.0.2.1", "192.0.2.2");
    drain("192.0.2.1=2026-01-02T03:04:15Z");
    reconciler.reconcile();
    assertEquals(List.of("192.0.2.2"), ready());
    assertEquals(List.of("192.0.2.1", "192.0.2.2"), listed(endpoint -> true));
    assertEquals(Optional.of(Duration.ofSeconds(10)), reconciler.reconcile());
    assertEquals(
        Map.of(new Member("192.0.2.1", 6443), Instant.parse("2026-01-02T03:04:15Z")),
        reconciler.drained());
    wallClock.time = Instant.parse("2026-01-02T03:04:15Z");
    reconciler.reconcile();
    assertEquals(List.of("192.0.2.1", "192.0.2.2"), ready());
    assertEquals(Map.of(), reconciler.drained());
    assertEquals(
        List.of(
            "MemberDrained 192.0.2.1:6443: 192.0.2.1:6443 is drained until 2026-01-02T03:04:15Z",
            "MemberUndrained 192.0.2.1:6443: 192.0.2.1:6443 is no longer drained: the drain is"
                + " over"),
        events);
  }

  @Test
  void drainIsWithdrawn() {
    client.source("192.0.2.1", "192.0.2.2");
    drain("192.0.2.1=2026-01-02T04:00:00Z");
    reconciler.reconcile();
    drain("");
    reconciler.reconcile();
    assertEquals(List.of("192.0.2.1", "192.0.2.2"), ready());
    assertTrue(
        events.get(1).endsWith("no longer drained: the drain was withdrawn"), events::toString);
  }

  /** A clock that is set is noticed soon. */
  @Test
  void looksNowAndThenWhetherALongDrainIsOver() {
    client.source("192.0.2.1", "192.0.2.2");
    drain("192.0.2.1=2036-01-02T04:00:00Z");
    reconciler.reconcile();
    assertEquals(Optional.of(Duration.ofSeconds(30)), reconciler.reconcile());
  }

  @Test
  void drainOfTheLastReadyMemberIsRefusedInWords() {
    drain("192.0.2.1=2026-01-02T04:00:00Z");
    reconciler.reconcile();
    assertEquals(List.of("192.0.2.1"), ready());
    assertEquals(1, events.size(), events::toString);
    assertTrue(events.get(0).startsWith("Refused DrainOfLastReady: "), events::toString);
    client.source("192.0.2.1", "192.0.2.2");
    reconciler.reconcile();
    assertEquals(List.of("192.0.2.2"), ready());
  }

  @Test
  void entryThatCannotBeReadIsToldAndTheOthersCount() {
    client.source("192.0.2.1", "192.0.2.2");
    drain("192.0.2.1=tomorrow,192.0.2.2=2026-01-02T04:00:00Z");
    reconciler.reconcile();
    assertEquals(List.of("192.0.2.1"), ready());
    assertTrue(
        events.stream().anyMatch(event -> event.startsWith("Refused UnreadableDrain: ")),
        events::toString);
  }

  /** An apiserver that is being upgraded leaves the source, and comes back. */
  @Test
  void drainedMemberThatIsAwayForAWhileIsToldOnce() {
    client.source("192.0.2.1", "192.0.2.2");
    drain("192.0.2.1=2026-01-02T04:00:00Z");
    reconciler.reconcile();
    client.source("192.0.2.2");
    reconciler.reconcile();
    client.source("192.0.2.1", "192.0.2.2");
    reconciler.reconcile();
    assertEquals(List.of("192.0.2.2"), ready());
    assertEquals(1, events.size(), events::toString);
  }
}
