package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
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
 * docs/install.md for a running kubeadm cluster, followed literally with a cluster that was made
 * without a thought of this: everybody knows the one control plane by its address. There, with a
 * machine that joins afterwards, over a reboot, and back. The tests are one life of it.
 */
@Tag("real")
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KubeadmRunningClusterTest {
  private static final Duration SOON = Duration.ofSeconds(90);
  private static final String KUBELET_CONF = "/etc/kubernetes/kubelet.conf";

  /** What a person does in the editor, by the comment in the guide. */
  private static final String EDITOR =
      """
      #!/bin/sh
      set -eu
      grep -q '^apiServer: {}$' "$1"
      sed -i 's/^apiServer: {}$/apiServer:\\n  certSANs: [apiserver.cluster.local, 10.96.0.64]/' "$1"
      echo "controlPlaneEndpoint: apiserver.cluster.local:6443" >> "$1"
      """;

  private static final String PLAIN_CLUSTER =
      """
      apiVersion: kubeadm.k8s.io/v1beta4
      kind: ClusterConfiguration
      networking:
        serviceSubnet: 10.96.0.0/16
      """;

  @RegisterExtension
  static final KubeadmMachines machines = new KubeadmMachines("kubeadm-running-cluster", 3);

  private static byte[] hostsBefore = {};
  private static String kubeletBefore = "";

  private final BootedNode controlPlane = machines.machine(1);
  private final BootedNode worker = machines.machine(2);

  @Test
  @Order(1)
  void followsTheGuideOnARunningCluster() {
    controlPlane.disk().write("/root/cluster.yaml", PLAIN_CLUSTER);
    controlPlane.runWithin(SOON, "kubeadm", "init", "--config", "/root/cluster.yaml").orThrow();
    machines.join(controlPlane, worker);
    machines.putPackageOnEach();
    machines.putManifests(controlPlane);
    controlPlane.disk().write("/usr/local/bin/vi", EDITOR);
    controlPlane.run("chmod", "755", "/usr/local/bin/vi").orThrow();
    hostsBefore = worker.hostsFile();
    kubeletBefore = worker.disk().text(KUBELET_CONF);

    GuideReader reader = machines.readerWithSecretsOf(controlPlane);
    reader.follow(controlPlane, "running kubeadm cluster, first control plane");
    awaitNamesInCertificate(reader);
    reader.follow(controlPlane, "admin without the updater");
    reader.follow(controlPlane, "admin");
    machines.awaitPublished(controlPlane, Set.of(1), SOON);
    reader.follow(worker, "node", "running kubeadm cluster, worker");
    reader.follow(controlPlane, "running kubeadm cluster, control plane");
    reader.follow(controlPlane, "running kubeadm cluster, when all machines are done");
    reader.follow(worker, "node, at last");
    reader.follow(controlPlane, "node, at last");
    assertEquals(controlPlane.host().address(), controlPlane.target(Lab.APISERVER_NAME));
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, worker.target(Lab.APISERVER_NAME));
  }

  @Test
  @Order(2)
  void bootsByTheName() {
    worker.reboot();
    machines.awaitReady(controlPlane, worker, SOON);
    worker.awaitHandover(SOON);
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, worker.target(Lab.APISERVER_NAME));
  }

  @Test
  @Order(3)
  void machineJoinsByTheName() {
    BootedNode joining = machines.machine(3);
    GuideReader reader = machines.readerWithSecretsOf(controlPlane);
    reader.follow(joining, "new kubeadm cluster, other machines");
    reader.follow(joining, "new kubeadm cluster, workers");
    reader.follow(joining, "new kubeadm cluster, other machines, joined");
    machines.awaitReady(controlPlane, joining, SOON);
    reader.follow(joining, "node, at last");
    assertTrue(
        joining.disk().text(KUBELET_CONF).contains("https://" + Lab.APISERVER_NAME + ":6443"));
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, joining.target(Lab.APISERVER_NAME));
  }

  @Test
  @Order(4)
  void goesBack() {
    GuideReader reader = machines.readerWithSecretsOf(controlPlane);
    reader.follow(controlPlane, "running kubeadm cluster, back");
    for (BootedNode machine : List.of(worker, machines.machine(3))) {
      reader.follow(machine, "node, back");
      assertEquals("", machine.target(Lab.APISERVER_NAME));
    }
    assertArrayEquals(hostsBefore, worker.hostsFile());
    assertEquals(kubeletBefore, worker.disk().text(KUBELET_CONF));
    for (BootedNode machine : List.of(worker, machines.machine(3))) {
      machine.reboot();
      machines.awaitReady(controlPlane, machine, SOON);
    }
  }

  /** By the first block of the guide. The apiserver looks at its files once a minute. */
  private static void awaitNamesInCertificate(GuideReader reader) {
    Guide.Block block = reader.guide().blocks("control plane").get(0);
    Deadline.in(SOON)
        .await(
            "both names in the certificate",
            () -> {
              String shown =
                  Execution.run(SOON, "sh", "-ec", reader.ownText(block)).orThrow().out();
              return shown.contains(Lab.APISERVER_NAME)
                  && shown.contains(Lab.APISERVER_SERVICE_ADDRESS);
            });
  }
}
