package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Kubectl;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.ProxyMode;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The control planes are known by IPv6 addresses, or by both kinds; kube-proxy is dual-stack, and
 * the Service has a clusterIP of each kind.
 */
@Tag("real")
@Timeout(180)
class AddressFamiliesTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String PIN = "apiserver-bootstrap.service";
  private static final Pattern TARGET = Pattern.compile("phase=pinned .*target=\\[([^]]*)]:6443");
  private static final String CLUSTER_IP = "fd00:96::64";

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "address-families",
          List.of("--service-cluster-ip-range=" + Lab.SERVICE_CIDR + ",fd00:96::/112"),
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "nft"));

  @AfterEach
  void powerOff() {
    for (int number = 1; number <= 2; number++) {
      if (cluster.node(number).on()) {
        cluster.node(number).powerOff();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void bootsWithIpv6Alone(int number) {
    BootedNode node = prepared(number);
    NodePackage.configure(node.disk(), cluster.plan(number).strategy(), ipv6(), CLUSTER_IP);
    boots(node, CLUSTER_IP);
    assertTrue(pinnedTo(node, ipv6()), () -> node.said(PIN));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void bootsWithBothKinds(int number) {
    BootedNode node = prepared(number);
    // One living IPv6 address; of the IPv4 addresses only a dead one.
    List<String> both = new ArrayList<>(List.of("172.30.1.200", ipv6().get(2)));
    NodePackage.configure(node.disk(), cluster.plan(number).strategy(), both, CLUSTER_IP);
    boots(node, CLUSTER_IP);
    assertTrue(pinnedTo(node, List.of(ipv6().get(2))), () -> node.said(PIN));
  }

  /** IPv6 addresses and an IPv4 clusterIP: no rule can lead from one to the other. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void bootsWhenTheClusterIpIsOfTheOtherKind(int number) {
    BootedNode node = prepared(number);
    NodePackage.configure(
        node.disk(), cluster.plan(number).strategy(), ipv6(), Lab.APISERVER_SERVICE_ADDRESS);
    boots(node, Lab.APISERVER_SERVICE_ADDRESS);
    assertTrue(pinnedTo(node, ipv6()), () -> node.said(PIN));
    assertEquals(number == 2, node.said(PIN).contains("fallback=hosts"), node.said(PIN));
  }

  private static void boots(BootedNode node, String clusterIp) {
    node.powerOn();
    long unusedReady = node.awaitSettled(SOON);
    assertEquals(address(clusterIp), address(node.target(Lab.APISERVER_NAME)));
  }

  /** IPv6 addresses can be written in several ways. */
  @SuppressWarnings("AddressSelection") // They are literals.
  private static InetAddress address(String text) {
    try {
      return InetAddress.getByName(text);
    } catch (UnknownHostException e) {
      throw new AssertionError("no address: \"" + text + "\"", e);
    }
  }

  /** Whether pin has told that the name leads, or the rule, to one of these. */
  private static boolean pinnedTo(BootedNode node, List<String> controlPlanes) {
    Matcher target = TARGET.matcher(node.said(PIN));
    return target.find()
        && controlPlanes.stream()
            .anyMatch(wanted -> address(wanted).equals(address(target.group(1))));
  }

  private static List<String> ipv6() {
    List<String> addresses = new ArrayList<>();
    for (int i = 1; i <= cluster.lab().controlPlanes().size(); i++) {
      addresses.add("fd00:30::1:" + i);
    }
    return addresses;
  }

  /** A node that has joined and is off, in a network with IPv6, without a cached list. */
  private static BootedNode prepared(int number) {
    BootedNode node = cluster.node(number);
    give(node.host(), "fd00:30::3:" + number);
    for (ControlPlaneHost controlPlane : cluster.lab().controlPlanes()) {
      int last = cluster.lab().controlPlanes().indexOf(controlPlane) + 1;
      give(controlPlane.host(), "fd00:30::1:" + last);
    }
    Kubectl kubectl = cluster.lab().kubectl();
    kubectl.publish("kube-system", "apiserver-six", CLUSTER_IP, "apiserver-six", "IPv6", ipv6());
    node.disk().chroot("rm", "-rf", "/var/lib/apiserver-bootstrap").orThrow();
    return node;
  }

  private static void give(LabHost host, String address) {
    host.run(
            "sh",
            "-ec",
            "ip -6 address replace \"$1/64\" dev eth0 nodad;"
                + " ip -6 route replace default via fd00:30::ffff onlink dev eth0",
            "sh",
            address)
        .orThrow();
  }
}
