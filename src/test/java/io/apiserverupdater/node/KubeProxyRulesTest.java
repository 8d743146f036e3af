package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Kubectl;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.ProxyMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the two strategies do for a node on which kube-proxy's rules are missing, or whose
 * kube-proxy started before the hand-over.
 */
@Tag("real")
@Timeout(180)
class KubeProxyRulesTest {
  private static final Duration SOON = Duration.ofSeconds(40);
  private static final int REQUESTS = 10;

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "kube-proxy-rules",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "nft"),
          new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "nft"),
          new NodePlan(3, ProxyMode.NFTABLES, ProxyPlacement.POD, "nft"),
          new NodePlan(4, ProxyMode.NFTABLES, ProxyPlacement.POD, "hosts"));

  @AfterEach
  void restore() {
    cluster.admin().delete("/api/v1/namespaces/default/services/probe");
    cluster.admin().delete("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/probe");
    cluster.restoreControlPlanes();
  }

  /** The rule of the boot stays as a net: without kube-proxy's rules it carries the traffic. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void carriesOnWhenKubeProxysRulesAreDeleted(int number) {
    BootedNode node = cluster.settled(number);
    long before = carriedByTheBootRule(node);
    assertAllAnswered(node);
    assertEquals(before, carriedByTheBootRule(node), "kube-proxy's rules come first");
    // Stopped, so that it does not write them again at once.
    node.run("systemctl", "stop", "kube-proxy").orThrow();
    if (cluster.plan(number).mode() == ProxyMode.NFTABLES) {
      node.run("nft", "delete", "table", "ip", "kube-proxy").orThrow();
    } else {
      node.run("iptables", "-t", "nat", "-F").orThrow();
    }
    assertAllAnswered(node);
    assertTrue(carriedByTheBootRule(node) >= before + REQUESTS, () -> rules(node));
    node.run("systemctl", "start", "kube-proxy").orThrow();
    node.powerOff();
  }

  /** Also where there is a hosts entry only: the rule's absence shows what it is worth. */
  @Test
  void hasNoNetWithStrategyHosts() {
    BootedNode node = cluster.settled(4);
    assertNotEquals(0, node.run("nft", "list", "table", "ip", "apiserver_bootstrap").exitCode());
    node.powerOff();
  }

  /**
   * A process with the host's network that started before the hand-over has a copy of the hosts
   * file of that time. With nft the name has not changed since, so it gets to a living control
   * plane when its first one dies.
   */
  @Test
  void leadsAnEarlyHostNetworkPodToALivingControlPlane() {
    BootedNode node = cluster.settled(3);
    node.powerOff();
    node.powerOn();
    long unusedReady = node.awaitSettled(SOON);
    assertTrue(
        hostsOfKubeProxy(node).contains(Lab.APISERVER_SERVICE_ADDRESS), hostsOfKubeProxy(node));
    firstControlPlane(node).kill();
    assertKubeProxyFollows(node);
    node.powerOff();
  }

  /** Trap 1, which strategy hosts leaves open: such a pod stays with its first control plane. */
  @Test
  void leavesAnEarlyHostNetworkPodPinnedWithStrategyHosts() {
    BootedNode node = cluster.settled(4);
    node.powerOff();
    node.powerOn();
    long unusedReady = node.awaitSettled(SOON);
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
    String copy = hostsOfKubeProxy(node);
    assertTrue(copy.contains(firstControlPlane(node).address()), copy);
    assertFalse(copy.contains(Lab.APISERVER_SERVICE_ADDRESS), copy);
    node.powerOff();
  }

  private static void assertAllAnswered(BootedNode node) {
    for (int i = 0; i < REQUESTS; i++) {
      Execution answer =
          node.run(
              "/opt/kube/kubectl",
              "--kubeconfig=/etc/kubernetes/kubelet.conf",
              "--request-timeout=5s",
              "get",
              "--raw=/readyz");
      assertEquals("ok", answer.out(), answer::toString);
    }
  }

  private static String rules(BootedNode node) {
    return node.run("nft", "list", "table", "ip", "apiserver_bootstrap").orThrow().out();
  }

  /** How many connections the boot-time rule has led. */
  private static long carriedByTheBootRule(BootedNode node) {
    return rules(node)
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("packets "))
        .mapToLong(line -> Long.parseLong(line.split(" ", -1)[1]))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no counter in\n" + rules(node)));
  }

  /** The control plane that this boot was pinned to. */
  private static ControlPlaneHost firstControlPlane(BootedNode node) {
    String said =
        node.journal().of("apiserver-bootstrap.service").stream()
            .map(JournalEntry::message)
            .filter(message -> message.contains("phase=pinned"))
            .collect(Collectors.joining("\n"));
    return cluster.lab().controlPlanes().stream()
        .filter(controlPlane -> said.contains("target=" + controlPlane.address()))
        .findFirst()
        .orElseThrow(() -> new AssertionError("pinned to none of ours: " + said));
  }

  /** What the kubelet has copied for the newest container of kube-proxy's pod. */
  private static String hostsOfKubeProxy(BootedNode node) {
    try (Stream<Path> pods = Files.list(node.disk().path("/var/lib/kubelet/pods"))) {
      List<Path> copies = pods.map(pod -> pod.resolve("etc-hosts")).filter(Files::exists).toList();
      if (copies.size() != 1) {
        throw new LabException("expected one pod's hosts file, found " + copies);
      }
      return Files.readString(copies.get(0));
    } catch (IOException e) {
      throw new LabException("cannot read the hosts files of pods", e);
    }
  }

  /** A new Service works from the node: its kube-proxy has heard of it. */
  private static void assertKubeProxyFollows(BootedNode node) {
    ControlPlaneHost alive =
        cluster.lab().controlPlanes().stream()
            .filter(ControlPlaneHost::reachable)
            .findFirst()
            .orElseThrow();
    Kubectl kubectl = cluster.lab().kubectl();
    kubectl.publish("default", "probe", "10.96.0.99", "probe", "IPv4", List.of(alive.address()));
    Deadline.in(SOON)
        .await(
            "kube-proxy of " + node.name() + " to program a new Service",
            () -> NodeCluster.accepts(node, "10.96.0.99"),
            () -> node.journalTail(60));
  }
}
