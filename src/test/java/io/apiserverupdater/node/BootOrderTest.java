package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Nodes whose other units are not as the package's ones might expect them. */
@Tag("real")
@Timeout(180)
class BootOrderTest {
  private static final Duration SOON = Duration.ofSeconds(40);
  private static final String PIN = "apiserver-bootstrap.service";
  private static final String UNITS = "/etc/systemd/system/";

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "boot-order",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"));

  /** A second card without a cable keeps the targets of the network waiting, and nothing else. */
  @Test
  void isNotHeldUntilTheLastLinkIsOnline() {
    BootedNode node = cluster.node(1);
    for (String unit :
        List.of(
            UNITS + "kubelet.service",
            UNITS + "kube-proxy.service",
            "/lib/systemd/system/containerd.service")) {
      String text = node.disk().text(unit);
      node.disk().write(unit, text.replaceAll("network(-online)?\\.target ?", ""));
    }
    node.disk()
        .write(
            UNITS + "lab-wait-online.service",
            """
            [Unit]
            Description=Waits for a link without a cable
            Before=network.target network-online.target

            [Service]
            Type=oneshot
            ExecStart=/bin/sleep 70

            [Install]
            WantedBy=network-online.target
            """);
    node.disk().chroot("systemctl", "enable", "lab-wait-online.service").orThrow();
    // Others on the node want them.
    node.disk()
        .chroot(
            "systemctl", "add-wants", "multi-user.target", "network.target", "network-online.target")
        .orThrow();
    node.powerOn();
    long ready = node.awaitSettled(SOON);
    assertEquals("activating", node.unit("lab-wait-online.service", "ActiveState"));
    System.out.println("figure: without a link: " + BootTimes.of(node, ready));
    node.powerOff();
  }

  /** Neither DNS nor a route is there when it starts. */
  @Test
  void pinsOnceTheNetworkIsThere() {
    BootedNode node = cluster.node(2);
    NodePackage.configure(
        node.disk(), "hosts", List.of("control-plane.lab"), Lab.APISERVER_SERVICE_ADDRESS);
    node.host().linkDown();
    node.powerOn();
    awaitSaid(node, "found=no-address");
    String entry = cluster.lab().controlPlane(1).address() + " control-plane.lab";
    node.run("sh", "-c", "echo '" + entry + "' >>/etc/hosts").orThrow();
    awaitSaid(node, "Network is unreachable");
    node.host().linkUp();
    long unusedReady = node.awaitSettled(SOON);
    assertEquals("success", node.unit(PIN, "Result"));
    assertTrue(node.said(PIN).contains("evidence=ready"), node.said(PIN));
    node.powerOff();
  }

  private static void awaitSaid(BootedNode node, String words) {
    Deadline.in(SOON)
        .await(
            words + " of " + PIN,
            () -> node.said(PIN).contains(words),
            () -> node.journalTail(60));
  }
}
