package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Lab;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The updater itself depends on apiservers, and must outlive each of them and all of them. */
@Tag("real")
@Timeout(180)
class FailoverTest {
  @RegisterExtension
  static final UpdaterCluster cluster = new UpdaterCluster(Lab.builder("failover"));

  @Test
  void outlivesEachApiserver() {
    List<Replica> both = cluster.startBoth();
    cluster.awaitTarget();
    for (ControlPlaneHost dying : cluster.lab().controlPlanes()) {
      dying.kill();
      cluster.awaitRenewals(3);
      cluster.assertRepairs(cluster.addressesWithout(dying));
      dying.restart();
    }
    assertEndsRight(both);
  }

  @Test
  void outlivesAllApiserversAtOnce() {
    List<Replica> both = cluster.startBoth();
    cluster.awaitTarget();
    cluster.lab().controlPlanes().forEach(ControlPlaneHost::kill);
    for (Replica replica : both) {
      String said = replica.awaitReadyz(500, UpdaterCluster.SOON);
      assertTrue(said.contains("[-]apiserver failed"), said);
      assertEquals(200, replica.health("/livez").status());
    }
    cluster.lab().controlPlanes().forEach(ControlPlaneHost::restart);
    assertEndsRight(both);
  }

  @Test
  void leadsOnWhenItsApiserverFreezes() {
    leadsOnWithout(ControlPlaneHost::pause, ControlPlaneHost::resume);
  }

  @Test
  void leadsOnWhenPacketsToItsApiserverVanish() {
    leadsOnWithout(ControlPlaneHost::unplug, ControlPlaneHost::plug);
  }

  /** The leader keeps the Lease and does its work by way of the others: nobody has to take over. */
  private static void leadsOnWithout(
      Consumer<ControlPlaneHost> fault, Consumer<ControlPlaneHost> remedy) {
    List<Replica> both = cluster.startBoth();
    cluster.awaitTarget();
    Replica leader = cluster.leader();
    cluster.awaitRenewals(2);
    int transitions = cluster.transitions();
    ControlPlaneHost used = cluster.usedBy(leader);
    Instant begin = Instant.now();
    fault.accept(used);
    cluster.assertRepairs(cluster.addressesWithout(used));
    cluster.awaitRenewals(5);
    assertTrue(leader.isNamed(cluster.holder()), cluster::holder);
    assertEquals(transitions, cluster.transitions());
    List<AuditEntry> repairs = cluster.writesOfTarget(begin);
    assertFalse(repairs.isEmpty());
    assertTrue(repairs.stream().allMatch(leader::sent), repairs::toString);
    remedy.accept(used);
    assertEndsRight(both);
  }

  private static void assertEndsRight(List<Replica> both) {
    both.forEach(replica -> assertFalse(replica.awaitReadyz(200, UpdaterCluster.SOON).isEmpty()));
    cluster.awaitSource();
    cluster.awaitTarget();
    Replica unusedLeader = cluster.leader();
    cluster.assertRepairs();
    cluster.assertNobodyDied();
  }
}
