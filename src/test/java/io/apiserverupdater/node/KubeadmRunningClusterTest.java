package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import java.time.Duration;
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
  static final KubeadmMachines machines = KubeadmMachines.of("kubeadm-running-cluster", 3);

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
    reader.follow("running kubeadm cluster, control plane", controlPlane);
    awaitNamesInCertificate(reader);
    reader.follow("admin without the updater", controlPlane);
    reader.follow("admin", controlPlane);
    machines.awaitPublished(controlPlane, Set.of(1), SOON);
    reader.follow("node", worker);
    reader.follow("running kubeadm cluster, nodes done", controlPlane);
    awaitProxyByName();
    reader.follow("node, at last", worker);
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
    reader.follow("new kubeadm cluster, other machines", joining);
    reader.follow("new kubeadm cluster, workers", joining);
    reader.follow("new kubeadm cluster, other machines, joined", joining);
    machines.awaitReady(controlPlane, joining, SOON);
    reader.follow("node, at last", joining);
    assertTrue(
        joining.disk().text(KUBELET_CONF).contains("https://" + Lab.APISERVER_NAME + ":6443"));
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, joining.target(Lab.APISERVER_NAME));
  }

  @Test
  @Order(4)
  void goesBack() {
    GuideReader reader = machines.readerWithSecretsOf(controlPlane);
    reader.follow("running kubeadm cluster, back", controlPlane);
    reader.follow("node, back", worker);
    assertArrayEquals(hostsBefore, worker.hostsFile());
    assertEquals(kubeletBefore, worker.disk().text(KUBELET_CONF));
    worker.reboot();
    machines.awaitReady(controlPlane, worker, SOON);
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

  private static void awaitProxyByName() {
    BootedNode controlPlane = machines.machine(1);
    controlPlane
        .runWithin(
            SOON,
            "/opt/kube/kubectl",
            "--kubeconfig=/etc/kubernetes/admin.conf",
            "-n",
            "kube-system",
            "rollout",
            "status",
            "--timeout=60s",
            "daemonset",
            "kube-proxy")
        .orThrow();
  }
}
