package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Nodes with the package boot and reboot, whatever has become of the control planes meanwhile. Each
 * test runs on four nodes: both strategies, both modes of kube-proxy, and kube-proxy as a unit and
 * as a pod.
 */
@Tag("real")
@Timeout(180)
class ColdBootTest {
  private static final Duration SOON = Duration.ofSeconds(40);

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "cold-boot",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.POD, "hosts"),
          new NodePlan(3, ProxyMode.NFTABLES, ProxyPlacement.POD, "nft"),
          new NodePlan(4, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "nft"));

  @AfterEach
  void restore() {
    cluster.restoreControlPlanes();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void isPinnedBeforeTheKubeletsFirstDialAndHandedOverAfterIt(int number) {
    BootedNode node = cluster.settled(number);
    node.powerOff();
    node.powerOn();
    long ready = node.awaitSettled(SOON);
    Journal journal = node.journal();
    int pinned = journal.indexOf("Finished", "apiserver-bootstrap.service");
    assertTrue(pinned < journal.indexOf("Started", "kubelet.service"), journal::toString);
    if (cluster.plan(number).placement() == ProxyPlacement.UNIT) {
      assertTrue(pinned < journal.indexOf("Started", "kube-proxy.service"), journal::toString);
    }
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
    assertNothingStays(node);
    // The kubelet writes its status each second: some of it goes through the new address by now.
    long answered = Kubelet.answeredRequests(node);
    Deadline.in(SOON)
        .await("further requests", () -> Kubelet.answeredRequests(node) > answered + 10);
    assertEquals(0, Kubelet.failedRequests(node), journal::toString);
    System.out.println(
        "figure: boot of " + cluster.plan(number) + ": " + BootTimes.of(node, ready));
    node.powerOff();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void rebootsWithoutTheFirstControlPlane(int number) {
    BootedNode node = cluster.settled(number);
    node.beginReboot();
    cluster.lab().controlPlane(1).kill();
    comesBack(node);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void rebootsWithTheThirdControlPlaneAlone(int number) {
    BootedNode node = cluster.settled(number);
    node.powerOff();
    cluster.lab().controlPlane(1).kill();
    cluster.lab().controlPlane(2).kill();
    comesBack(node);
  }

  /** The kubelet starts all the same, after --timeout, and all goes well once one is back. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void isNotHeldForEverWithoutAnyControlPlane(int number) {
    BootedNode node = cluster.settled(number);
    node.powerOff();
    cluster.lab().controlPlanes().forEach(ControlPlaneHost::kill);
    node.disk()
        .write(
            NodePackage.CONFIGURATION,
            node.disk().text(NodePackage.CONFIGURATION) + "TIMEOUT = 3s\n");
    node.powerOn();
    node.awaitUnit("kubelet.service", "active", Duration.ofSeconds(20));
    assertTrue(!node.target(Lab.APISERVER_NAME).isEmpty(), () -> "the name leads nowhere any more");
    cluster.lab().controlPlane(2).restart();
    long unusedReady = node.awaitReady(Duration.ofSeconds(60));
    node.awaitHandover(Duration.ofSeconds(60));
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
    node.powerOff();
  }

  private static void comesBack(BootedNode node) {
    node.powerOn();
    long ready = node.awaitSettled(SOON);
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
    assertEquals("success", node.unit("apiserver-bootstrap.service", "Result"));
    System.out.println("figure: reboot of " + node.name() + ": " + BootTimes.of(node, ready));
    node.powerOff();
  }

  private static void assertNothingStays(BootedNode node) {
    assertEquals(
        "", node.run("pgrep", "--full", "--list-full", "^/usr/lib/apiserver-bootstrap").out());
  }
}
