package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.QUIET;
import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.sandbox.ApiResource;
import io.apiserverupdater.sandbox.AuditLog;
import io.apiserverupdater.sandbox.Json;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("component")
class ElectionTest extends OnOneCluster {
  private static final String LEASE = "apiserver-updater";
  private static final Duration LEASE_DURATION = Duration.ofSeconds(2);

  @SuppressWarnings("NullAway") // JUnit starts the replicas before it makes an instance.
  private final String namespace = replicas.namespace();

  private final String first = Replicas.fresh("first");
  private final String second = Replicas.fresh("second");

  private void awaitHolder(String user) {
    cluster.awaitTrue(user + " holds the Lease", () -> holder().startsWith(user + "_"));
  }

  private String holder() {
    return cluster.leaseHolder(namespace, LEASE);
  }

  /** The first replica leads, the second stands by with everything known to it. */
  private UpdaterProcess[] leaderAndStandby(String... flags) throws InterruptedException {
    UpdaterProcess leader = replicas.replica(first, namespace, flags);
    awaitHolder(first);
    UpdaterProcess standby = replicas.replica(second, namespace, flags);
    standby.awaitLog("holder=" + first + "_", SOON);
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    awaitWatches(second);
    return new UpdaterProcess[] {leader, standby};
  }

  /** Lease, source, Service, two slices, Endpoints. */
  private void awaitWatches(String user) {
    cluster.awaitTrue(
        user + " watches all",
        () ->
            cluster.audit().of(user).stream()
                    .filter(e -> e.request().isWatch() && e.status() == 200)
                    .count()
                >= 6);
  }

  /** The first renewal or takeover of the Lease by a user after a moment. */
  private Duration leaseTaken(String user, long since) {
    awaitHolder(user);
    // The audit log has a request when it is answered, which is after the store has its effect.
    cluster.awaitTrue("its entry", () -> firstOnLease(user, since).isPresent());
    return Duration.ofNanos(firstOnLease(user, since).orElseThrow().nanoTime() - since);
  }

  private Optional<AuditLog.Entry> firstOnLease(String user, long since) {
    return cluster.audit().writesSince(since).stream()
        .filter(e -> e.request().user().equals(user))
        .filter(e -> e.request().is("*", "leases"))
        .findFirst();
  }

  private void onlyWriterIs(String user, String other, String address) {
    long since = System.nanoTime();
    cluster.source().set(address);
    replicas.awaitMirrored(namespace, address);
    cluster.awaitTrue(
        "slice and Endpoints are written by " + user,
        () -> replicas.writes(user, since).size() >= 2);
    assertEquals(List.of(), replicas.writes(other, since));
  }

  private static void assertWithin(Duration limit, Duration actual) {
    assertTrue(actual.compareTo(limit) <= 0, () -> actual + ", expected at most " + limit);
  }

  @Test
  void oneOfTwoLeadsAndAGracefulStopHandsOver() throws Exception {
    UpdaterProcess[] pair = leaderAndStandby(Replicas.LONG_LEASE);
    onlyWriterIs(first, second, "10.0.0.1");
    assertEquals("30", lease("spec/leaseDurationSeconds"));
    long told = System.nanoTime();
    assertEquals(0, pair[0].stop());
    // Long before the lease would have run out.
    assertWithin(Duration.ofSeconds(10), leaseTaken(second, told));
    pair[0].awaitLog("leading=false .*released=true", SOON);
    onlyWriterIs(second, first, "10.0.0.2");
    assertEquals("1", lease("spec/leaseTransitions"));
  }

  private String lease(String path) {
    return Json.text(cluster.store().require(ApiResource.LEASES, namespace, LEASE), path);
  }

  @Test
  void theStandbyTakesOverFromAKilledLeaderWhenTheLeaseHasRunOut() throws Exception {
    UpdaterProcess[] pair = leaderAndStandby(Replicas.SHORT_LEASE);
    long killed = System.nanoTime();
    pair[0].kill();
    Duration taken = leaseTaken(second, killed);
    assertWithin(LEASE_DURATION.plusSeconds(3), taken);
    long renewed =
        cluster.audit().of(first).stream()
            .filter(e -> e.request().is("*", "leases") && e.isSuccessfulWrite())
            .mapToLong(AuditLog.Entry::nanoTime)
            .max()
            .orElseThrow();
    Duration waited = taken.minusNanos(renewed - killed);
    // The audit log has a renewal a moment after the store.
    assertTrue(waited.compareTo(LEASE_DURATION.minusMillis(300)) > 0, "too early: " + waited);
    onlyWriterIs(second, first, "10.0.0.1");
  }

  @Test
  void aLeaderThatWasSuspendedWritesNothingWhenItWakes() throws Exception {
    UpdaterProcess[] pair = leaderAndStandby(Replicas.SHORT_LEASE);
    pair[0].signal("STOP");
    awaitHolder(second);
    // There is something to write for whoever believes to lead.
    cluster.source().set("10.0.0.1");
    replicas.awaitMirrored(namespace, "10.0.0.1");
    cluster.store().delete(ApiResource.ENDPOINTS, namespace, "apiserver");
    replicas.awaitMirrored(namespace, "10.0.0.1");
    long woken = System.nanoTime();
    pair[0].signal("CONT");
    pair[0].awaitLog("leading=false .*reason=", SOON);
    cluster.source().set("10.0.0.2");
    replicas.awaitMirrored(namespace, "10.0.0.2");
    cluster.awaitNever("a write", QUIET, () -> !replicas.writes(first, woken).isEmpty());
    assertTrue(holder().startsWith(second + "_"));
    assertTrue(
        cluster.audit().writesSince(woken).stream()
            .noneMatch(e -> e.request().user().equals(first)),
        "it wrote the Lease of its successor");
  }

  @Test
  void aDeletedLeaseIsMadeAgainAndOneLeads() throws Exception {
    leaderAndStandby(Replicas.LONG_LEASE);
    cluster.store().delete(ApiResource.LEASES, namespace, LEASE);
    cluster.awaitTrue("somebody holds it", () -> !holder().isEmpty());
    cluster.source().set("10.0.0.1");
    replicas.awaitMirrored(namespace, "10.0.0.1");
    String holder = holder();
    cluster.awaitNever("the holder changes", LEASE_DURATION, () -> !holder().equals(holder));
  }

  @Test
  void aStrangersFreshLeaseIsRespectedAndASilentOnesTaken() throws Exception {
    createLease("{\"holderIdentity\":\"stranger\",\"leaseDurationSeconds\":2}");
    UpdaterProcess updater = replicas.replica(first, namespace, Replicas.SHORT_LEASE);
    updater.awaitLog("holder=stranger", SOON);
    // The stranger renews twice.
    for (int i = 0; i < 2; i++) {
      int second = i;
      cluster
          .store()
          .patch(
              ApiResource.LEASES,
              namespace,
              LEASE,
              "{\"spec\":{\"renewTime\":\"2026-01-01T00:00:0" + second + ".000000Z\"}}");
      cluster.awaitNever(
          "it is taken", Duration.ofMillis(1200), () -> !holder().equals("stranger"));
    }
    assertEquals(List.of(), replicas.writes(first, System.nanoTime() - SOON.toNanos()));
    // Now it is silent.
    awaitHolder(first);
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
  }

  @Test
  void aLeaderThatLosesTheLeaseToAStrangerStopsWriting() throws Exception {
    UpdaterProcess updater = replicas.replica(first, namespace, Replicas.SHORT_LEASE);
    awaitHolder(first);
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    cluster.setLeaseHolder(namespace, LEASE, "stranger");
    updater.awaitLog("leading=false .*held by stranger", SOON);
    long lost = System.nanoTime();
    cluster.source().set("10.0.0.1");
    cluster.awaitNever("a write", QUIET, () -> !replicas.writes(first, lost).isEmpty());
    awaitHolder(first);
    replicas.awaitMirrored(namespace, "10.0.0.1");
  }

  @Test
  void aLeaseWithoutASpecIsTaken() {
    cluster
        .store()
        .create(ApiResource.LEASES, namespace, "{\"metadata\":{\"name\":\"" + LEASE + "\"}}");
    replicas.replica(first, namespace, Replicas.SHORT_LEASE);
    awaitHolder(first);
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
  }

  private void createLease(String spec) {
    cluster
        .store()
        .create(
            ApiResource.LEASES,
            namespace,
            "{\"metadata\":{\"name\":\"" + LEASE + "\"},\"spec\":" + spec + "}");
  }

  @Test
  void aLeaseElsewhereIsUsedByItsName() {
    String other = replicas.emptyNamespace();
    replicas.replica(first, namespace, "--lease-namespace=" + other, "--lease-name=mine");
    cluster.awaitTrue("held", () -> cluster.leaseHolder(other, "mine").startsWith(first + "_"));
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
  }

  @Test
  void withoutElectionNoLeaseIsTouchedAndSigtermEndsInTime() throws Exception {
    UpdaterProcess updater = replicas.single(first, namespace);
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    assertEquals(
        0,
        cluster.audit().of(first).stream()
            .filter(e -> e.request().resource().equals("leases"))
            .count());
    assertEquals(0, updater.stop());
    updater.awaitLog("stopped=true after=1?[0-9]{1,3}ms", SOON);
  }

  @Test
  void aStandbyEndsInTimeAndLeavesTheLeaseAlone() throws Exception {
    UpdaterProcess[] pair = leaderAndStandby(Replicas.LONG_LEASE);
    String holder = holder();
    assertEquals(0, pair[1].stop());
    assertEquals(holder, holder());
    assertTrue(cluster.audit().of(second).stream().noneMatch(AuditLog.Entry::isSuccessfulWrite));
  }
}
