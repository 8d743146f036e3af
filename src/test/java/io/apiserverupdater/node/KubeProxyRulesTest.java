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
import io.apiserverupdater.lab.LabProcess;
import io.apiserverupdater.lab.ProxyMode;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.TrafficTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
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
  private static final String PROBE_ADDRESS = "10.96.0.99";

  /** Outside the range from which the kernel takes ports for clients. */
  private static final int SOURCE_PORT = 20_042;

  /**
   * Connects from one source port and sends what the server does not read; once the server has
   * reset that connection, connects from the same port again, after 0.2 s and 1.5 s after that.
   */
  private static final String SAME_PORT =
      """
      use Socket;
      $| = 1;
      my ($port, $ip) = @ARGV;
      sub dial {
        socket(my $s, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
        setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
        bind($s, sockaddr_in($port, INADDR_ANY)) or die "bind: $!";
        return connect($s, sockaddr_in(6443, inet_aton($ip))) ? $s : undef;
      }
      my $held = dial() or die "connect: $!";
      syswrite($held, "unread") or die "write: $!";
      print "held\\n";
      defined(sysread($held, my $answer, 1)) and die "not reset";
      print "$!\\n";
      close($held);
      for my $pause (0.2, 1.5) {
        select(undef, undef, undef, $pause);
        print dial() ? "connected\\n" : "$!\\n";
      }
      """;

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

  /**
   * The kernel of an apiserver that is killed resets what it had not read. conntrack keeps the
   * entry of such a connection, which leads the next one from the same port to the dead apiserver.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void refusesAPortThatADeadApiserverResetForASecondAtMost(int number) {
    BootedNode node = cluster.settled(number);
    ControlPlaneHost dying = cluster.lab().controlPlane(2);
    publishProbe(dying);
    Deadline.in(SOON).await("the Service", () -> NodeCluster.accepts(node, PROBE_ADDRESS));
    dying.pause();
    LabProcess client =
        node.start("same-port-" + number, "perl", "-e", SAME_PORT, "" + SOURCE_PORT, PROBE_ADDRESS);
    client.awaitLog("a connection", line -> line.equals("held"), SOON);
    ControlPlaneHost alive = cluster.lab().controlPlane(1);
    publishProbe(alive);
    TrafficTarget probe = TrafficTarget.of(PROBE_ADDRESS, Lab.APISERVER_PORT, Lab.APISERVER_NAME);
    try (Traffic others = cluster.lab().traffic(node.host(), probe)) {
      others.awaitOnly(Set.of(alive.name()), REQUESTS, SOON);
    }
    dying.kill();
    assertEquals(0, client.awaitExit(SOON), client::logText);
    assertEquals(
        List.of("held", "Connection reset by peer", "Connection refused", "connected"),
        client.logLines());
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
    publishProbe(alive);
    Deadline.in(SOON)
        .await(
            "kube-proxy of " + node.name() + " to program a new Service",
            () -> NodeCluster.accepts(node, PROBE_ADDRESS),
            () -> node.journalTail(60));
  }

  /** A Service whose one endpoint is this control plane. */
  private static void publishProbe(ControlPlaneHost controlPlane) {
    Kubectl kubectl = cluster.lab().kubectl();
    kubectl.publish(
        "default", "probe", PROBE_ADDRESS, "probe", "IPv4", List.of(controlPlane.address()));
  }
}
