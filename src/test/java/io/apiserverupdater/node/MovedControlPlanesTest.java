package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * All addresses of the control planes change while nodes are down. The second test goes on where
 * the first one ends: only new control planes are there.
 */
@Tag("real")
@Timeout(240)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MovedControlPlanesTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String PIN = "apiserver-bootstrap.service";

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "moved-control-planes",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "nft"),
          new NodePlan(3, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"));

  @Test
  @Order(1)
  void findsTheOneThatTheLastRefreshHasSeen() {
    // This one is down before anything changes, and learns nothing.
    cluster.settled(3).powerOff();
    List<ControlPlaneHost> old = cluster.lab().controlPlanes();
    List<BootedNode> nodes = List.of(cluster.settled(1), cluster.settled(2));
    ControlPlaneHost added = cluster.lab().addControlPlane();
    cluster.awaitPublished();
    for (BootedNode node : nodes) {
      // What its timer does each day.
      node.run("systemctl", "start", "apiserver-bootstrap-refresh.service").orThrow();
      node.powerOff();
    }
    old.forEach(ControlPlaneHost::kill);
    for (BootedNode node : nodes) {
      node.powerOn();
      long unusedReady = node.awaitSettled(SOON);
      assertTrue(node.said(PIN).contains("target=" + added.address()), node.said(PIN));
      assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
      node.powerOff();
    }
  }

  @Test
  @Order(2)
  void saysWhatToDoWhenItHasSeenNoneOfTheNewOnes() {
    ControlPlaneHost added = cluster.lab().controlPlane(4);
    BootedNode node = cluster.node(3);
    String configuration = node.disk().text(NodePackage.CONFIGURATION);
    node.disk().write(NodePackage.CONFIGURATION, configuration + "TIMEOUT = 3s\n");
    node.powerOn();
    node.awaitUnit("kubelet.service", "active", SOON);
    String said = node.said(PIN);
    assertTrue(said.contains("no control plane answered"), said);
    assertTrue(said.contains("CONTROL_PLANE"), said);
    assertTrue(said.contains(NodePackage.CONFIGURATION), said);
    // So that is what is done.
    node.disk()
        .write(
            NodePackage.CONFIGURATION,
            configuration.replaceFirst(
                "CONTROL_PLANE = ", "CONTROL_PLANE = " + added.address() + ","));
    node.run("systemctl", "restart", PIN).orThrow();
    long unusedReady = node.awaitSettled(SOON);
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
  }
}
