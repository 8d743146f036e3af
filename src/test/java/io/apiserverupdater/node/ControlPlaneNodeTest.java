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
 * A node of the control plane: its own apiserver is started by the very kubelet that needs one. The
 * tests are one life of it, and each goes on where the one before ended.
 */
@Tag("real")
@Timeout(240)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ControlPlaneNodeTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final NodePlan PLAN =
      new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts");

  @RegisterExtension static final NodeCluster cluster = NodeCluster.of("control-plane-node", PLAN);

  @Test
  @Order(1)
  void joinsThroughAPeerAndTurnsToItsOwnApiserver() {
    BootedNode node = cluster.node(1);
    node.disk()
        .write(
            NodePackage.CONFIGURATION,
            "%sROLE = control-plane\nLOCAL_APISERVER = %s\n"
                .formatted(node.disk().text(NodePackage.CONFIGURATION), PLAN.address()));
    node.powerOn();
    long unusedReady = node.awaitReady(SOON);
    assertTrue(peers().contains(node.target(Lab.APISERVER_NAME)), () -> node.journalTail(80));
    StaticApiserver.install(node, cluster.lab());
    node.awaitHandover(SOON);
    assertEquals(PLAN.address(), node.target(Lab.APISERVER_NAME));
  }

  @Test
  @Order(2)
  void bootsThroughAPeerWhileItsOwnApiserverIsDown() {
    BootedNode node = cluster.node(1);
    node.powerOff();
    node.powerOn();
    long ready = node.awaitSettled(SOON);
    String pinned = node.said("apiserver-bootstrap.service");
    assertTrue(pinned.contains("evidence=ready"), pinned);
    assertTrue(peers().stream().anyMatch(peer -> pinned.contains("target=" + peer + ":")), pinned);
    assertEquals(PLAN.address(), node.target(Lab.APISERVER_NAME));
    System.out.println("figure: boot of a control plane: " + BootTimes.of(node, ready));
  }

  /** Nobody but itself can end that: the kubelet must not be kept waiting. */
  @Test
  @Order(3)
  void bootsAloneWhenItIsTheLastControlPlane() {
    BootedNode node = cluster.node(1);
    node.powerOff();
    cluster.lab().controlPlanes().forEach(ControlPlaneHost::kill);
    node.powerOn();
    node.awaitUnit("kubelet.service", "active", Duration.ofSeconds(20));
    node.awaitHandover(SOON);
    String pinned = node.said("apiserver-bootstrap.service");
    assertTrue(pinned.contains("evidence=local"), pinned);
    assertEquals("success", node.unit("apiserver-bootstrap.service", "Result"));
    assertEquals(PLAN.address(), node.target(Lab.APISERVER_NAME));
    cluster.lab().controlPlane(1).restart();
    long unusedReady = node.awaitReady(SOON);
  }

  private static List<String> peers() {
    return cluster.lab().controlPlanes().stream().map(ControlPlaneHost::address).toList();
  }
}
