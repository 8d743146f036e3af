package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * At each boot other programs undo what the bootstrap does, before the pin and between it and the
 * kubelet. The nodes boot at the same time, are clones with one machine-id, and on the second one
 * the kubelet's unit has another name.
 */
@Tag("real")
@Timeout(180)
class OtherProgramsTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String PIN = "apiserver-bootstrap.service";
  private static final String HANDOVER = "apiserver-bootstrap-handover.service";
  private static final String UNITS = "/etc/systemd/system/";
  private static final String KUBELET_OF_THE_SECOND = "snap.kubelet.service";
  private static final String HOSTS_AT_FIRST = "/root/hosts";

  /** How many blocks of ours were in the file is kept, and told by {@link #blocksFound}. */
  private static final String LOOK =
      "grep -c '^# BEGIN apiserver-bootstrap' /etc/hosts >/var/log/lab-%s || true\n";

  /** In place, as cloud-init does it; its template does not know the name. */
  private static final String FROM_TEMPLATE = "cat /etc/cloud/templates/hosts.tmpl >/etc/hosts\n";

  private static final String WITHOUT_COMMENTS = "sed -i '/^#/d' /etc/hosts\n";

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "other-programs",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "nft"));

  private static List<BootedNode> nodes() {
    return List.of(cluster.node(1), cluster.node(2));
  }

  @BeforeAll
  static void joinClonedNodes() {
    NodeDisk second = cluster.node(2).disk();
    second.chroot("systemctl", "disable", "kubelet.service").orThrow();
    second.chroot("mv", UNITS + "kubelet.service", UNITS + KUBELET_OF_THE_SECOND).orThrow();
    second.chroot("systemctl", "enable", KUBELET_OF_THE_SECOND).orThrow();
    second.write(
        NodePackage.CONFIGURATION,
        second.text(NodePackage.CONFIGURATION) + "KUBELET_UNIT = " + KUBELET_OF_THE_SECOND + "\n");
    for (BootedNode node : nodes()) {
      node.disk().write("/etc/machine-id", "6e6f6465636c6f6e656420746f6f2100\n");
      node.disk()
          .write(
              "/etc/cloud/templates/hosts.tmpl",
              "127.0.1.1 %1$s %1$s\n127.0.0.1 localhost\n".formatted(node.name()));
      addOtherProgram(node, "before", "Before=" + PIN);
      addOtherProgram(
          node,
          "after",
          "After=%s\nBefore=kubelet.service %s kube-proxy.service"
              .formatted(PIN, KUBELET_OF_THE_SECOND));
      node.powerOn();
    }
    for (BootedNode node : nodes()) {
      long unusedReady = node.awaitSettled(SOON);
    }
    for (BootedNode node : nodes()) {
      node.powerOff();
      node.disk().chroot("cp", "/etc/hosts", HOSTS_AT_FIRST).orThrow();
    }
  }

  /** It does what a test writes into its script, once in each boot. */
  private static void addOtherProgram(BootedNode node, String when, String order) {
    String unit = "lab-" + when + ".service";
    node.disk()
        .write(
            UNITS + unit,
            """
            [Unit]
            Description=Another program
            %s
            ConditionPathExists=/etc/lab/%s

            [Service]
            Type=oneshot
            RemainAfterExit=yes
            ExecStart=/bin/sh -e /etc/lab/%s

            [Install]
            WantedBy=multi-user.target
            """
                .formatted(order, when, when));
    node.disk().chroot("systemctl", "enable", unit).orThrow();
  }

  private static void otherProgram(BootedNode node, String when, String script) {
    node.disk().write("/etc/lab/" + when, script);
  }

  @AfterEach
  void restore() {
    for (BootedNode node : nodes()) {
      if (node.on()) {
        node.powerOff();
      }
      node.host().linkUp();
      node.disk().chroot("cp", HOSTS_AT_FIRST, "/etc/hosts").orThrow();
      node.disk().chroot("rm", "-rf", "/etc/lab").orThrow();
      node.disk().chroot("systemctl", "disable", "nftables.service").orThrow();
      node.disk().chroot("systemctl", "enable", "kube-proxy.service").orThrow();
    }
  }

  @Test
  void comesBackWhateverIsDoneToTheHostsFileAtEachBoot() {
    for (String manner : List.of(FROM_TEMPLATE, FROM_TEMPLATE, WITHOUT_COMMENTS)) {
      for (BootedNode node : nodes()) {
        otherProgram(node, "before", LOOK.formatted("before") + manner);
        otherProgram(node, "after", LOOK.formatted("after") + manner);
        node.powerOn();
      }
      for (BootedNode node : nodes()) {
        long unusedReady = node.awaitSettled(SOON);
        // The boot before had put it back, and so has the pin of this one.
        assertEquals("1", blocksFound(node, "before"), () -> node.journalTail(60));
        assertEquals("1", blocksFound(node, "after"), () -> node.journalTail(60));
        assertBackInTheHostsFile(node);
        for (String property : List.of("WantedBy", "Before")) {
          String units = node.unit(PIN, property);
          assertTrue(List.of(units.split(" ", -1)).contains(kubelet(node)), units);
        }
        Journal journal = node.journal();
        int pinned = journal.indexOf("Finished", PIN);
        assertTrue(pinned > journal.indexOf("Finished", "lab-before.service"), journal::toString);
        int undone = journal.indexOf("Finished", "lab-after.service");
        assertTrue(pinned < undone, journal::toString);
        assertTrue(undone < journal.indexOf("Started", kubelet(node)), journal::toString);
        node.powerOff();
      }
    }
  }

  private static String blocksFound(BootedNode node, String when) {
    return node.disk().text("/var/log/lab-" + when).strip();
  }

  private static String kubelet(BootedNode node) {
    return node == cluster.node(2) ? KUBELET_OF_THE_SECOND : "kubelet.service";
  }

  private static void assertBackInTheHostsFile(BootedNode node) {
    String hosts = new String(node.hostsFile(), StandardCharsets.UTF_8);
    assertEquals(1, hosts.lines().filter(it -> it.contains(Lab.APISERVER_NAME)).count(), hosts);
    assertTrue(hosts.contains("# BEGIN apiserver-bootstrap"), hosts);
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME), hosts);
  }

  /**
   * By nftables.service before the pin, between the pin and the kubelet, during the hand-over, and
   * after it. kube-proxy is held back: for long only the rule leads to a control plane.
   */
  @Test
  void hasItsRuleAgainWheneverAllRulesAreFlushed() {
    BootedNode node = cluster.node(2);
    node.disk().chroot("systemctl", "disable", "kube-proxy.service").orThrow();
    node.disk().chroot("systemctl", "enable", "nftables.service").orThrow();
    otherProgram(node, "after", "nft list ruleset >/var/log/lab-after\nnft flush ruleset\n");
    node.powerOn();
    long unusedReady = node.awaitReady(SOON);
    assertEquals("active", node.unit("nftables.service", "ActiveState"));
    String pinned = node.disk().text("/var/log/lab-after");
    assertTrue(pinned.contains("table ip apiserver_bootstrap"), pinned);
    awaitRule(node, "between the pin and the kubelet");
    assertEquals("activating", node.unit(HANDOVER, "ActiveState"));
    flush(node);
    awaitRule(node, "during the hand-over");
    String again = "rule=installed reason=\"another program removed it\"";
    // What was flushed before the hand-over began is installed again with the pin instead.
    Deadline.in(SOON).await(again, () -> node.said(HANDOVER).contains(again));
    assertTrue(NodeCluster.accepts(node, Lab.APISERVER_SERVICE_ADDRESS), () -> rules(node));
    node.run("systemctl", "start", "kube-proxy.service").orThrow();
    node.awaitHandover(SOON);
    // Else kube-proxy might help.
    node.run("systemctl", "stop", "kube-proxy.service").orThrow();
    flush(node);
    assertFalse(NodeCluster.accepts(node, Lab.APISERVER_SERVICE_ADDRESS), () -> rules(node));
    String checked = node.runWithin(SOON, "apiserver-bootstrap", "check").out();
    assertTrue(checked.contains("run apiserver-bootstrap refresh"), checked);
    // Its timer does that each day. The name leads nowhere.
    node.runWithin(SOON, "systemctl", "start", "apiserver-bootstrap-refresh.service").orThrow();
    awaitRule(node, "after the hand-over");
    assertTrue(NodeCluster.accepts(node, Lab.APISERVER_SERVICE_ADDRESS), () -> rules(node));
  }

  private static void flush(BootedNode node) {
    node.run("nft", "flush", "ruleset").orThrow();
  }

  private static String rules(BootedNode node) {
    return node.run("nft", "list", "ruleset").orThrow().out();
  }

  private static void awaitRule(BootedNode node, String flushed) {
    Deadline.in(SOON)
        .await(
            "the rule that was flushed " + flushed,
            () -> rules(node).contains("table ip apiserver_bootstrap"),
            () -> node.journalTail(60));
  }

  /** The kernel looks for a route before any rule sees the packet, kube-proxy's too. */
  @Test
  void staysPinnedUntilThereIsARouteToTheClusterIp() {
    List<String> controlPlanes =
        cluster.lab().controlPlanes().stream().map(ControlPlaneHost::address).toList();
    for (BootedNode node : nodes()) {
      node.host().run("ip", "route", "del", "default").orThrow();
      node.powerOn();
    }
    for (BootedNode node : nodes()) {
      long unusedReady = node.awaitReady(SOON);
      String said = node.said(PIN);
      assertTrue(said.contains("evidence=ready"), said);
      assertEquals(node == cluster.node(2), said.contains("fallback=hosts"), said);
      assertTrue(controlPlanes.contains(node.target(Lab.APISERVER_NAME)), said);
      assertEquals("activating", node.unit(HANDOVER, "ActiveState"));
      String checked = node.runWithin(SOON, "apiserver-bootstrap", "check").out();
      assertTrue(checked.contains("Network is unreachable"), checked);
      node.host().linkUp();
      node.awaitHandover(SOON);
      assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
    }
    assertTrue(rules(cluster.node(2)).contains("table ip apiserver_bootstrap"));
  }

  /** Of so many, two nodes have the same order by accident once in 479 million. */
  @Test
  void clonesAskTheControlPlanesInDifferentOrders() {
    List<String> many = IntStream.rangeClosed(1, 12).mapToObj(i -> "172.30.5." + i).toList();
    nodes().forEach(BootedNode::powerOn);
    List<String> orders = nodes().stream().map(node -> NodePackage.order(node, many)).toList();
    assertNotEquals(orders.get(0), orders.get(1));
  }
}
