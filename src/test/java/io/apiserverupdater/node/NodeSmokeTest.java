package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The nodes of the lab boot and reboot, without anything of ours on them. */
@Tag("real")
@Timeout(180)
class NodeSmokeTest {
  private static final Duration START = Duration.ofSeconds(60);

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "node-smoke",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, NodePlan.WITHOUT_BOOTSTRAP),
          new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.POD, NodePlan.WITHOUT_BOOTSTRAP));

  @Test
  void joinsAndComesBackAfterAReboot() {
    BootedNode node = bootWithFixedName(1);
    String firstBoot = node.bootId();
    node.reboot();
    long unusedReady = node.awaitReady(START);
    assertNotEquals(firstBoot, node.bootId());
    cluster.awaitClusterIp(node);
    assertEquals("0", node.unit("kubelet.service", "NRestarts"));
    int started =
        node.journal()
            .indexOf(
                "start of the kubelet",
                entry -> entry.fromSystemd() && entry.message().startsWith("Started kubelet"));
    assertTrue(started > 0);
  }

  @Test
  void runsKubeProxyAsAPodAndComesBackAfterAPowerLoss() {
    BootedNode node = bootWithFixedName(2);
    node.powerOff();
    node.powerOn();
    long unusedReady = node.awaitReady(START);
    cluster.awaitClusterIp(node);
    assertEquals("inactive", node.run("systemctl", "is-active", "kube-proxy").out().strip());
  }

  private static BootedNode bootWithFixedName(int number) {
    BootedNode node = cluster.node(number);
    node.disk()
        .write(
            "/etc/hosts",
            node.disk().text("/etc/hosts")
                + cluster.lab().controlPlane(1).address()
                + " "
                + Lab.APISERVER_NAME
                + "\n");
    node.powerOn();
    long unusedReady = node.awaitReady(START);
    cluster.awaitClusterIp(node);
    return node;
  }
}
