package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The package is upgraded, downgraded, removed and purged on a node that is at work. */
@Tag("real")
@Timeout(240)
class PackageLifeTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String KERNEL_SETTINGS = "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_";

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "package-life",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "nft"));

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void neverLeavesTheNodeWithoutAControlPlane(int number) throws IOException {
    BootedNode node = cluster.settled(number);
    String configuration = node.disk().text(NodePackage.CONFIGURATION);
    String kubelet = node.unit("kubelet.service", "MainPID");
    byte[] hosts = node.hostsFile();
    assertEquals("1 1", kernelSettings(node));
    setKernelSettings(node, 120, 10);

    for (String version : new String[] {"9.9.9", "0.0.1"}) {
      NodePackage.repack(node, version);
      // As after an upgrade from a version without it.
      node.run("systemctl", "stop", "apiserver-bootstrap-handover.path").orThrow();
      Execution installed =
          node.runWithin(
              SOON, "dpkg", "--install", "/root/apiserver-bootstrap_" + version + ".deb");
      assertEquals(0, installed.exitCode(), installed::toString);
      assertEquals(version, NodePackage.version(node));
      assertEquals(configuration, node.disk().text(NodePackage.CONFIGURATION));
      assertArrayEquals(hosts, node.hostsFile());
      assertEquals(kubelet, node.unit("kubelet.service", "MainPID"), "the kubelet was restarted");
      node.run("systemctl", "is-enabled", "apiserver-bootstrap.service").orThrow();
      assertEquals("1 1", kernelSettings(node));
      assertEquals("active", node.unit("apiserver-bootstrap-handover.path", "ActiveState"));
    }
    Path override = node.disk().path("/etc/sysctl.d/99-administrator.conf");
    Files.writeString(override, "net.netfilter.nf_conntrack_tcp_timeout_syn_sent = 3\n");
    NodePackage.repack(node, "9.9.10");
    node.runWithin(SOON, "dpkg", "--install", "/root/apiserver-bootstrap_9.9.10.deb").orThrow();
    assertEquals("3 1", kernelSettings(node));
    Files.delete(override);
    reboots(node);
    assertEquals("1 1", kernelSettings(node));
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));

    String restarted = node.unit("kubelet.service", "MainPID");
    Execution removed = node.runWithin(SOON, "dpkg", "--remove", "apiserver-bootstrap");
    assertEquals(0, removed.exitCode(), removed::toString);
    assertEquals(restarted, node.unit("kubelet.service", "MainPID"), "the kubelet was restarted");
    assertLeadsToAControlPlane(cluster, node, removed);
    assertTrue(Files.exists(node.disk().path(NodePackage.CONFIGURATION)));
    setKernelSettings(node, 120, 10);
    reboots(node);
    assertEquals("120 10", kernelSettings(node));

    Execution purged = node.runWithin(SOON, "dpkg", "--purge", "apiserver-bootstrap");
    assertEquals(0, purged.exitCode(), purged::toString);
    assertFalse(Files.exists(node.disk().path(NodePackage.CONFIGURATION)));
    assertFalse(Files.exists(node.disk().path("/var/lib/apiserver-bootstrap")));
    assertLeadsToAControlPlane(cluster, node, purged);
    reboots(node);
    node.powerOff();
  }

  /** Nobody pins any more, so it has to lead to one that is there without kube-proxy. */
  static void assertLeadsToAControlPlane(NodeCluster cluster, BootedNode node, Execution said) {
    String target = node.target(Lab.APISERVER_NAME);
    assertTrue(
        cluster.lab().controlPlanes().stream()
            .map(ControlPlaneHost::address)
            .anyMatch(target::equals),
        () -> "the name leads to \"" + target + "\": " + said);
    long answered = Kubelet.answeredRequests(node);
    Deadline.in(SOON)
        .await("the kubelet's requests", () -> Kubelet.answeredRequests(node) > answered + 5);
  }

  /** How many seconds conntrack keeps an unanswered SYN, and a connection that was reset. */
  private static String kernelSettings(BootedNode node) {
    return node.run("cat", KERNEL_SETTINGS + "syn_sent", KERNEL_SETTINGS + "close")
        .orThrow()
        .out()
        .strip()
        .replace('\n', ' ');
  }

  private static void setKernelSettings(BootedNode node, int synSent, int close) {
    String set =
        "echo %d >%s && echo %d >%s"
            .formatted(synSent, KERNEL_SETTINGS + "syn_sent", close, KERNEL_SETTINGS + "close");
    node.run("sh", "-c", set).orThrow();
  }

  private static void reboots(BootedNode node) {
    node.reboot();
    long unusedReady = node.awaitReady(SOON);
    cluster.awaitClusterIp(node);
    if (!NodePackage.version(node).isEmpty()) {
      node.awaitHandover(SOON);
    }
  }
}
