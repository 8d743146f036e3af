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
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * docs/install.md, followed literally on a running node of a cluster made by hand, whose kubelet
 * and kube-proxy know one control plane by its address: there, over a reboot, and back.
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
    BootedNode node = joinedByAddress();
    byte[] hostsBefore = node.hostsFile();
    List<String> kubeconfigsBefore = kubeconfigs(node);
    putPackage(node, guide);

    List<Guide.Block> blocks = guide.blocks();
    Guide.Block back = blocks.get(blocks.size() - 1);
    assertTrue(back.text().contains("apiserver-bootstrap restore"), back.text());
    for (Guide.Block block : blocks.subList(0, blocks.size() - 1)) {
      follow(block, node);
    }
    assertUsesTheName(node);
    node.reboot();
    long unusedReady = node.awaitReady(LIMIT);
    node.awaitHandover(LIMIT);
    assertUsesTheName(node);

    follow(back, node);
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

  /** Puts the package where the guide's reader has it, under the name that the guide uses. */
  private static void putPackage(BootedNode node, Guide guide) {
    String name =
        guide.blocks().stream()
            .map(Guide.Block::text)
            .filter(text -> text.startsWith("dpkg -i "))
            .map(text -> text.substring("dpkg -i ".length()).strip())
            .findFirst()
            .orElseThrow();
    Path deb = Path.of(System.getProperty("bootstrap.deb"));
    String version =
        Execution.run(LIMIT, "dpkg-deb", "--field", deb.toString(), "Version").orThrow().out();
    assertTrue(name.contains("_" + version.strip() + "_"), name + " is not " + version);
    node.disk().copy(deb.toString(), "/root/" + name);
  }

  private static void follow(Guide.Block block, BootedNode node) {
    String text = withAddressesOfTheLab(block.text());
    switch (block.where()) {
      case "" -> {}
      case "node" -> onNode(block, text, node);
      case "control plane" -> {
        Execution done = Execution.run(LIMIT, "sh", "-ec", text);
        assertEquals(0, done.exitCode(), () -> at(block, done));
        assertTrue(done.out().contains(Lab.APISERVER_NAME), () -> at(block, done));
        assertTrue(done.out().contains(Lab.APISERVER_SERVICE_ADDRESS), () -> at(block, done));
      }
      case "admin" -> {
        for (String line : text.lines().toList()) {
          assertTrue(line.startsWith("kubectl "), line);
          Execution done =
              cluster.lab().kubectl().run(line.substring("kubectl ".length()).split(" +", -1));
          assertEquals(0, done.exitCode(), () -> at(block, done));
        }
      }
      default -> throw new IllegalArgumentException("run where? " + block);
    }
  }

  private static void onNode(Guide.Block block, String text, BootedNode node) {
    node.disk().write("/root/block.sh", "cd /root\n" + text);
    Execution done = node.runWithin(LIMIT, "bash", "-ex", "/root/block.sh");
    assertEquals(0, done.exitCode(), () -> at(block, done));
    System.out.println("docs/install.md:" + block.line() + " said\n" + done.out());
  }

  private static String at(Guide.Block block, Execution done) {
    return "docs/install.md:%d ended with %d%n%s%s"
        .formatted(block.line(), done.exitCode(), done.out(), done.err());
  }

  /** The examples of the guide are no addresses of the lab; all else is as it stands there. */
  private static String withAddressesOfTheLab(String text) {
    String own = text;
    for (ControlPlaneHost controlPlane : cluster.lab().controlPlanes()) {
      int number = cluster.lab().controlPlanes().indexOf(controlPlane) + 1;
      own = own.replace("10.0.0.1" + number, controlPlane.address());
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
