package io.apiserverupdater.updater.controller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.probe.ProbeResult;
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
import io.apiserverupdater.updater.endpoints.ServedObjects;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.events.EventRecorder;
import io.apiserverupdater.updater.readiness.ProbePolicy;
import io.apiserverupdater.updater.readiness.ReadinessTracker;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Random probe results, changes of the members and turns of the leadership, in stepped time. Two
 * replicas see the same apiservers, each by probes of its own, and write to one API server.
 */
class HealthGateModelTest {
  private static final int SEEDS = 100;
  private static final int STEPS = 400;
  private static final long STEP = Duration.ofMillis(100).toNanos();
  private static final ProbePolicy POLICY =
      new ProbePolicy(Duration.ofMillis(300), Duration.ofMillis(350), 2, 2);

  /** How an apiserver is. */
  private enum Condition {
    WELL,
    NOT_READY,
    DEAD,
    SILENT
  }

  private static final List<Condition> CONDITIONS = List.of(Condition.values());

  /** The API server's objects, and who may write them. */
  private static final class World {
    final Random random;
    boolean losesProbes;
    final Map<String, Condition> apiservers = new HashMap<>();
    final Set<String> source = new TreeSet<>();
    final Map<AddressFamily, EndpointSlice> slices = new EnumMap<>(AddressFamily.class);
    Optional<Endpoints> endpoints = Optional.empty();
    long now;
    long version;
    int leader;
    int writes;
    boolean published;
    Drains drains = Drains.NONE;

    World(int seed, boolean losesProbes) {
      this.random = new Random(seed);
      this.losesProbes = losesProbes;
      now = random.nextLong();
      for (int i = 1; i <= 3; i++) {
        join("192.0.2." + i);
      }
    }

    void join(String address) {
      source.add(address);
      apiservers.put(address, Condition.WELL);
    }

    /** Something happens, or nothing. */
    void happen() {
      List<String> members = new ArrayList<>(source);
      String one = members.get(random.nextInt(members.size()));
      switch (random.nextInt(20)) {
        case 0, 1, 2 -> apiservers.put(one, CONDITIONS.get(random.nextInt(CONDITIONS.size())));
        case 3 -> members.forEach(member -> apiservers.put(member, Condition.WELL));
        case 4 -> {
          Condition all = CONDITIONS.get(random.nextInt(CONDITIONS.size()));
          members.forEach(member -> apiservers.put(member, all));
        }
        case 5 -> join("192.0.2." + (1 + random.nextInt(9)));
        case 6 -> {
          if (members.size() > 1) {
            source.remove(one);
          }
        }
        case 7 -> leader = random.nextInt(3); // 2: nobody leads.
        case 8 ->
            drains =
                random.nextBoolean()
                    ? drains.without(one, Instant.EPOCH)
                    : drains.with(new Drains.Drain(one, Instant.MAX), Instant.EPOCH);
        default -> {
          // All stays as it is.
        }
      }
    }

    ProbeResult probe(String address) {
      // Now and then a probe is lost.
      Condition condition =
          losesProbes && random.nextInt(50) == 0
              ? Condition.SILENT
              : apiservers.getOrDefault(address, Condition.DEAD);
      return switch (condition) {
        case WELL -> new ProbeResult.Ready();
        case NOT_READY -> new ProbeResult.NotReady(500, List.of());
        case DEAD -> new ProbeResult.Unreachable(ProbeResult.Reason.REFUSED, "refused");
        case SILENT -> new ProbeResult.Unreachable(ProbeResult.Reason.CONNECT_TIMEOUT, "silent");
      };
    }

    ObservedState observed() {
      List<Endpoint> members = source.stream().map(Endpoint::ready).toList();
      return new ObservedState(
          List.of(ServedObjects.source(members)),
          Optional.of(ServedObjects.service(drains)),
          slices,
          endpoints);
    }

    /** Takes a write as the API server does, and holds it against what must always be true. */
    void write(int replica, Change change) {
      assertEquals(leader, replica, "a write without the Lease");
      version++;
      writes++;
      List<Endpoint> written;
      DesiredObject desired = change.desired().orElseThrow();
      if (desired instanceof DesiredObject.Slice slice) {
        written = slice.endpoints();
        slices.put(
            slice.family(),
            new EndpointSlice(
                slice.name(),
                "IPv4",
                slice.labels(),
                slice.ports(),
                shuffled(slice.endpoints()),
                Long.toString(version)));
      } else {
        DesiredObject.LegacyEndpoints legacy = (DesiredObject.LegacyEndpoints) desired;
        written = legacy.subset().endpoints();
        endpoints = Optional.of(ServedObjects.written(legacy, Long.toString(version)));
      }
      published = true;
      assertTrue(written.stream().anyMatch(Endpoint::ready), "an empty target");
      for (Endpoint endpoint : written) {
        assertTrue(source.contains(endpoint.address()), "not a member: " + endpoint);
      }
    }

    private <T> List<T> shuffled(List<T> list) {
      List<T> copy = new ArrayList<>(list);
      Collections.shuffle(copy, random);
      return copy;
    }
  }

  /** One replica: its probes, without threads, and its reconciler. */
  private static final class Replica implements MemberHealths, EndpointsClient {
    final World world;
    final int number;
    final Map<Member, ReadinessTracker> trackers = new HashMap<>();
    final EndpointsReconciler reconciler;

    Replica(World world, int number) {
      this.world = world;
      this.number = number;
      this.reconciler =
          new EndpointsReconciler(
              new MirrorRule(
                  "default/kubernetes", new TargetName("kube-system", "apiserver"), true),
              this,
              this,
              () -> world.leader == number ? Duration.ofSeconds(3) : Duration.ZERO,
              EventRecorder.NONE,
              () -> world.now,
              Clock.fixed(Instant.EPOCH, ZoneOffset.UTC),
              () -> 0,
              new DirectExecutor());
    }

    void step() {
      trackers.forEach(
          (member, tracker) -> {
            do {
              tracker.observe(world.probe(member.address()), world.now);
            } while (tracker.wantsConfirmation());
          });
      reconciler.reconcile();
    }

    @Override
    public void follow(Set<Member> members) {
      trackers.keySet().retainAll(members);
      members.forEach(
          member -> trackers.computeIfAbsent(member, key -> new ReadinessTracker(POLICY)));
    }

    @Override
    public MemberHealth of(Member member) {
      return Objects.requireNonNull(trackers.get(member)).health();
    }

    @Override
    public Optional<ObservedState> observed() {
      return Optional.of(world.observed());
    }

    @Override
    public WriteResult apply(Change change, Duration timeout) {
      world.write(number, change);
      return new WriteResult.Written();
    }

    @Override
    public void reread() {}

    @Override
    public void onChange(Runnable listener) {}
  }

  private static Set<String> readyIn(World world) {
    return world.slices.values().stream()
        .flatMap(slice -> slice.endpoints().stream())
        .filter(Endpoint::ready)
        .map(Endpoint::address)
        .collect(Collectors.toSet());
  }

  private static void run(World world, List<Replica> replicas, int steps) {
    for (int step = 0; step < steps; step++) {
      replicas.forEach(Replica::step);
      world.now += STEP;
    }
  }

  @Test
  void invariantsHoldWhateverHappens() {
    for (int seed = 0; seed < SEEDS; seed++) {
      World world = new World(seed, true);
      List<Replica> replicas = List.of(new Replica(world, 0), new Replica(world, 1));
      for (int step = 0; step < STEPS; step++) {
        world.happen();
        // Whoever is later decides on what the other has written.
        replicas.get(step % 2).step();
        replicas.get(1 - step % 2).step();
        world.now += STEP;
        assertFalse(world.published && readyIn(world).isEmpty(), "seed " + seed);
      }
      // In the end all is well, and stays so for long enough.
      world.losesProbes = false;
      world.drains = Drains.NONE;
      world.source.forEach(member -> world.apiservers.put(member, Condition.WELL));
      world.leader = 1;
      run(world, replicas, 300);
      assertEquals(Set.copyOf(world.source), readyIn(world), "seed " + seed);
    }
  }

  /** The first act of a new leader, with everything known to it, is one correct write or none. */
  @Test
  void newLeaderWritesOnceOrNotAtAll() {
    for (int seed = 0; seed < SEEDS; seed++) {
      World world = new World(seed, false);
      List<Replica> replicas = List.of(new Replica(world, 0), new Replica(world, 1));
      run(world, replicas, 5);
      assertEquals(world.source, new TreeSet<>(readyIn(world)));
      boolean dies = world.random.nextBoolean();
      world.leader = 2;
      if (dies) {
        world.apiservers.put("192.0.2.2", Condition.DEAD);
      }
      run(world, replicas, 20);
      int before = world.writes;
      world.leader = 1;
      run(world, replicas, 20);
      // The slice and the Endpoints.
      assertEquals(dies ? 2 : 0, world.writes - before, "seed " + seed);
      assertEquals(dies ? 2 : 3, readyIn(world).size(), "seed " + seed);
    }
  }

  @Test
  void flappingApiserverCausesFewWritesAndEndsUpOut() {
    for (int periodSteps : List.of(4, 10, 20)) {
      World world = new World(1, false);
      Replica leader = new Replica(world, 0);
      int steps = 600;
      for (int step = 0; step < steps; step++) {
        boolean down = step % periodSteps < periodSteps / 2;
        world.apiservers.put("192.0.2.2", down ? Condition.DEAD : Condition.WELL);
        leader.step();
        world.now += STEP;
      }
      // In a minute, slice and Endpoints counted: one in 5 s.
      assertTrue(world.writes <= 12, world.writes + " writes, each " + periodSteps + " steps");
      assertFalse(readyIn(world).contains("192.0.2.2"));
    }
  }
}
