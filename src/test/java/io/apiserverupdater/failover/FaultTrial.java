package io.apiserverupdater.failover;

import com.google.gson.JsonObject;
import io.apiserverupdater.failover.Observation.Service;
import io.apiserverupdater.failover.Observation.Stream;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.ObjectWatch;
import io.apiserverupdater.lab.PublishedAddresses;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.Worker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Lets one fault happen, observes, heals it, and observes the return. */
public final class FaultTrial {
  private static final Duration QUIET = Duration.ofSeconds(4);
  private static final Duration RETURN_LIMIT = Duration.ofSeconds(20);
  private static final Duration LEAD_IN = Duration.ofSeconds(1);

  private final FailoverCluster cluster;
  private final MatrixRow row;
  private final Observation observation;
  private final Random random;
  private final Duration longest;

  /**
   * A trial that lasts as long as the row says.
   *
   * @param random by how much the fault comes after all is well
   */
  public FaultTrial(
      FailoverCluster cluster, MatrixRow row, Observation observation, Random random) {
    this(cluster, row, observation, random, row.setting().most());
  }

  /**
   * The same, but the fault is healed early.
   *
   * @param longest after which it is healed even if requests go on failing, unless the row asks for
   *     more
   */
  public FaultTrial(
      FailoverCluster cluster,
      MatrixRow row,
      Observation observation,
      Random random,
      Duration longest) {
    this.cluster = cluster;
    this.row = row;
    this.observation = observation;
    this.random = random;
    this.longest = longest;
  }

  /**
   * A round with the requests behind it.
   *
   * @param faultNanos when it happened, by {@link System#nanoTime}
   * @param healNanos when it began to be healed
   * @param streams the requests from shortly before the fault until it began to be healed
   */
  public record Outcome(
      Round round, long faultNanos, long healNanos, Map<Stream, List<Traffic.Sample>> streams) {}

  /** Waits until all is well, then does it. Rounds count from 0: the control planes take turns. */
  public Outcome run(int number) {
    MatrixRow.Setting setting = row.setting();
    cluster.awaitWhole();
    List<ControlPlaneHost> all = cluster.lab().controlPlanes();
    ControlPlaneHost target = row.fault().choose(cluster, all.get(number % all.size()));
    ControlPlaneHost other = all.get((all.indexOf(target) + 1) % all.size());
    row.fault().prepare(cluster, target);
    switch (setting.proxies()) {
      case ELSEWHERE -> cluster.attachProxies(other);
      case ATTACHED -> cluster.attachNewProxies(target);
      case ANYWHERE -> {}
    }
    forgetDeadConnections();
    observation.awaitGood(names(all), FailoverCluster.SOON);
    List<Long> pids = cluster.updaters().stream().map(updater -> updater.pod().pid()).toList();
    // Not in step with the probes, the renewals of the Lease or the requests.
    Pause.of(Duration.ofMillis(200 + random.nextInt(1000)));

    try (ObjectWatch watch =
        cluster
            .lab()
            .admin()
            .at(other.address())
            .watch(
                FailoverCluster.SLICES + "?fieldSelector=metadata.name%3D" + FailoverCluster.SLICE,
                "")) {
      Optional<ObjectWatch.Event> unusedFirst = watch.next(FailoverCluster.SOON);
      double load = load();
      Instant at = Instant.now();
      long fault = System.nanoTime();
      Fault.Remedy remedy = row.fault().inject(cluster, target);
      if (setting.untilUnready()) {
        Deadline.in(FailoverCluster.SOON)
            .await("another answer than 200 of " + target.name(), () -> !target.ready());
        at = Instant.now();
        fault = System.nanoTime();
      }
      Pause.of(setting.least());
      Duration most = longest.compareTo(setting.most()) < 0 ? longest : setting.most();
      observation.awaitQuiet(QUIET, most.minus(setting.least()));
      long heal = System.nanoTime();
      remedy.heal();
      Optional<Return> returned =
          setting.returns() ? Optional.of(awaitReturn(target, heal)) : Optional.empty();
      int restarts = restarts(pids);
      cluster.reviveUpdaters();
      // A request that began before the end may take its whole patience.
      Pause.of(Duration.ofSeconds(1));
      return outcome(target, at, load, fault, heal, watch, remedy, returned, restarts);
    }
  }

  /**
   * An attempt to connect that nobody answered stays in the kernel's table of connections for 120
   * s, a connection that was reset for 10 s, unless the worker is set otherwise. Both lead a client
   * that takes the same port again to the same control plane, whatever the rules say by then. One
   * of an earlier round would count in this one.
   */
  private void forgetDeadConnections() {
    for (Worker worker : cluster.lab().workers()) {
      for (String state : List.of("SYN_SENT", "CLOSE")) {
        // Fails when there is none.
        Execution unusedResult =
            worker.host().run("conntrack", "-D", "-p", "tcp", "--state", state);
      }
    }
  }

  private Outcome outcome(
      ControlPlaneHost target,
      Instant at,
      double load,
      long fault,
      long heal,
      ObjectWatch watch,
      Fault.Remedy remedy,
      Optional<Return> returned,
      int restarts) {
    Map<Stream, List<Traffic.Sample>> streams = new HashMap<>();
    for (Stream stream : observation.streams()) {
      List<Traffic.Sample> samples =
          stream.traffic().samplesSince(fault - LEAD_IN.toNanos()).stream()
              .filter(sample -> sample.startNanos() < heal)
              .toList();
      streams.put(stream, samples);
    }
    Instant healed = at.plusNanos(heal - fault);
    List<Instant> writes =
        cluster.sliceWrites(at).stream()
            .map(entry -> entry.received())
            .filter(received -> received.isBefore(healed))
            .toList();
    SliceHistory history = SliceHistory.drain(watch, fault, heal);
    int failuresOnReturn =
        observation.through(Service.APISERVER).stream()
            .mapToInt(stream -> stream.traffic().failuresSince(heal).size())
            .sum();
    Round round =
        new Round(
            target.name(),
            at,
            load,
            observation.ways(fault, heal),
            writes.stream().mapToDouble(write -> millis(at, write)).findFirst(),
            history.withoutMillis(target.address()),
            writes.size(),
            history.least(State::ready).orElseGet(() -> cluster.readyAddresses().size()),
            history.least(State::listed).orElseGet(() -> cluster.addresses().size()),
            returned.stream().mapToDouble(Return::listedMillis).findFirst(),
            returned.stream().mapToDouble(Return::answeredMillis).findFirst(),
            failuresOnReturn,
            restarts,
            observation.unanswered(namesOfOthers(target), fault, heal),
            remedy instanceof RestartLoop loop
                ? OptionalDouble.of(longestLoss(target.name(), loop.deaths(), heal))
                : OptionalDouble.empty(),
            (heal - fault) / 1e6);
    return new Outcome(round, fault, heal, streams);
  }

  private static double millis(Instant from, Instant until) {
    return Duration.between(from, until).toNanos() / 1e6;
  }

  /**
   * How the target came back.
   *
   * @param listedMillis from 200 on its /readyz until the apiservers listed it
   * @param answeredMillis from then until each client had an answer from it
   */
  private record Return(double listedMillis, double answeredMillis) {}

  private Return awaitReturn(ControlPlaneHost target, long heal) {
    target.awaitReady();
    long ready = System.nanoTime();
    cluster.awaitListed(target);
    long listed = System.nanoTime();
    long last = listed;
    for (Stream stream : observation.through(Service.APISERVER)) {
      try {
        stream
            .traffic()
            .await(
                "an answer from " + target.name(),
                all -> firstAnswer(all, target, heal).isPresent(),
                RETURN_LIMIT);
        last = Math.max(last, firstAnswer(stream.traffic().samples(), target, heal).orElseThrow());
      } catch (LabException e) {
        return new Return((listed - ready) / 1e6, RETURN_LIMIT.toMillis());
      }
    }
    return new Return((listed - ready) / 1e6, (last - listed) / 1e6);
  }

  private static Optional<Long> firstAnswer(
      List<Traffic.Sample> samples, ControlPlaneHost target, long heal) {
    return samples.stream()
        .filter(sample -> sample.ok() && sample.startNanos() >= heal)
        .filter(sample -> sample.server().equals(target.name()))
        .map(Traffic.Sample::startNanos)
        .min(Long::compare);
  }

  /** Updaters that are another process than before, or dead, and were not killed by the fault. */
  private int restarts(List<Long> before) {
    if (row.fault() == Fault.LEADER_KILL || row.fault() == Fault.LEADER_AND_APISERVER_KILL) {
      return 0;
    }
    int count = 0;
    for (int i = 0; i < before.size(); i++) {
      Updater updater = cluster.updaters().get(i);
      if (!updater.pod().alive() || updater.pod().pid() != before.get(i)) {
        count++;
      }
    }
    return count;
  }

  /** From a death to the last request that failed before the next one, at worst. */
  private double longestLoss(String target, List<Long> deaths, long heal) {
    double longest = 0;
    for (int i = 0; i < deaths.size(); i++) {
      long death = deaths.get(i);
      long next = i + 1 < deaths.size() ? deaths.get(i + 1) : heal;
      for (Stream stream : observation.through(Service.APISERVER)) {
        for (Traffic.Sample failure : stream.traffic().failuresSince(death)) {
          // What another control plane answered was not lost to this one.
          boolean elsewhere = !Set.of(target, "-").contains(failure.server());
          if (failure.startNanos() < next && !elsewhere) {
            longest = Math.max(longest, (failure.startNanos() - death) / 1e6);
          }
        }
      }
    }
    return longest;
  }

  /** Of those that were not hit; one that was replaced is no longer listed. */
  private Set<String> namesOfOthers(ControlPlaneHost target) {
    Set<String> names = names(cluster.lab().controlPlanes());
    names.remove(target.name());
    return names;
  }

  private static Set<String> names(List<ControlPlaneHost> hosts) {
    return new HashSet<>(hosts.stream().map(ControlPlaneHost::name).collect(Collectors.toSet()));
  }

  /** The mean number of runnable processes in the last minute. */
  static double load() {
    try {
      return Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ", -1)[0]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One state of the slice, with the time after the fault in ms at which a watcher saw it. */
  private record State(double millis, Set<String> ready, Set<String> listed) {}

  /** What a watcher saw of the slice, by time. */
  private record SliceHistory(List<State> states) {
    static SliceHistory drain(ObjectWatch watch, long fault, long heal) {
      List<State> states = new ArrayList<>();
      Optional<ObjectWatch.Event> event = watch.next(Duration.ZERO);
      while (event.isPresent()) {
        JsonObject object = event.get().object();
        boolean inTime = event.get().seenNanos() >= fault && event.get().seenNanos() < heal;
        if (inTime && event.get().type().equals("MODIFIED")) {
          states.add(
              new State(
                  (event.get().seenNanos() - fault) / 1e6,
                  PublishedAddresses.ready(object),
                  PublishedAddresses.listed(object)));
        }
        event = watch.next(Duration.ZERO);
      }
      return new SliceHistory(states);
    }

    OptionalDouble withoutMillis(String address) {
      return states.stream()
          .filter(state -> !state.ready().contains(address))
          .mapToDouble(State::millis)
          .findFirst();
    }

    Optional<Integer> least(Function<State, Set<String>> which) {
      return states.stream().map(state -> which.apply(state).size()).min(Integer::compare);
    }
  }
}
