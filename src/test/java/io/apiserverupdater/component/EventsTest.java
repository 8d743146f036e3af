package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.apiserverupdater.sandbox.ApiResource;
import io.apiserverupdater.sandbox.AuditLog;
import io.apiserverupdater.sandbox.Fault;
import io.apiserverupdater.sandbox.Json;
import io.apiserverupdater.sandbox.RequestInfo;
import io.apiserverupdater.sandbox.SandboxApiserver;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the updater tells about its Service. */
@Tag("component")
class EventsTest {
  private static final String[] FLAGS = {
    "--events",
    "--health-check=readyz",
    "--probe-timeout=5s",
    "--apiserver-failover",
    "--lease-duration=3s",
    "--renew-deadline=2s",
    "--retry-period=500ms"
  };

  /** Nobody is to take over, however busy the machine is. */
  private static final String[] STEADY = {
    "--events",
    "--health-check=readyz",
    "--probe-timeout=5s",
    "--apiserver-failover",
    "--lease-duration=30s",
    "--renew-deadline=20s"
  };

  private final SandboxCluster cluster =
      SandboxCluster.builder().reconcileTtl(Duration.ofMinutes(5)).start();
  private final Replicas replicas = new Replicas(cluster);
  private final String user = Replicas.fresh("updater");
  private final String namespace = replicas.namespace();
  private final SandboxApiserver first = cluster.apiserver(0);
  private final List<String> all = cluster.runningAddresses();
  private final List<String> others = all.subList(1, all.size());

  @AfterEach
  void end() {
    replicas.close();
  }

  private static boolean isEvent(RequestInfo request) {
    return request.resource().equals("events");
  }

  private List<JsonObject> events(String reason, String text) {
    return cluster.store().list(ApiResource.EVENTS, namespace).stream()
        .filter(event -> Json.text(event, "reason").equals(reason))
        .filter(event -> Json.text(event, "message").contains(text))
        .toList();
  }

  private JsonObject awaitEvent(String reason, String text, int count) {
    cluster.awaitTrue(
        reason + " about " + text + ", " + count + " times",
        () ->
            events(reason, text).stream()
                .anyMatch(event -> Json.text(event, "count").equals(Integer.toString(count))));
    return events(reason, text).get(0);
  }

  @Test
  void leaderTellsTheStoryAndTheStandbyIsSilent() throws Exception {
    replicas.replica(user, namespace, STEADY);
    replicas.awaitReady(namespace, all);
    JsonObject elected = awaitEvent("LeaderElected", user, 1);
    assertEquals("Normal", Json.text(elected, "type"));
    UpdaterProcess standby = replicas.replica("standby", namespace, STEADY);
    standby.awaitLog("member=ready address=" + cluster.apiserver(2).ip(), SOON);

    first.kill();
    replicas.awaitReady(namespace, others);
    JsonObject fell = awaitEvent("MemberUnready", first.ip() + ":6443 is not ready: ", 1);
    assertEquals("Warning", Json.text(fell, "type"));
    assertEquals("apiserver-updater", Json.text(fell, "source/component"));
    assertTrue(Json.text(fell, "reportingInstance").startsWith(user + "_"), fell::toString);
    // By these kubectl describe finds the Events of an object.
    JsonObject service = cluster.store().require(ApiResource.SERVICES, namespace, "apiserver");
    for (String field : List.of("name", "namespace", "uid")) {
      assertEquals(
          Json.text(service, "metadata/" + field), Json.text(fell, "involvedObject/" + field));
    }
    assertEquals("Service", Json.text(fell, "involvedObject/kind"));

    // It was ready when the leader began.
    first.start();
    replicas.awaitReady(namespace, all);
    awaitEvent("MemberReady", first.ip() + ":6443 is ready", 2);
    assertEquals(1, events("MemberReady", first.ip()).size());
    assertEquals(
        List.of(),
        cluster.audit().of("standby").stream().filter(AuditLog.Entry::isSuccessfulWrite).toList());
  }

  /** The two often go down together: the leader and the apiserver of its node. */
  @Test
  void newLeaderTellsWhatTheOldOneCouldNot() throws Exception {
    UpdaterProcess leader = replicas.replica(user, namespace, FLAGS);
    replicas.awaitReady(namespace, all);
    UpdaterProcess standby = replicas.replica("standby", namespace, FLAGS);
    standby.awaitLog("member=ready address=" + cluster.apiserver(2).ip(), SOON);
    leader.kill();
    first.kill();
    replicas.awaitReady(namespace, others);
    awaitEvent("LeaderElected", "standby_", 1);
    awaitEvent("MemberUnready", first.ip() + ":6443 is not ready: ", 1);
  }

  @Test
  void failingOpenIsAWarningAndItsEndIsTold() {
    replicas.replica(user, namespace, FLAGS);
    replicas.awaitReady(namespace, all);
    cluster.apiservers().forEach(apiserver -> apiserver.failReadyz("etcd"));
    JsonObject open = awaitEvent("FailedOpen", "IPv4: no member is ready ", 1);
    assertEquals("Warning", Json.text(open, "type"));
    cluster.apiservers().forEach(SandboxApiserver::passReadyz);
    JsonObject normal = awaitEvent("GateNormal", "IPv4: ", 1);
    assertEquals("Normal", Json.text(normal, "type"));
  }

  /**
   * Only a leader publishes, so this is told by the next one: here by the same, once it is again.
   */
  @Test
  void leaderThatLostTheLeaseTellsSoWhenItLeadsAgain() throws Exception {
    UpdaterProcess leader = replicas.replica(user, namespace, FLAGS);
    replicas.awaitReady(namespace, all);
    awaitEvent("LeaderElected", user, 1);
    cluster.setLeaseHolder(namespace, "apiserver-updater", "stranger");
    leader.awaitLog("leading=false .*held by stranger", SOON);
    // The stranger never renews.
    JsonObject lost = awaitEvent("LeaderLost", "the Lease is held by stranger (" + user + "_", 1);
    assertEquals("Normal", Json.text(lost, "type"));
    awaitEvent("LeaderElected", user, 2);
  }

  @Test
  void apiThatNeverTakesAnEventDelaysNothing() throws Exception {
    cluster.faults().always(EventsTest::isEvent, new Fault.NeverAnswered());
    UpdaterProcess leader = replicas.replica(user, namespace, FLAGS);
    replicas.awaitReady(namespace, all);
    leader.awaitLog("events=failed reason=", SOON);
    // One may have been slow to connect; an Event that nobody takes would tell against all.
    assertTrue(leader.log("apiserver=d").size() < all.size(), leader::logText);
    first.kill();
    long killed = System.nanoTime();
    replicas.awaitReady(namespace, others);
    assertTrue(System.nanoTime() - killed < Duration.ofSeconds(5).toNanos());
    first.start();
    replicas.awaitReady(namespace, all);
    // Longer than the Lease lasts.
    cluster.awaitNever(
        "it does not lead",
        Duration.ofSeconds(4),
        () -> !cluster.leaseHolder(namespace, "apiserver-updater").startsWith(user + "_"));
    // A busy machine may keep it from renewing once; who waits for Events would fail at each.
    assertTrue(leader.log("leading=false").size() <= 1, leader::logText);
    assertEquals(1, leader.log("events=").size(), leader::logText);
    assertEquals(0, leader.stop());
    leader.awaitLog("stopped=true after=1?[0-9]{1,3}ms", SOON);
  }

  @Test
  void missingRightIsToldOnce() throws Exception {
    cluster.access().deny(user, "*", "events", "*", "*");
    UpdaterProcess leader = replicas.replica(user, namespace, FLAGS);
    replicas.awaitReady(namespace, all);
    leader.awaitLog("events=failed reason=\"403 Forbidden: ", SOON);
    first.kill();
    replicas.awaitReady(namespace, others);
    first.start();
    replicas.awaitReady(namespace, all);
    assertEquals(1, leader.log("events=").size(), leader::logText);
    assertEquals(List.of(), leader.log("apiserver=distrusted"), leader::logText);
    // One event, at each apiserver and at the configured address.
    int asked = cluster.audit().entries(entry -> isEvent(entry.request())).size();
    assertTrue(asked <= all.size() + 1, () -> asked + " requests");
  }

  @Test
  void nothingIsToldWhenItIsTurnedOff() throws Exception {
    String[] off = FLAGS.clone();
    off[0] = "--events=false";
    replicas.replica(user, namespace, off);
    replicas.awaitReady(namespace, all);
    first.kill();
    replicas.awaitReady(namespace, others);
    cluster.awaitNever(
        "an Event",
        Replicas.QUIET,
        () -> !cluster.audit().entries(entry -> isEvent(entry.request())).isEmpty());
    assertFalse(cluster.audit().of(user).isEmpty());
  }
}
