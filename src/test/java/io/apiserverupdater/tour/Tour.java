package io.apiserverupdater.tour;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.PublishedAddresses;
import io.apiserverupdater.sandbox.Json;
import io.apiserverupdater.tour.Follower.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The updater at work, in acts. Everything that is told was read from the API or measured; a step
 * that does not happen in time ends the tour with an exception. Used by one thread.
 */
final class Tour {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final String SERVICE = "/api/v1/namespaces/kube-system/services/apiserver";
  private static final String ENDPOINTS = "/api/v1/namespaces/kube-system/endpoints/apiserver";
  private static final String SLICES = "/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices";
  private static final String LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";

  private final Backstage backstage;
  private final Stage stage;
  private final Release release;
  private final Timeline timeline;
  private final Follower source;
  private final Follower target;
  private final Follower lease;
  private final List<Stage.Member> members;
  private final Duration started;
  private final List<Replica> replicas = new ArrayList<>();

  private record Act(String title, Runnable play) {}

  private Tour(
      Backstage backstage,
      Stage stage,
      Release release,
      Timeline timeline,
      List<Stage.Member> members,
      Duration started) {
    this.backstage = backstage;
    this.stage = stage;
    this.release = release;
    this.timeline = timeline;
    this.members = members;
    this.started = started;
    this.source = follow(SLICES.formatted("default"), "kubernetes");
    this.target = follow(SLICES.formatted("kube-system"), "apiserver-ipv4");
    this.lease = follow(LEASES, "apiserver-updater");
  }

  /** Starts the control planes of a stage; from then on the tour watches what happens there. */
  static Tour begin(Backstage backstage, Stage stage, Release release, Timeline timeline) {
    timeline.act("The control planes start");
    long start = System.nanoTime();
    List<Stage.Member> members = stage.start();
    return new Tour(backstage, stage, release, timeline, members, since(start));
  }

  private Follower follow(String collection, String name) {
    return backstage.own(() -> Follower.start(stage.api(), collection, name));
  }

  /** Plays all acts. */
  void play() {
    controlPlanesStarted();
    for (Act act :
        List.of(
            new Act("What would the updater do? (a dry run writes nothing)", () -> dryRun(false)),
            new Act("Two replicas start, one leads", this::replicasStart),
            new Act("A control plane leaves and returns", this::controlPlaneLeavesAndReturns),
            new Act("The leader is killed, and somebody edits the slice", this::leaderIsKilled),
            new Act("The leader is stopped, as in a rollout", this::leaderIsStopped))) {
      timeline.act(act.title());
      act.play().run();
    }
    stage
        .node(backstage, timeline)
        .ifPresent(
            node -> {
              timeline.act("A node boots, before and after kube-proxy has rules");
              node.run();
            });
    timeline.summary();
  }

  private void controlPlanesStarted() {
    timeline.say(
        stage.name(),
        members.stream()
                .map(member -> member.name() + " " + member.address())
                .collect(Collectors.joining(", "))
            + ": ready",
        started);
    Version published =
        source.awaitNow("all control planes in the source", this::listsAllMembers, SOON);
    timeline.say(
        "source",
        "default/kubernetes lists " + addresses(published) + ", port " + ports(published));
    stage.install();
    JsonObject service = stage.api().get(SERVICE);
    timeline.say(
        "admin",
        "created the Service kube-system/apiserver: no selector, cluster IP "
            + Json.text(service, "spec/clusterIP")
            + ", port "
            + ObjectFields.ports(Json.objectAt(service, "spec"))
            + "; no endpoints yet");
  }

  private void replicasStart() {
    int before = lease.mark();
    for (int number = 1; number <= 2; number++) {
      replicas.add(startReplica("updater-" + number, number));
    }
    Version held = awaitHolder(before, "");
    timeline.say(leader(held).name(), "leads: it holds the Lease kube-system/apiserver-updater");
    Version mirrored = target.awaitNow("the first slice", this::listsAllMembers, SOON);
    Duration first = Duration.ofNanos(mirrored.seenNanos() - replicas.get(0).startedNanos());
    timeline.say(
        "target",
        "kube-system/apiserver lists "
            + addresses(mirrored)
            + ", port "
            + ports(mirrored)
            + " (since the start of the process)",
        first);
    timeline.figure("first mirrored", first, "after the start of the first replica's process");
    awaitEndpoints();
    replicas.forEach(this::awaitReady);
    timeline.say(standby(held).name(), "stands by, ready, with all objects in its cache");
  }

  private void awaitEndpoints() {
    Deadline.in(SOON)
        .await(
            "the Endpoints kube-system/apiserver",
            () ->
                stage.api().find(ENDPOINTS).map(ObjectFields::endpointsAddresses).stream()
                    .anyMatch(memberAddresses()::equals));
    timeline.say("target", "the v1 Endpoints, for people and old tools, list the same");
  }

  private void controlPlaneLeavesAndReturns() {
    Stage.Member leaving = members.get(members.size() - 1);
    Set<String> others = new TreeSet<>(memberAddresses());
    others.remove(leaving.address());
    int beforeSource = source.mark();
    int beforeTarget = target.mark();
    stage.stop(leaving);
    timeline.say(leaving.name(), "is stopped gracefully");
    mirrored("left", beforeSource, beforeTarget, others);

    int backSource = source.mark();
    int backTarget = target.mark();
    long start = System.nanoTime();
    stage.bringBack(leaving);
    timeline.say(leaving.name(), "is restarted and ready", since(start));
    mirrored("returned", backSource, backTarget, memberAddresses());
    dryRun(false);
  }

  private void mirrored(String what, int beforeSource, int beforeTarget, Set<String> wanted) {
    Version changed = source.await(beforeSource, "the source to change", lists(wanted), SOON);
    timeline.say("source", "default/kubernetes lists " + addresses(changed));
    Version mirrored = target.await(beforeTarget, "the target to follow", lists(wanted), SOON);
    Duration latency = between(changed, mirrored);
    timeline.say("target", "kube-system/apiserver lists the same", latency);
    timeline.figure(
        "mirrored, control plane " + what, latency, "source change seen -> target change seen");
  }

  /**
   * The time from a cause to its effect. Each is told by a watch of its own, when that one's thread
   * gets to run, so an effect may be told some milliseconds before its cause: no time is known
   * then.
   */
  private static Duration between(Version cause, Version effect) {
    return Duration.ofNanos(Math.max(0, effect.seenNanos() - cause.seenNanos()));
  }

  private void leaderIsKilled() {
    Version held = lease.awaitNow("a leader", l -> !ObjectFields.holder(l).isEmpty(), SOON);
    Replica leader = leader(held);
    int beforeLease = lease.mark();
    long killed = System.nanoTime();
    leader.kill();
    timeline.say(leader.name(), "is killed (SIGKILL): no replica leads now");
    int beforeTarget = target.mark();
    Stage.Member lost = members.get(members.size() - 1);
    takeOut(lost);
    timeline.say("somebody", "removes " + lost.address() + " from the slice by hand");
    dryRun(true);

    Version taken = awaitHolder(beforeLease, ObjectFields.holder(held.object()));
    Duration takeover = Duration.ofNanos(taken.seenNanos() - killed);
    Duration duration = ObjectFields.leaseDuration(held.object());
    timeline.say(
        leader(taken).name(),
        "leads: the Lease, valid for " + Timeline.show(duration) + ", expired (since the kill)",
        takeover);
    timeline.figure(
        "takeover after a kill",
        takeover,
        "the Lease is valid for " + Timeline.show(duration) + " after a renewal");
    Version repaired =
        target.await(beforeTarget, "the slice to be repaired", this::listsAllMembers, SOON);
    Duration repair = between(taken, repaired);
    timeline.say("target", "repaired: lists " + addresses(repaired), repair);
    timeline.figure("repair by the new leader", repair, "new holder seen -> repaired slice seen");
  }

  private void takeOut(Stage.Member lost) {
    JsonObject slice = stage.api().get(target.path());
    JsonArray endpoints = Json.arrayAt(slice, "endpoints");
    endpoints
        .asList()
        .removeIf(one -> Json.text(one.getAsJsonObject(), "addresses/0").equals(lost.address()));
    JsonObject unusedAnswer =
        stage.api().patch(target.path(), "{\"endpoints\": " + endpoints + "}");
  }

  private void leaderIsStopped() {
    Version held = restore();
    Replica leader = leader(held);

    int before = lease.mark();
    long told = System.nanoTime();
    int code = leader.terminate(SOON);
    Duration end = since(told);
    timeline.say(leader.name(), "gets SIGTERM and exits with code " + code, end);
    if (code != 0) {
      throw new TourException(leader.name() + " ended with exit code " + code + ", expected 0");
    }
    Version taken = awaitHolder(before, ObjectFields.holder(held.object()));
    Duration change = Duration.ofNanos(taken.seenNanos() - told);
    timeline.say(leader(taken).name(), "leads (since the SIGTERM)", change);
    timeline.figure("leader stopped by SIGTERM", end, "exit code " + code);
    timeline.figure("leader change", change, "SIGTERM -> new holder seen");
  }

  /** Starts again who was stopped in the last act, and says who leads. */
  Version restore() {
    Version held = lease.awaitNow("a leader", l -> !ObjectFields.holder(l).isEmpty(), SOON);
    Replica standby = standby(held);
    standby.restart();
    awaitReady(standby);
    timeline.say(standby.name(), "is restarted and stands by", since(standby.startedNanos()));
    return held;
  }

  /** The ends of all updaters' logs, for a failure. */
  List<String> logTails() {
    List<String> lines = new ArrayList<>();
    for (Replica replica : replicas) {
      List<String> log = replica.logLines();
      lines.add("the log of " + replica.name() + " ends:");
      log.subList(Math.max(0, log.size() - 15), log.size()).forEach(line -> lines.add("  " + line));
    }
    return lines;
  }

  private Replica startReplica(String name, int number) {
    Replica replica = backstage.own(() -> stage.startReplica(name, number, release));
    timeline.say(name, "starts");
    return replica;
  }

  private void awaitReady(Replica replica) {
    Deadline.in(SOON).await(replica.name() + " to be ready", replica::ready);
  }

  private Version awaitHolder(int mark, String old) {
    return lease.await(
        mark,
        "a new leader",
        seen -> {
          String holder = ObjectFields.holder(seen);
          return !holder.isEmpty() && !holder.equals(old);
        },
        SOON);
  }

  /** The replica whose name the holder's identity begins with. */
  private Replica leader(Version held) {
    String holder = ObjectFields.holder(held.object());
    return replicas.stream()
        .filter(replica -> holder.startsWith(replica.name() + "_"))
        .findFirst()
        .orElseThrow(() -> new TourException("the Lease is held by another client, " + holder));
  }

  private Replica standby(Version held) {
    Replica leader = leader(held);
    return replicas.stream().filter(replica -> replica != leader).findFirst().orElseThrow();
  }

  private void dryRun(boolean wholeOutput) {
    timeline.say("admin", "runs: updater --dry-run");
    long start = System.nanoTime();
    Program.Result result = release.run(List.of("--dry-run", "--kubeconfig=" + stage.kubeconfig()));
    Duration took = since(start);
    if (wholeOutput) {
      timeline.quote(result.out());
    }
    timeline.quote(result.err());
    if (result.exitCode() > 1) {
      throw new TourException(
          "updater --dry-run ended with exit code " + result.exitCode() + "\n" + result.err());
    }
    timeline.say("updater", "exits with code " + result.exitCode(), took);
  }

  private Set<String> memberAddresses() {
    return members.stream()
        .map(Stage.Member::address)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private boolean listsAllMembers(JsonObject slice) {
    return lists(memberAddresses()).test(slice);
  }

  private static Predicate<JsonObject> lists(Set<String> wanted) {
    return slice -> PublishedAddresses.ready(slice).equals(wanted);
  }

  private static String addresses(Version slice) {
    return String.join(", ", PublishedAddresses.ready(slice.object()));
  }

  private static String ports(Version slice) {
    return ObjectFields.ports(slice.object());
  }

  private static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }
}
