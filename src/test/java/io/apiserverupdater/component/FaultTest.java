package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.sandbox.AuditLog;
import io.apiserverupdater.sandbox.Fault;
import io.apiserverupdater.sandbox.FaultPlan;
import io.apiserverupdater.sandbox.RequestInfo;
import io.apiserverupdater.sandbox.SandboxApiserver;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Everything that an apiserver can answer wrongly. Eight updaters live through all of it, one fault
 * after the other: each kind of call meets the fault in two of them, one that talks to the
 * configured apiserver by the general client and one that probes, and so talks to all directly.
 */
@Tag("component")
class FaultTest {
  /** A loop that spins makes thousands; at first each of six watches may try again at once. */
  private static final int MOST_PER_SECOND = 20;

  private static final int BURST = 100;
  private static final double MOST_CPU = 0.6;
  private static final long MOST_MEBIBYTES = 128;
  private static final long MOST_THREADS = 60;
  private static final long MOST_FILES = 100;

  private static Replicas replicas;
  private static SandboxCluster cluster;
  private static final Map<Calls, List<Lane>> lanes = new EnumMap<>(Calls.class);
  private static int round;

  /** The calls that meet the fault. */
  @SuppressWarnings("ImmutableEnumChecker") // The predicates have no state.
  enum Calls {
    LIST(r -> r.verb().equals("list") && !r.resource().equals("leases")),
    WATCH(r -> r.isWatch() && !r.resource().equals("leases")),
    WRITE(r -> r.isWrite() && !r.resource().equals("leases")),
    LEASE(r -> r.resource().equals("leases"));

    private final Predicate<RequestInfo> calls;

    Calls(Predicate<RequestInfo> calls) {
      this.calls = calls;
    }
  }

  private record Lane(Calls calls, String user, String namespace, UpdaterProcess updater) {
    static Lane start(Calls calls, String healthCheck) {
      String user = Replicas.fresh("updater");
      String namespace = replicas.namespace();
      List<String> flags = new ArrayList<>();
      flags.add("--apiserver-failover");
      flags.add("--health-check=" + healthCheck);
      // Nothing here is about late answers to probes: who gives them again and again is kept out.
      flags.add("--probe-timeout=5s");
      if (calls == Calls.LEASE) {
        flags.addAll(List.of("--lease-duration=2s", "--renew-deadline=1s", "--retry-period=300ms"));
      } else {
        flags.add("--leader-elect=false");
      }
      return new Lane(
          calls, user, namespace, replicas.replica(user, namespace, flags.toArray(new String[0])));
    }

    /** Whether it is a request that the fault is for. */
    boolean meets(RequestInfo request) {
      return request.user().equals(user) && calls.calls.test(request);
    }

    @Override
    public String toString() {
      return calls + " of " + user;
    }
  }

  /** A fault, how long it lasts, and the calls in which it keeps nobody from the work. */
  record Row(String name, Fault fault, Duration lasts, Set<Calls> calls, Set<Calls> harmless) {
    static Row of(String name, Fault fault) {
      return new Row(
          name,
          fault,
          Duration.ofSeconds(1),
          EnumSet.allOf(Calls.class),
          EnumSet.noneOf(Calls.class));
    }

    Row lasting(Duration time) {
      return new Row(name, fault, time, calls, harmless);
    }

    Row only(Calls first, Calls... more) {
      return new Row(name, fault, lasts, EnumSet.of(first, more), harmless);
    }

    Row harmlessFor(Calls first, Calls... more) {
      return new Row(name, fault, lasts, calls, EnumSet.of(first, more));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Row> faults() {
    return Stream.of(
        Row.of("404", Fault.status(404)),
        Row.of("409", Fault.status(409)).only(Calls.WRITE, Calls.LEASE),
        Row.of("410", Fault.status(410)),
        Row.of("429", Fault.status(429)),
        Row.of("429 with Retry-After", Fault.tooManyRequests(1)),
        Row.of("500", Fault.status(500)),
        Row.of("503", Fault.status(503)),
        Row.of("504", Fault.status(504)),
        Row.of("504 Too large resource version", Fault.tooLargeResourceVersion()),
        Row.of("cut before the headers", new Fault.CutBeforeHeaders()),
        Row.of("cut after the headers", new Fault.CutAfterHeaders())
            .harmlessFor(Calls.WRITE), // It has landed, and is read again.
        Row.of("cut in the body", new Fault.CutInBody()).harmlessFor(Calls.WRITE),
        Row.of("answer lost", new Fault.AnswerLost()).harmlessFor(Calls.WRITE),
        Row.of("empty watch", new Fault.EmptyWatch()).only(Calls.WATCH, Calls.LEASE),
        Row.of("watch ends after one event", new Fault.WatchEndsAfter(1))
            .only(Calls.WATCH, Calls.LEASE)
            .harmlessFor(Calls.WATCH, Calls.LEASE),
        Row.of("watch expired", Fault.expiredWatch()).only(Calls.WATCH, Calls.LEASE),
        Row.of("only bookmarks", new Fault.OnlyBookmarks()).only(Calls.WATCH, Calls.LEASE),
        Row.of("malformed JSON", new Fault.MalformedJson()),
        Row.of("a page for people", new Fault.HtmlPage()),
        Row.of("unknown fields", new Fault.UnknownFields())
            .harmlessFor(Calls.LIST, Calls.WATCH, Calls.WRITE, Calls.LEASE),
        Row.of("null lists", new Fault.NullLists()),
        // At first some twenty come at once, a megabyte read of each; who spins goes on after that.
        Row.of("10 MB", Fault.tenMegabytes()).lasting(Duration.ofSeconds(4)),
        Row.of("late", new Fault.AnsweredLate(Duration.ofMillis(300)))
            .harmlessFor(Calls.LIST, Calls.WATCH, Calls.WRITE),
        Row.of("never answered", new Fault.NeverAnswered()).lasting(Duration.ofSeconds(7)));
  }

  @BeforeAll
  static void start() {
    cluster = SandboxCluster.start();
    replicas = new Replicas(cluster);
    for (Calls calls : Calls.values()) {
      lanes.put(calls, List.of(Lane.start(calls, "off"), Lane.start(calls, "readyz")));
    }
    all().forEach(lane -> replicas.awaitMirrored(lane.namespace(), addresses()));
  }

  @AfterAll
  static void end() {
    replicas.close();
  }

  private static List<String> addresses() {
    return cluster.runningAddresses();
  }

  /**
   * The next of four states of the source: all addresses, or all but one. Where writes have failed
   * the target still has the one of three changes ago, so with three it would be right by accident.
   */
  private static List<String> changeSource() {
    List<String> next = new ArrayList<>(addresses());
    int leftOut = round++ % (next.size() + 1);
    if (leftOut < next.size()) {
      next.remove(leftOut);
    }
    cluster.source().set(next.toArray(new String[0]));
    return next;
  }

  private record Usage(int requests, Duration cpu) {
    static Usage of(Lane lane) {
      return new Usage(
          (int)
              replicas.requests(lane.user(), System.nanoTime() - TimeUnit.HOURS.toNanos(1)).stream()
                  .filter(entry -> !entry.request().path().equals("/readyz"))
                  .count(),
          lane.updater().cpuTime());
    }
  }

  @ParameterizedTest
  @MethodSource("faults")
  void survives(Row row) {
    Map<Lane, Usage> before = new HashMap<>();
    Map<Lane, FaultPlan.Rule> rules = new HashMap<>();
    for (Lane lane : of(row.calls())) {
      rules.put(lane, cluster.faults().always(lane::meets, row.fault()));
      before.put(lane, Usage.of(lane));
    }
    long start = System.nanoTime();
    cluster.apiservers().forEach(SandboxApiserver::breakConnections);
    List<String> during = changeSource();
    for (Lane lane : of(row.harmless())) {
      replicas.awaitMirrored(lane.namespace(), during);
    }
    rules.forEach(
        (lane, rule) -> replicas.await(lane.namespace(), lane + " struck", () -> rule.hits() > 0));
    Duration left = row.lasts().minusNanos(System.nanoTime() - start);
    if (!left.isNegative()) {
      cluster.awaitNever("an updater ends", left, () -> !allLive());
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    List<String> excesses = new ArrayList<>();
    before.forEach(
        (lane, usage) -> {
          Usage now = Usage.of(lane);
          int requests = now.requests() - usage.requests();
          double cpu = now.cpu().minus(usage.cpu()).toNanos() / 1e9 / seconds;
          UpdaterProcess updater = lane.updater();
          long mebibytes = updater.residentMebibytes();
          String found =
              "%s: %d requests and %.0f %% CPU in %.1f s, %d MiB, %d threads, %d files"
                  .formatted(
                      lane,
                      requests,
                      100 * cpu,
                      seconds,
                      mebibytes,
                      updater.threads(),
                      updater.openFiles());
          if (requests > BURST + MOST_PER_SECOND * seconds
              || cpu > MOST_CPU
              || mebibytes > MOST_MEBIBYTES
              || updater.threads() > MOST_THREADS
              || updater.openFiles() > MOST_FILES) {
            excesses.add(found);
          }
        });

    cluster.faults().clearAll();
    // Streams that a fault has spoilt from their start stay spoilt.
    cluster.apiservers().forEach(SandboxApiserver::breakConnections);
    List<String> after = changeSource();
    all().forEach(lane -> replicas.awaitMirrored(lane.namespace(), after));
    for (Lane lane : of(Set.of(Calls.LEASE))) {
      cluster.awaitTrue(
          "somebody leads",
          () -> cluster.leaseHolder(lane.namespace(), "apiserver-updater").startsWith(lane.user()));
    }
    assertTrue(allLive());
    assertEquals(List.of(), excesses);
  }

  @Test
  void heedsRetryAfterAlsoWhenThereIsNewsInTheMeantime() {
    Duration asked = Duration.ofSeconds(2);
    List<FaultPlan.Rule> rules = new ArrayList<>();
    for (Lane lane : of(Set.of(Calls.WRITE, Calls.WATCH))) {
      rules.add(
          cluster
              .faults()
              .always(
                  r -> lane.meets(r) && (r.isWrite() || r.resource().equals("services")),
                  Fault.tooManyRequests((int) asked.toSeconds())));
    }
    cluster.apiservers().forEach(SandboxApiserver::breakConnections);
    // An answer of before may have been cut.
    long start = System.nanoTime();
    changeSource();
    cluster.awaitTrue("turned down", () -> rules.stream().allMatch(rule -> rule.hits() > 0));
    changeSource();
    cluster.awaitTrue("tried again", () -> rules.stream().allMatch(rule -> rule.hits() > 2));
    cluster.faults().clearAll();
    of(Set.of(Calls.WRITE, Calls.WATCH)).forEach(lane -> assertHeeds(asked, lane, start));
    List<String> after = changeSource();
    all().forEach(lane -> replicas.awaitMirrored(lane.namespace(), after));
  }

  @Test
  void heedsRetryAfterAlsoWhenTheOtherApiserversBreakOff() {
    Duration asked = Duration.ofSeconds(2);
    List<String> members = addresses();
    cluster.source().set(members.toArray(new String[0]));
    all().forEach(lane -> replicas.awaitMirrored(lane.namespace(), members));
    String busy = cluster.apiserver(1).name();
    List<FaultPlan.Rule> rules = new ArrayList<>();
    for (Lane lane : of(Set.of(Calls.WATCH))) {
      Predicate<RequestInfo> watch = r -> lane.meets(r) && r.resource().equals("services");
      Predicate<RequestInfo> atBusy = r -> r.apiserver().equals(busy);
      rules.add(
          cluster
              .faults()
              .always(watch.and(atBusy), Fault.tooManyRequests((int) asked.toSeconds())));
      cluster.faults().always(watch.and(atBusy.negate()), new Fault.CutBeforeHeaders());
    }
    cluster.apiservers().forEach(SandboxApiserver::breakConnections);
    // As above.
    long start = System.nanoTime();
    cluster.awaitTrue("tried again", () -> rules.stream().allMatch(rule -> rule.hits() > 2));
    cluster.faults().clearAll();
    of(Set.of(Calls.WATCH)).forEach(lane -> assertHeeds(asked, lane, start));
    List<String> after = changeSource();
    all().forEach(lane -> replicas.awaitMirrored(lane.namespace(), after));
  }

  /**
   * How long one is to be spared says nothing of the next one, even if that fails at first. The
   * updaters are new: those that have lived through the other faults wait longer after one more,
   * and may find at the next change but two that there is nothing to write.
   */
  @ParameterizedTest
  @MethodSource("callsAndHealthChecks")
  void asksAnotherApiserverWhenOneIsTooBusy(Calls calls, String healthCheck) throws Exception {
    Lane lane = Lane.start(calls, healthCheck);
    List<String> before = changeSource();
    replicas.awaitMirrored(lane.namespace(), before);
    // Of the reads those of the source: nothing is mirrored without it.
    Predicate<RequestInfo> meets =
        r ->
            lane.meets(r)
                && (r.isWrite() || calls == Calls.LEASE || r.namespace().equals("default"));
    Duration longer = SOON.multipliedBy(2);
    FaultPlan.Rule busy =
        cluster.faults().next(1, meets, Fault.tooManyRequests((int) longer.toSeconds()));
    FaultPlan.Rule failing =
        cluster
            .faults()
            .next(2, r -> meets.test(r) && busy.hits() > 0, new Fault.CutBeforeHeaders());
    if (calls == Calls.LIST || calls == Calls.WATCH) {
      cluster.apiservers().forEach(SandboxApiserver::breakConnections);
    }
    List<String> now = changeSource();
    replicas.await(lane.namespace(), lane + " turned down", () -> failing.hits() > 0);
    replicas.awaitMirrored(lane.namespace(), now);
    lane.updater().kill();
  }

  static Stream<Arguments> callsAndHealthChecks() {
    return Stream.of(Calls.values())
        .flatMap(calls -> Stream.of("off", "readyz").map(check -> Arguments.of(calls, check)));
  }

  /**
   * Each apiserver for itself: the next one may be idle. And each resource: what an apiserver says
   * to a write of the Endpoints object, of the last change perhaps, must not hold the slices up.
   */
  private static void assertHeeds(Duration asked, Lane lane, long since) {
    Map<List<String>, AuditLog.Entry> last = new HashMap<>();
    for (AuditLog.Entry entry : replicas.requests(lane.user(), since)) {
      List<String> asker = List.of(entry.request().apiserver(), entry.request().resource());
      AuditLog.Entry before = entry.status() == 429 ? last.put(asker, entry) : null;
      if (before != null) {
        Duration between = Duration.ofNanos(entry.nanoTime() - before.nanoTime());
        assertTrue(
            between.compareTo(asked.minusMillis(100)) > 0,
            () -> lane + " tried again after " + between + ":\n" + before + "\n" + entry);
      }
    }
  }

  private static boolean allLive() {
    return all().stream().allMatch(lane -> lane.updater().isAlive());
  }

  private static List<Lane> all() {
    return of(EnumSet.allOf(Calls.class));
  }

  private static List<Lane> of(Set<Calls> calls) {
    return lanes.entrySet().stream()
        .filter(entry -> calls.contains(entry.getKey()))
        .flatMap(entry -> entry.getValue().stream())
        .toList();
  }
}
