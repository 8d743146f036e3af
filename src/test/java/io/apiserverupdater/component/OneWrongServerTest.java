package io.apiserverupdater.component;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.sandbox.AuditLog;
import io.apiserverupdater.sandbox.Fault;
import io.apiserverupdater.sandbox.FaultPlan;
import io.apiserverupdater.sandbox.RequestInfo;
import io.apiserverupdater.sandbox.SandboxApiserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Apiservers that are alive and wrong, one or all of them, for some calls or for all. */
@Tag("component")
class OneWrongServerTest extends OnOneCluster {
  /** Whoever believes the wrong one waits for 15 s and more. */
  private static final Duration SOONER_THAN_BELIEVED = Duration.ofSeconds(10);

  private final String user = Replicas.fresh("updater");
  private int changes;

  /** The next state of the source, which has two of three members. */
  private List<String> changeSource() {
    List<String> members = new ArrayList<>(cluster.runningAddresses());
    members.remove(changes++ % members.size());
    cluster.source().set(members.toArray(new String[0]));
    return members;
  }

  /** Every call of ours at one server, but those of anonymous probes. */
  private Predicate<RequestInfo> at(SandboxApiserver server) {
    return calls().and(request -> request.apiserver().equals(server.name()));
  }

  private Predicate<RequestInfo> calls() {
    return Replicas.of(user).and(request -> !request.path().equals("/readyz"));
  }

  private Predicate<RequestInfo> writesOf(String resource) {
    return Replicas.of(user).and(r -> r.isWrite() && r.resource().equals(resource));
  }

  private void awaitMirroredSoon(String namespace, List<String> members) {
    cluster.awaitTrue(
        "the slice has " + members,
        SOONER_THAN_BELIEVED,
        () -> cluster.sliceAddresses(namespace, "apiserver-ipv4").equals(members));
  }

  static Stream<Arguments> wrongAnswers() {
    return Stream.of(
            Fault.status(401),
            Fault.status(403),
            Fault.status(400),
            Fault.status(404),
            Fault.status(500),
            new Fault.MalformedJson())
        .flatMap(fault -> Stream.of("off", "readyz").map(check -> Arguments.of(fault, check)));
  }

  @ParameterizedTest
  @MethodSource("wrongAnswers")
  void oneServersWordIsNotTheWordOfAll(Fault fault, String healthCheck) throws Exception {
    String namespace = replicas.namespace();
    UpdaterProcess updater =
        replicas.replica(user, namespace, "--apiserver-failover", "--health-check=" + healthCheck);
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    for (SandboxApiserver wrong : cluster.apiservers()) {
      FaultPlan.Rule rule = cluster.faults().always(at(wrong), fault);
      wrong.breakConnections();
      awaitMirroredSoon(namespace, changeSource());
      rule.clear();
    }
    assertTrue(updater.isAlive());
  }

  @Test
  void tellsWhichServerOthersContradict() throws Exception {
    String namespace = replicas.namespace();
    UpdaterProcess updater = replicas.single(user, namespace, "--apiserver-failover");
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    // The one that it likes to ask.
    List<AuditLog.Entry> asked = cluster.audit().of(user);
    String name = asked.get(asked.size() - 1).request().apiserver();
    SandboxApiserver wrong =
        cluster.apiservers().stream()
            .filter(it -> it.name().equals(name))
            .findFirst()
            .orElseThrow();
    cluster.faults().always(at(wrong), Fault.status(403));
    List<String> others = new ArrayList<>(cluster.runningAddresses());
    others.remove(wrong.ip());
    for (int i = 0; i < 6; i++) {
      String other = others.get(i % 2);
      cluster.source().set(wrong.ip(), other);
      replicas.awaitMirrored(namespace, wrong.ip(), other);
    }
    updater.awaitLog("apiserver=distrusted address=" + wrong.ip(), Replicas.SOON);
    assertEquals(1, updater.log("apiserver=distrusted").size(), updater::logText);
  }

  /** Its write has landed: that the next one finds a conflict contradicts nobody. */
  @Test
  void serverThatIsSlowOnceIsNotDistrusted() throws Exception {
    String namespace = replicas.namespace();
    UpdaterProcess updater = replicas.replica(user, namespace, "--apiserver-failover");
    updater.awaitLog("leading=true", Replicas.SOON);
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    FaultPlan.Rule slow =
        cluster
            .faults()
            .next(1, writesOf("leases"), new Fault.AnsweredLate(Duration.ofMillis(1200)));
    cluster.awaitTrue("a renewal is answered late", () -> slow.hits() > 0);
    replicas.awaitMirrored(namespace, changeSource());
    FaultPlan.Rule next = cluster.faults().next(3, writesOf("leases"), new Fault.UnknownFields());
    cluster.awaitTrue("it is renewed again", () -> next.hits() > 2);
    assertEquals(List.of(), updater.log("apiserver=distrusted"), updater::logText);
  }

  /** As when an admission webhook fails: no server is at fault. */
  @ParameterizedTest
  @MethodSource("failingWrites")
  void failingWriteDoesNotMakeServersDown(Fault fault) throws Exception {
    String namespace = replicas.namespace();
    UpdaterProcess updater = replicas.single(user, namespace, "--apiserver-failover");
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    FaultPlan.Rule rule = cluster.faults().always(writesOf("endpointslices"), fault);
    List<String> wanted = changeSource();
    cluster.awaitTrue("it struck at all servers, again and again", () -> rule.hits() > 7);
    assertEquals(List.of(), updater.log("apiserver=down"), updater::logText);
    updater.awaitLog("write=failed", Replicas.SOON);
    rule.clear();
    replicas.awaitMirrored(namespace, wanted);
  }

  static Stream<Fault> failingWrites() {
    return Stream.of(Fault.status(500), Fault.status(403), new Fault.NeverAnswered());
  }

  static Stream<Fault> failingWritesOfEndpoints() {
    return Stream.concat(failingWrites(), Stream.of(Fault.tooManyRequests(2)));
  }

  /** The Endpoints object is for people and old tools. */
  @ParameterizedTest
  @MethodSource("failingWritesOfEndpoints")
  void sliceDoesNotWaitForTheEndpointsObject(Fault fault) throws Exception {
    String namespace = replicas.namespace();
    UpdaterProcess updater = replicas.single(user, namespace, "--apiserver-failover");
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    FaultPlan.Rule rule = cluster.faults().always(writesOf("endpoints"), fault);
    List<Duration> took = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      List<String> wanted = changeSource();
      long start = System.nanoTime();
      awaitMirroredSoon(namespace, wanted);
      took.add(Duration.ofNanos(System.nanoTime() - start));
    }
    // Of a slice that waits, each is late; on a busy machine, one or two may be.
    took.sort(Comparator.naturalOrder());
    assertTrue(took.get(3).compareTo(Duration.ofMillis(700)) < 0, () -> took + updater.logText());
    cluster.awaitTrue("it struck", () -> rule.hits() > 0);
    updater.awaitLog("write=failed .*--write-endpoints=false", Replicas.SOON);
    rule.clear();
    replicas.awaitMirrored(namespace, changeSource());
  }

  @Test
  void endpointsObjectThatMayNotBeReadHoldsNothingUp() {
    String namespace = replicas.namespace();
    cluster
        .faults()
        .always(
            Replicas.of(user).and(r -> r.resource().equals("endpoints") && !r.isWrite()),
            Fault.status(403));
    replicas.single(user, namespace);
    awaitMirroredSoon(namespace, changeSource());
  }

  /** 22,601 lists in five seconds were seen once. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void retryAfterOfNothingIsNoReasonToSpin(int seconds) {
    String namespace = replicas.namespace();
    FaultPlan.Rule rule = cluster.faults().always(calls(), Fault.tooManyRequests(seconds));
    replicas.single(user, namespace);
    cluster.awaitTrue("turned down", () -> rule.hits() > 0);
    int before = rule.hits();
    cluster.awaitNever("spins", Duration.ofSeconds(3), () -> rule.hits() - before > 40);
    rule.clear();
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
  }

  /** All say no: that is final, and somebody has to grant it. */
  @Test
  void whatAllRefuseIsAskedForLessAndLess() {
    String namespace = replicas.namespace();
    FaultPlan.Rule rule = cluster.faults().always(calls(), Fault.status(403));
    UpdaterProcess updater = replicas.replica(user, namespace, Replicas.SHORT_LEASE);
    cluster.awaitTrue("refused", () -> !updater.log("watch=down").isEmpty());
    cluster.awaitTrue("all six are at 15 s", Duration.ofSeconds(60), () -> isQuiet(rule));
    rule.clear();
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
  }

  /** Whether fewer than ten requests come within three seconds. */
  private static boolean isQuiet(FaultPlan.Rule rule) {
    int before = rule.hits();
    cluster.awaitNever("ends", Duration.ofSeconds(3), () -> false);
    return rule.hits() - before < 10;
  }

  /** What it renews by writes alone, it cannot use: the other replica can read. */
  @Test
  void leaderThatCannotReadTheSourceHandsOver() throws Exception {
    String namespace = replicas.namespace();
    UpdaterProcess leader = replicas.replica(user, namespace, Replicas.LONG_LEASE);
    leader.awaitLog("leading=true", Replicas.SOON);
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    String other = Replicas.fresh("other");
    UpdaterProcess standby = replicas.replica(other, namespace, Replicas.LONG_LEASE);
    standby.awaitLog("holder=" + user, Replicas.SOON);
    cluster
        .faults()
        .always(
            Replicas.of(user).and(r -> r.namespace().equals("default") && !r.isWrite()),
            new Fault.MalformedJson());
    cluster.apiservers().forEach(SandboxApiserver::breakConnections);
    leader.awaitLog("watch=down .*cannot be read", Replicas.SOON);
    standby.awaitLog("leading=true", Duration.ofSeconds(60));
    replicas.awaitMirrored(namespace, changeSource());
    leader.awaitLog("leading=false .*it cannot read.* released=true", Replicas.SOON);
  }
}
