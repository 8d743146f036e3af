package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Nodes as kubeasz makes them, in a cluster that refuses anonymous requests: nobody says who is
 * ready but to the kubelet's credential. The nodes boot at the same time.
 */
@Tag("real")
@Timeout(180)
class KubeaszClusterTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String PIN = "apiserver-bootstrap.service";

  /** It was 30 s, for want of one that is ready; much for a slow machine. */
  private static final Duration IN_TIME = Duration.ofSeconds(10);

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "kubeasz",
          List.of("--anonymous-auth=false"),
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "nft"));

  private static List<BootedNode> nodes() {
    return List.of(cluster.node(1), cluster.node(2));
  }

  /** As docs/install.md has it. */
  @BeforeAll
  static void configure() {
    for (int number = 1; number <= 2; number++) {
      NodeDisk disk = cluster.node(number).disk();
      NodeConfiguration.moveToKubeaszPlaces(disk, cluster.plan(number), cluster.lab());
      disk.write(
          NodePackage.CONFIGURATION,
          disk.text(NodePackage.CONFIGURATION)
              + """
              CA_FILE = /etc/kubernetes/ssl/ca.pem
              KUBECONFIG = /etc/kubernetes/kubelet.kubeconfig
              """);
    }
  }

  @Test
  void comesBackAtEachBoot() {
    for (int boot = 1; boot <= 2; boot++) {
      nodes().forEach(BootedNode::powerOn);
      for (BootedNode node : nodes()) {
        long unusedReady = node.awaitSettled(SOON);
        assertTrue(node.said(PIN).contains("evidence=ready"), node.said(PIN));
        assertEquals("success", node.unit(PIN, "Result"));
        Duration took = BootTimes.pinUnit(node);
        System.out.println("figure: no anonymous requests, pinned in " + took.toMillis() + " ms");
        assertTrue(took.compareTo(IN_TIME) < 0, node.said(PIN));
        assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
        String later = node.said("apiserver-bootstrap-handover.service");
        assertTrue(later.contains("refresh=done"), later);
        String checked = node.runWithin(SOON, "apiserver-bootstrap", "check").out();
        assertFalse(Pattern.compile("(?m)^fail").matcher(checked).find(), checked);
        node.powerOff();
      }
    }
  }
}
