package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
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
  private static final String HANDOVER = "apiserver-bootstrap-handover.service";
  private static final String UNITS = "/etc/systemd/system/";

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "boot-order",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(3, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(4, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(5, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"));

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
            "systemctl",
            "add-wants",
            "multi-user.target",
            "network.target",
            "network-online.target")
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
    awaitSaid(node, PIN, "looking-again=");
    String entry = cluster.lab().controlPlane(1).address() + " control-plane.lab";
    node.run("sh", "-c", "echo '" + entry + "' >>/etc/hosts").orThrow();
    awaitSaid(node, PIN, "Network is unreachable");
    node.host().linkUp();
    long unusedReady = node.awaitSettled(SOON);
    assertEquals("success", node.unit(PIN, "Result"));
    assertTrue(node.said(PIN).contains("evidence=ready"), node.said(PIN));
    node.powerOff();
  }

  /** As in a snap; kube-proxy's as well. */
  @Test
  void runsForUnitsOfOtherNames() {
    BootedNode node = cluster.node(3);
    for (String unit : List.of("kubelet.service", "kube-proxy.service")) {
      String another = "snap." + unit;
      node.disk().chroot("systemctl", "disable", unit).orThrow();
      node.disk().chroot("mv", UNITS + unit, UNITS + another).orThrow();
      node.disk().chroot("systemctl", "enable", another).orThrow();
    }
    node.powerOn();
    node.awaitUnit("snap.kubelet.service", "active", SOON);
    String unnoticed = check(node);
    assertTrue(unnoticed.contains("the kubelet runs as snap.kubelet.service"), unnoticed);
    assertTrue(unnoticed.contains("kube-proxy runs as snap.kube-proxy.service"), unnoticed);
    NodePackage.repack(node, "9.9.9");
    Execution upgraded =
        node.runWithin(SOON, "dpkg", "--install", "/root/apiserver-bootstrap_9.9.9.deb");
    assertTrue(upgraded.out().contains("there is no kubelet.service"), upgraded::toString);
    node.disk()
        .write(
            NodePackage.CONFIGURATION,
            node.disk().text(NodePackage.CONFIGURATION)
                + """
                KUBELET_UNIT = snap.kubelet.service
                kube-proxy-unit="snap.kube-proxy.service"
                """);
    node.reboot();
    long unusedReady = node.awaitSettled(SOON);
    Journal journal = node.journal();
    int pinned = journal.indexOf("Finished", PIN);
    assertTrue(pinned < journal.indexOf("Started", "snap.kubelet.service"), journal::toString);
    assertTrue(pinned < journal.indexOf("Started", "snap.kube-proxy.service"), journal::toString);
    String checked = check(node);
    assertLine("ok +" + PIN + " +active", checked);
    assertLine("ok +snap.kubelet.service +active", checked);
    assertLine("ok +snap.kubelet.service HTTP/2 +both timeouts", checked);
    assertLine("ok +snap.kube-proxy.service HTTP/2 +both timeouts", checked);
    assertFalse(checked.contains(" runs as "), checked);
    // An administrator's word counts for these as well.
    node.run("systemctl", "disable", PIN).orThrow();
    assertEquals("", node.unit(PIN, "WantedBy"));
    node.powerOff();
  }

  /** Of the units in the cycle, only the pin is one that the boot does not require. */
  @Test
  void saysThatItWasLeftOutToBreakACycle() {
    BootedNode node = cluster.node(4);
    node.disk()
        .write(
            UNITS + "lab-cycle.service",
            """
            [Unit]
            Description=Starts after the kubelet and before what the kubelet waits for
            After=kubelet.service
            Before=apiserver-bootstrap.service

            [Service]
            Type=oneshot
            ExecStart=/bin/true
            """);
    node.disk()
        .chroot(
            "systemctl",
            "add-requires",
            "multi-user.target",
            "kubelet.service",
            "lab-cycle.service")
        .orThrow();
    node.powerOn();
    node.awaitUnit("kubelet.service", "active", SOON);
    assertEquals("inactive", node.unit(PIN, "ActiveState"), () -> node.journalTail(60));
    String checked = check(node);
    assertLine("fail +" + PIN + " +did not run at this boot", checked);
    node.powerOff();
  }

  /** Before version 243 systemd ignores it. An empty setting takes it out. */
  @Test
  void doesNothingUntilItIsConfiguredAlsoWhereExecConditionIsIgnored() {
    BootedNode node = cluster.node(5);
    for (String unit : List.of(PIN, HANDOVER)) {
      node.disk().write(UNITS + unit + ".d/old.conf", "[Service]\nExecCondition=\n");
    }
    String configuration = node.disk().text(NodePackage.CONFIGURATION);
    node.disk().write(NodePackage.CONFIGURATION, "# nothing\n");
    String hosts = node.disk().text("/etc/hosts");
    node.powerOn();
    for (String unit : List.of(PIN, HANDOVER)) {
      awaitSaid(node, unit, "not configured");
    }
    node.awaitUnit("kubelet.service", "active", SOON);
    node.awaitUnit(PIN, "active", SOON);
    node.awaitUnit(HANDOVER, "inactive", SOON);
    assertEquals(hosts, node.disk().text("/etc/hosts"));
    node.disk().write(NodePackage.CONFIGURATION, configuration);
    node.run("systemctl", "restart", PIN).orThrow();
    Deadline.in(SOON)
        .await(
            "the hand-over",
            () -> node.target(Lab.APISERVER_NAME).equals(Lab.APISERVER_SERVICE_ADDRESS),
            () -> node.journalTail(60));
    node.powerOff();
  }

  private static void assertLine(String beginning, String text) {
    assertTrue(Pattern.compile("(?m)^" + beginning).matcher(text).find(), text);
  }

  private static String check(BootedNode node) {
    return node.runWithin(SOON, "apiserver-bootstrap", "check").out();
  }

  private static void awaitSaid(BootedNode node, String unit, String words) {
    Deadline.in(SOON)
        .await(
            words + " of " + unit,
            () -> node.said(unit).contains(words),
            () -> node.journalTail(60));
  }
}
