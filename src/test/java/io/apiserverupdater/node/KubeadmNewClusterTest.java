package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Lab;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * docs/install.md for a new kubeadm cluster, followed literally with three control planes and a
 * worker: the whole of what this project is for, with nothing of the lab's own in between. The
 * tests are one life of it.
 */
@Tag("real")
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KubeadmNewClusterTest {
  private static final Duration SOON = Duration.ofSeconds(90);

  @RegisterExtension
  static final KubeadmMachines machines = new KubeadmMachines("kubeadm-new-cluster", 4);

  private final BootedNode first = machines.machine(1);
  private final List<BootedNode> furtherControlPlanes =
      List.of(machines.machine(2), machines.machine(3));
  private final BootedNode worker = machines.machine(4);

  @Test
  @Order(1)
  void followsTheGuideFromInitToTheLastMachine() {
    machines.putPackageOnEach();
    machines.reader().follow(first, "new kubeadm cluster, first control plane");
    GuideReader reader = machines.readerWithSecretsOf(first);
    for (BootedNode machine : furtherControlPlanes) {
      reader.follow(machine, "new kubeadm cluster, other machines");
      reader.follow(machine, "new kubeadm cluster, other control planes");
    }
    reader.follow(worker, "new kubeadm cluster, other machines");
    reader.follow(worker, "new kubeadm cluster, workers");
    machines.putManifests(first);
    reader.follow(first, "admin without the updater");
    reader.follow(first, "admin");
    machines.awaitPublished(first, Set.of(1, 2, 3), SOON);
    for (BootedNode machine : List.of(machines.machine(2), machines.machine(3), worker)) {
      reader.follow(machine, "new kubeadm cluster, other machines, joined");
    }
    reader.follow(first, "new kubeadm cluster, first control plane, at last");

    worker.awaitHandover(SOON);
    reader.follow(worker, "node, at last");
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, worker.target(Lab.APISERVER_NAME));
    for (BootedNode machine : List.of(first, machines.machine(2), machines.machine(3))) {
      machine.awaitHandover(SOON);
      reader.follow(machine, "node, at last");
      assertEquals(machine.host().address(), machine.target(Lab.APISERVER_NAME));
    }
    assertTrue(
        worker
            .disk()
            .text("/etc/kubernetes/kubelet.conf")
            .contains("server: https://" + Lab.APISERVER_NAME + ":6443"));
  }

  /** The one to which everything was joined, whose address everybody had first. */
  @Test
  @Order(2)
  void losesItsFirstControlPlaneAndAWorkerReboots() {
    first.powerOff();
    machines.awaitPublished(machines.machine(2), Set.of(2, 3), SOON);
    machines.awaitAnswer(worker, SOON);
    worker.reboot();
    machines.awaitReady(machines.machine(2), worker, SOON);
    worker.awaitHandover(SOON);
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, worker.target(Lab.APISERVER_NAME));
  }

  @Test
  @Order(3)
  void getsItBack() {
    first.powerOn();
    machines.awaitReady(machines.machine(2), first, SOON);
    machines.awaitPublished(machines.machine(2), Set.of(1, 2, 3), SOON);
    first.awaitHandover(SOON);
    assertEquals(first.host().address(), first.target(Lab.APISERVER_NAME));
  }
}
