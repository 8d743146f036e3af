package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * docs/install.md, followed literally on a running node of a cluster made by hand, whose kubelet
 * and kube-proxy know one control plane by its address: there, over a reboot, and back. For
 * clusters made by kubeadm {@link KubeadmNewClusterTest} and {@link KubeadmRunningClusterTest} do
 * so.
 */
@Tag("real")
@Timeout(300)
class InstallGuideTest {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final List<String> KUBECONFIGS =
      List.of("/etc/kubernetes/kubelet.conf", "/etc/kubernetes/kube-proxy.kubeconfig");

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "install-guide",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, NodePlan.WITHOUT_BOOTSTRAP));

  @Test
  void leadsARunningNodeThereOverARebootAndBack() {
    Guide guide = Guide.read(cluster.lab().projectRoot().resolve("docs/install.md"));
    GuideReader reader = new GuideReader(guide, addressesOfTheLab());
    BootedNode node = joinedByAddress();
    byte[] hostsBefore = node.hostsFile();
    List<String> kubeconfigsBefore = kubeconfigs(node);
    reader.putPackage(node);

    for (Guide.Block block : guide.blocks()) {
      switch (block.where()) {
        case "control plane" -> assertCertificate(reader, block);
        case "admin" -> asAdmin(reader, block);
        case "node", "node with a unit kube-proxy", "node, at last" -> reader.follow(block, node);
        default -> {}
      }
    }
    assertUsesTheName(node);
    node.reboot();
    long unusedReady = node.awaitSettled(LIMIT);
    assertUsesTheName(node);

    reader.follow(node, "node with a unit kube-proxy, back");
    reader.follow(node, "node, back");
    assertArrayEquals(hostsBefore, node.hostsFile());
    assertEquals(kubeconfigsBefore, kubeconfigs(node));
    assertFalse(Files.exists(node.disk().path("/usr/bin/apiserver-bootstrap")));
    node.reboot();
    long unusedReadyAgain = node.awaitReady(LIMIT);
  }

  /** A node as it is before: no name in its hosts file, one address in its kubeconfigs. */
  private static BootedNode joinedByAddress() {
    String address = cluster.lab().controlPlane(1).address();
    BootedNode node = cluster.node(1);
    String hosts = node.disk().text("/etc/hosts");
    node.disk().write("/etc/hosts", hosts + address + " " + Lab.APISERVER_NAME + "\n");
    node.powerOn();
    long unusedReady = node.awaitReady(LIMIT);
    for (String file : KUBECONFIGS) {
      node.run("sed", "-i", "s/" + Lab.APISERVER_NAME + "/" + address + "/", file).orThrow();
    }
    node.disk().write("/etc/hosts", hosts);
    node.reboot();
    long unusedReadyAgain = node.awaitReady(LIMIT);
    cluster.awaitClusterIp(node);
    return node;
  }

  private static List<String> kubeconfigs(BootedNode node) {
    return KUBECONFIGS.stream().map(node.disk()::text).toList();
  }

  private static void assertCertificate(GuideReader reader, Guide.Block block) {
    Execution done = Execution.run(LIMIT, "sh", "-ec", reader.ownText(block));
    assertEquals(0, done.exitCode(), () -> GuideReader.at(block, done));
    assertTrue(done.out().contains(Lab.APISERVER_NAME), () -> GuideReader.at(block, done));
    assertTrue(
        done.out().contains(Lab.APISERVER_SERVICE_ADDRESS), () -> GuideReader.at(block, done));
  }

  private static void asAdmin(GuideReader reader, Guide.Block block) {
    for (String line : reader.ownText(block).lines().toList()) {
      assertTrue(line.startsWith("kubectl "), line);
      Execution done =
          cluster.lab().kubectl().run(line.substring("kubectl ".length()).split(" +", -1));
      assertEquals(0, done.exitCode(), () -> GuideReader.at(block, done));
    }
  }

  /** The examples of the guide are no addresses of the lab. */
  private static Map<String, String> addressesOfTheLab() {
    Map<String, String> own = new HashMap<>();
    for (ControlPlaneHost controlPlane : cluster.lab().controlPlanes()) {
      int number = cluster.lab().controlPlanes().indexOf(controlPlane) + 1;
      own.put("10.0.0.1" + number, controlPlane.address());
    }
    return own;
  }

  private static void assertUsesTheName(BootedNode node) {
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
    for (String kubeconfig : kubeconfigs(node)) {
      assertTrue(
          kubeconfig.contains("server: https://" + Lab.APISERVER_NAME + ":6443"), kubeconfig);
    }
  }
}
