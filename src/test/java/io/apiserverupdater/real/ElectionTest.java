package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ObjectWatch;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two replicas and one Lease: whoever leads keeps the target right, and nobody else writes. */
@Tag("real")
@Timeout(180)
class ElectionTest {
  @RegisterExtension
  static final UpdaterCluster cluster = new UpdaterCluster(Lab.builder("election"));

  private static final String LEASE = UpdaterCluster.LEASES + "/" + UpdaterCluster.LEASE;
  private static final String SLICE = UpdaterCluster.SLICES + "/" + UpdaterCluster.SLICE;

  @Test
  void standbyTakesOverFromAKilledLeader() {
    cluster.startBothAndAwaitTarget();
    Replica killed = cluster.leader();
    killed.pod().process().kill();
    // Nobody leads at this moment, so the repair is the successor's first deed.
    cluster.admin().delete(SLICE);
    Replica unusedSuccessor = cluster.awaitLeader(replica -> replica != killed);
    cluster.awaitTarget();
    killed.pod().restart();
    killed.awaitReadyz(200, UpdaterCluster.SOON);
    cluster.assertRepairs();
  }

  @Test
  void frozenLeaderDoesNotWriteWhenItThaws() {
    List<Replica> both = cluster.startBoth();
    cluster.awaitTarget();
    Replica frozen = cluster.leader();
    Replica other = both.get(0) == frozen ? both.get(1) : both.get(0);
    Instant begin = Instant.now();
    frozen.pod().process().pause();
    Deadline thaw = Deadline.in(Duration.ofSeconds(30));
    assertEquals(other, cluster.awaitLeader(replica -> replica != frozen));
    Instant taken = firstLeaseOf(other, begin);
    // What it has not seen when it wakes is a temptation to write.
    cluster.assertRepairs();
    cluster.admin().patch(SLICE, "{\"endpoints\": []}");
    cluster.awaitTarget();
    cluster.awaitRenewalsUntil(thaw);
    // It wakes to a target that is wrong, and for a moment to nobody else who would repair it. The
    // other is away for less than its Lease lasts.
    cluster.awaitRenewals(1);
    try (ObjectWatch slice =
        cluster.admin().watch(only(UpdaterCluster.SLICES, UpdaterCluster.SLICE), "")) {
      // The watch is open when its first event, the slice as it is, has come.
      String event = slice.next(UpdaterCluster.SOON).orElseThrow().type();
      other.pod().process().pause();
      cluster.admin().delete(SLICE);
      while (!event.equals("DELETED")) {
        event = slice.next(UpdaterCluster.SOON).orElseThrow().type();
      }
      frozen.pod().process().resume();
      assertEquals(Optional.empty(), slice.next(Duration.ofMillis(1_500)));
    }
    assertTrue(cluster.admin().find(SLICE).isEmpty(), "the frozen leader has repaired it");
    other.pod().process().resume();
    cluster.awaitTarget();
    frozen.awaitReadyz(200, UpdaterCluster.SOON);
    cluster.awaitRenewals(5);
    cluster.assertRepairs();
    assertTrue(other.isNamed(cluster.holder()), cluster::holder);
    List<AuditEntry> writes =
        cluster.auditOfUpdaters(taken).stream()
            .filter(frozen::sent)
            .filter(ElectionTest::isWriteOfALeader)
            .toList();
    assertEquals(List.of(), writes);
    // It is a standby that is worth something.
    other.pod().process().kill();
    assertEquals(frozen, cluster.awaitLeader(replica -> replica != other));
    cluster.assertRepairs();
  }

  /** All writes but an attempt on the Lease that came too late, and was told so. */
  private static boolean isWriteOfALeader(AuditEntry entry) {
    return entry.isWrite() && !(entry.resource().equals("leases") && entry.status() == 409);
  }

  /** When a replica first had the Lease. */
  private static Instant firstLeaseOf(Replica replica, Instant since) {
    return cluster.auditOfUpdaters(since).stream()
        .filter(replica::sent)
        .filter(entry -> entry.resource().equals("leases") && isWriteOfALeader(entry))
        .map(AuditEntry::received)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void stoppedLeaderHandsOver() {
    cluster.startBothAndAwaitTarget();
    Replica stopped = cluster.leader();
    cluster.awaitRenewals(1);
    Instant begin = Instant.now();
    List<String> holders = new ArrayList<>();
    try (ObjectWatch watch =
        cluster.admin().watch(only(UpdaterCluster.LEASES, UpdaterCluster.LEASE), "")) {
      // The watch is open when its first event, the Lease as it is, has come.
      holders.add(UpdaterCluster.holderIn(watch.next(UpdaterCluster.SOON).orElseThrow().object()));
      assertEquals(0, stopped.stop(UpdaterCluster.SOON), stopped.pod().process().logTail());
      Replica unusedNext = cluster.awaitLeader(replica -> replica != stopped);
      while (stopped.isNamed(last(holders)) || last(holders).isEmpty()) {
        holders.add(
            UpdaterCluster.holderIn(watch.next(UpdaterCluster.SOON).orElseThrow().object()));
      }
    }
    assertTrue(holders.contains(""), () -> "never released: " + holders);
    List<AuditEntry> byStopped =
        cluster.auditOfUpdaters(begin).stream()
            .filter(stopped::sent)
            .filter(AuditEntry::isWrite)
            .toList();
    assertEquals("leases", last(byStopped).resource());
    cluster.assertRepairs();
  }

  private static <T> T last(List<T> list) {
    return list.get(list.size() - 1);
  }

  @Test
  void bothMayRestart() {
    List<Replica> both = cluster.startBoth();
    cluster.awaitTarget();
    both.forEach(replica -> replica.pod().process().terminate());
    for (Replica replica : both) {
      assertEquals(0, replica.pod().process().awaitExit(UpdaterCluster.SOON));
    }
    assertEquals("", cluster.holder());
    cluster.admin().delete(SLICE);
    both.forEach(replica -> replica.pod().restart());
    Replica unusedLeader = cluster.leader();
    cluster.awaitTarget();

    both.forEach(replica -> replica.pod().process().kill());
    cluster.admin().delete(SLICE);
    both.forEach(replica -> replica.pod().restart());
    cluster.awaitTarget();
    // Not one of the dead: their names in the Lease end differently.
    cluster.awaitRenewals(2);
    cluster.assertRepairs();
    cluster.assertNobodyDied();
  }

  @Test
  void deletedLeaseIsMadeAnew() {
    cluster.startBothAndAwaitTarget();
    for (int i = 0; i < 3; i++) {
      String uid = uid(cluster.admin().get(LEASE));
      cluster.admin().delete(LEASE);
      Replica leader = cluster.leader();
      assertFalse(uid.equals(uid(cluster.admin().get(LEASE))));
      Instant begin = Instant.now();
      cluster.assertRepairs();
      cluster.awaitRenewals(3);
      List<AuditEntry> strayed =
          cluster.auditOfUpdaters(begin).stream()
              .filter(ElectionTest::isWriteOfALeader)
              .filter(entry -> !leader.sent(entry))
              .toList();
      assertEquals(List.of(), strayed, "only the leader writes");
    }
    cluster.assertNobodyDied();
  }

  private static String uid(JsonObject object) {
    return object.getAsJsonObject("metadata").get("uid").getAsString();
  }

  @Test
  void strangersLeaseIsRespectedUntilItExpires() {
    cluster.startBothAndAwaitTarget();
    Replica dethroned = cluster.leader();
    // Longer than what the replicas would ask for themselves.
    cluster
        .admin()
        .patch(
            LEASE, "{\"spec\": {\"holderIdentity\": \"stranger\", \"leaseDurationSeconds\": 6}}");
    dethroned
        .pod()
        .process()
        .awaitLog(
            "that it leads no more",
            line -> line.contains("leading=false") && line.contains("stranger"),
            UpdaterCluster.SOON);
    Instant begin = Instant.now();
    cluster.admin().delete(SLICE);
    Deadline busy = Deadline.in(Duration.ofSeconds(8));
    long renewed = System.nanoTime();
    try (ObjectWatch lease =
        cluster.admin().watch(only(UpdaterCluster.LEASES, UpdaterCluster.LEASE), "")) {
      Optional<ObjectWatch.Event> strangers = lease.next(UpdaterCluster.SOON);
      while (!UpdaterCluster.holderIn(strangers.orElseThrow().object()).equals("stranger")) {
        strangers = lease.next(UpdaterCluster.SOON);
      }
      while (!busy.passed()) {
        assertEquals(Optional.empty(), lease.next(Duration.ofSeconds(2)));
        renewed = System.nanoTime();
        cluster.admin().patch(LEASE, "{\"spec\": {\"renewTime\": \"" + microTime() + "\"}}");
        assertTrue(lease.next(UpdaterCluster.SOON).isPresent(), "the stranger's renewal");
      }
    }
    assertEquals("stranger", cluster.holder());
    assertEquals(
        List.of(),
        cluster.auditOfUpdaters(begin).stream().filter(AuditEntry::isWrite).toList(),
        "somebody wrote without the Lease");
    Replica unusedLeader = cluster.leader();
    Duration patience = Duration.ofNanos(System.nanoTime() - renewed);
    assertTrue(patience.compareTo(Duration.ofSeconds(6)) >= 0, patience::toString);
    cluster.awaitTarget();
    cluster.assertNobodyDied();
  }

  private static String only(String collection, String name) {
    return collection + "?fieldSelector=metadata.name%3D" + name;
  }

  /** Now, with the six decimals that the API server insists on. */
  private static String microTime() {
    return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString().replace("Z", ".000000Z");
  }
}
