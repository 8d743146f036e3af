package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ProxyMode;
import io.apiserverupdater.lab.Traffic;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * kube-proxy in IPVS mode, in a virtual machine. Each test begins at a boot of it.
 *
 * <p>A sync of kube-proxy takes up to 15 s on an emulated processor, so nothing is claimed of whole
 * outages: only of what begins after kube-proxy has set the weight of an apiserver to 0.
 */
@Tag("ipvs")
@Timeout(900)
class IpvsTest {
  @RegisterExtension static final UpdaterCluster cluster = new UpdaterCluster(Lab.builder("ipvs"));

  /** In a row: three servers in turn have all been met then, often. */
  private static final int MANY = 20;

  private static IpvsNode node;

  @BeforeAll
  static void boot() {
    node = IpvsNode.start(cluster.lab());
  }

  /** How an apiserver stops being ready. */
  @SuppressWarnings("ImmutableEnumChecker") // The lambdas hold nothing.
  private enum Outage {
    SIGKILL(ControlPlaneHost::kill, ControlPlaneHost::restart),
    SIGSTOP(ControlPlaneHost::pause, ControlPlaneHost::resume),
    BLACK_HOLE(ControlPlaneHost::unplug, ControlPlaneHost::plug),
    READYZ_500(ControlPlaneHost::cutStore, ControlPlaneHost::mendStore);

    private final Consumer<ControlPlaneHost> injection;
    private final Consumer<ControlPlaneHost> remedy;

    Outage(Consumer<ControlPlaneHost> injection, Consumer<ControlPlaneHost> remedy) {
      this.injection = injection;
      this.remedy = remedy;
    }
  }

  private static Set<String> names(List<ControlPlaneHost> controlPlanes) {
    return controlPlanes.stream()
        .map(ControlPlaneHost::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static List<ControlPlaneHost> allBut(ControlPlaneHost one) {
    return cluster.lab().controlPlanes().stream().filter(other -> other != one).toList();
  }

  /** A node on which nothing but kube-proxy in IPVS mode has the cluster IP. */
  private static void startWithIpvs() {
    cluster.startBothAndAwaitTarget();
    node.rebootAsNew("hosts");
    node.mapName(cluster.lab().controlPlane(1).address());
    node.startProxy(ProxyMode.IPVS);
    node.awaitRotation(cluster.addresses());
  }

  private static void awaitGood(Traffic traffic, List<ControlPlaneHost> from) {
    traffic.awaitOnly(names(from), MANY, IpvsNode.SOON);
  }

  @Test
  void reachesEveryControlPlane() {
    startWithIpvs();
    try (Traffic traffic = node.traffic()) {
      awaitGood(traffic, cluster.lab().controlPlanes());
      assertEquals(List.of(), traffic.failuresSince(0));
      Map<String, Integer> sent = node.connections(cluster.lab().controlPlane(1).address());
      for (String address : cluster.addresses()) {
        assertTrue(sent.getOrDefault(address, 0) >= MANY / 4, sent::toString);
      }
    }
  }

  /**
   * Weight 0 comes some time after the outage; what began before may fail. The lab's AdminClient
   * and the node's kube-proxy use the first control plane, so it is another one that goes.
   */
  @ParameterizedTest
  @EnumSource
  void anUnreadyApiserverGetsNoNewConnection(Outage outage) {
    ControlPlaneHost target = cluster.lab().controlPlane(2);
    startWithIpvs();
    try (Traffic traffic = node.traffic()) {
      awaitGood(traffic, cluster.lab().controlPlanes());
      outage.injection.accept(target);
      try {
        node.awaitRotation(cluster.addressesWithout(target));
        String good = cluster.lab().controlPlane(1).address();
        Map<String, Integer> before = node.connections(good);
        long out = node.machine().nanoTime();
        traffic.await(
            MANY + " requests since then",
            all -> all.stream().filter(sample -> sample.startNanos() >= out).count() >= MANY,
            IpvsNode.SOON);
        assertEquals(List.of(), traffic.failuresSince(out));
        assertEquals(names(allBut(target)), traffic.serversSince(out));
        // Once its last connection is gone, so is the destination.
        int none = before.getOrDefault(target.address(), 0);
        assertEquals(none, node.connections(good).getOrDefault(target.address(), none));
      } finally {
        outage.remedy.accept(target);
      }
      node.awaitRotation(cluster.addresses());
      awaitGood(traffic, cluster.lab().controlPlanes());
    }
    cluster.assertNobodyDied();
  }

  @ParameterizedTest
  @ValueSource(strings = {"hosts", "nft"})
  void comesBackFromAReboot(String strategy) {
    cluster.startBothAndAwaitTarget();
    node.rebootAsNew(strategy);
    assertEquals(0, node.bootstrap("pin").orThrow().exitCode());
    node.startProxy(ProxyMode.IPVS);
    node.bootstrap("handover", "--wait=120s").orThrow();

    node.reboot();
    assertEquals(Map.of(), node.weights());
    assertFalse(node.hasInterface());
    assertFalse(node.hasRule());
    // What the last boot left in the hosts file leads nowhere now.
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target());

    node.bootstrap("pin").orThrow();
    boolean nft = strategy.equals("nft");
    assertEquals(nft, node.hasRule());
    assertEquals(nft, node.target().equals(Lab.APISERVER_SERVICE_ADDRESS), node::target);
    node.startProxy(ProxyMode.IPVS);
    Execution handedOver = node.bootstrap("handover", "--wait=120s").orThrow();
    assertTrue(handedOver.err().contains("phase=handed-over"), handedOver::err);
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target());
    assertFalse(node.hasRule(), "it would bypass IPVS");
    assertReachesAll();
  }

  /** Through IPVS, and not by a rule before it. */
  private static void assertReachesAll() {
    node.awaitRotation(cluster.addresses());
    try (Traffic traffic = node.traffic()) {
      awaitGood(traffic, cluster.lab().controlPlanes());
      assertEquals(List.of(), traffic.failuresSince(0));
    }
  }

  /** The cluster IP is an address of the node then, and whatever the node has there answers. */
  @ParameterizedTest
  @ValueSource(strings = {"hosts", "nft"})
  void handOverDoesNotTrustTheInterfaceThatIsLeft(String strategy) {
    cluster.startBothAndAwaitTarget();
    node.rebootAsNew(strategy);
    node.mapName(cluster.lab().controlPlane(1).address());
    node.startProxy(ProxyMode.IPVS);
    node.awaitRotation(cluster.addresses());
    node.stopProxy();
    node.machine().run(IpvsNode.SOON, "ipvsadm", "--clear").orThrow();
    assertTrue(node.hasInterface());
    node.mapName("");

    node.bootstrap("pin").orThrow();
    Execution waited = node.bootstrap("handover", "--wait=20s");
    assertEquals(4, waited.exitCode(), waited::err);
    boolean nft = strategy.equals("nft");
    assertEquals(nft, node.hasRule());
    String target = node.target();
    // To any control plane: while it waits it leaves one that an emulated processor finds too slow.
    Set<String> expected = nft ? Set.of(Lab.APISERVER_SERVICE_ADDRESS) : cluster.addresses();
    assertTrue(expected.contains(target), () -> target + "\n" + waited.err());
  }

  @Test
  void aChangeOfModeMovesTheRuleWithTheNextRefresh() {
    cluster.startBothAndAwaitTarget();
    node.rebootAsNew("nft");
    node.bootstrap("pin").orThrow();
    node.startProxy(ProxyMode.IPTABLES);
    node.bootstrap("handover", "--wait=120s").orThrow();
    assertTrue(node.hasRule(), "in iptables mode it stays, as a net");

    node.startProxy(ProxyMode.IPVS);
    node.awaitRotation(cluster.addresses());
    String check = node.bootstrap("check").out();
    assertTrue(check.contains("in place before IPVS, which it bypasses"), check);
    node.bootstrap("refresh").orThrow();
    assertFalse(node.hasRule(), "it would bypass IPVS");
    assertReachesAll();

    node.startProxy(ProxyMode.IPTABLES);
    assertEquals(cluster.addresses(), node.weights().keySet(), "kube-proxy leaves them behind");
    check = node.bootstrap("check").out();
    assertTrue(check.contains("not there: expected with REMOVE_AFTER_HANDOVER only"), check);
    node.bootstrap("refresh").orThrow();
    assertTrue(node.hasRule(), "the virtual servers are not kube-proxy's any more");
  }
}
