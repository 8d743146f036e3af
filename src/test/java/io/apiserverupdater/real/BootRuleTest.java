package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.ProxyMode;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.TrafficTarget;
import io.apiserverupdater.lab.Worker;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The boot-time rule of {@code --strategy nft} in a real kernel, beside the rules of real
 * kube-proxies in both modes. For IPVS there is {@link IpvsTest}.
 */
@Tag("real")
@Timeout(180)
class BootRuleTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String TABLE = "apiserver_bootstrap";
  private static final String SERVICE6 = "fd00:96::64";
  private static Lab lab;
  private static BootstrapHost bare;
  private static BootstrapHost nftablesWorker;
  private static BootstrapHost iptablesWorker;

  @BeforeAll
  static void start() {
    lab =
        Lab.builder("boot-rule")
            .controlPlanes(3)
            // Both families, for the IPv6 test.
            .apiserverFlags("--bind-address=::")
            .start();
    lab.kubectl().run("apply", "-f", "deploy/kustomize/components/node-reader/role.yaml").orThrow();
    publish(lab.controlPlanes().stream().map(ControlPlaneHost::address).toList());
    bare = new BootstrapHost(lab, lab.addHost("n1", "172.30.3.1"));
    nftablesWorker = new BootstrapHost(lab, worker(ProxyMode.NFTABLES).host());
    iptablesWorker = new BootstrapHost(lab, worker(ProxyMode.IPTABLES).host());
  }

  @AfterAll
  static void stop() {
    lab.close();
  }

  @AfterEach
  void restore() {
    for (ControlPlaneHost controlPlane : lab.controlPlanes()) {
      if (!controlPlane.process().alive()) {
        controlPlane.restart();
      }
    }
    for (BootstrapHost host : List.of(bare, nftablesWorker, iptablesWorker)) {
      Execution removed = host.run("restore");
      assertEquals(0, removed.exitCode(), removed::toString);
      for (String family : List.of("ip", "ip6")) {
        assertNotEquals(
            0, host.host().run("nft", "list", "table", family, TABLE).exitCode(), family);
      }
    }
  }

  /** The Service apiserver with these endpoints, as the updater would keep it. */
  private static void publish(List<String> addresses) {
    lab.kubectl()
        .publish("kube-system", "apiserver", "10.96.0.64", "apiserver-ipv4", "IPv4", addresses);
  }

  private static Worker worker(ProxyMode mode) {
    return lab.workers().stream().filter(worker -> worker.mode() == mode).findFirst().orElseThrow();
  }

  private static BootstrapHost bootstrapOn(ProxyMode mode) {
    return mode == ProxyMode.NFTABLES ? nftablesWorker : iptablesWorker;
  }

  private static Execution pin(BootstrapHost host) {
    String controlPlanes =
        lab.controlPlanes().stream()
            .map(ControlPlaneHost::address)
            .collect(Collectors.joining(","));
    return host.run(
            "pin",
            "--strategy=nft",
            "--cluster-ip=" + Lab.APISERVER_SERVICE_ADDRESS,
            "--control-plane=" + controlPlanes)
        .orThrow();
  }

  private static Execution refresh(BootstrapHost host) {
    return host.run(
            "refresh",
            "--strategy=nft",
            "--cluster-ip=" + Lab.APISERVER_SERVICE_ADDRESS,
            "--control-plane=" + lab.controlPlane(1).address(),
            "--kubeconfig=" + host.kubeconfig("https://" + lab.controlPlane(1).address() + ":6443"))
        .orThrow();
  }

  private static Traffic traffic(BootstrapHost host) {
    return lab.traffic(
        host.host(),
        TrafficTarget.of(Lab.APISERVER_SERVICE_ADDRESS, Lab.APISERVER_PORT, Lab.APISERVER_NAME));
  }

  private static String rule(BootstrapHost host) {
    return host.host().run("nft", "list", "table", "ip", TABLE).orThrow().out();
  }

  /** How many connections the rule has led since it was installed. */
  private static long carried(BootstrapHost host) {
    return rule(host)
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("packets "))
        .mapToLong(line -> Long.parseLong(line.split(" ", -1)[1]))
        .findFirst()
        .orElseThrow();
  }

  private static Set<String> names(List<ControlPlaneHost> controlPlanes) {
    return controlPlanes.stream()
        .map(ControlPlaneHost::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static void awaitGood(Traffic traffic, int count) {
    long begin = System.nanoTime();
    traffic.await(
        count + " good requests",
        all ->
            all.stream().filter(sample -> sample.startNanos() >= begin && sample.ok()).count()
                >= count,
        SOON);
  }

  @Test
  void leadsToAControlPlaneWhereThereIsNoKubeProxy() {
    Execution unusedPinned = pin(bare);
    try (Traffic traffic = traffic(bare)) {
      awaitGood(traffic, 20);
      assertEquals(List.of(), traffic.failuresSince(0));
    }
    assertTrue(carried(bare) >= 20, rule(bare));
  }

  @Test
  void leadsToAllOfThemInTurnOnceTheyAreKnown() {
    Execution unusedPinned = pin(bare);
    Execution unusedRefreshed = refresh(bare);
    try (Traffic traffic = traffic(bare)) {
      traffic.awaitOnly(names(lab.controlPlanes()), 60, SOON);
      assertEquals(List.of(), traffic.failuresSince(0));
    }
  }

  /**
   * Where the way to the cluster IP and the way to the control plane start at different addresses
   * of the node, the reply has to find back. kube-proxy masquerades such connections as well.
   */
  @Test
  void repliesFindBackToANodeWithSeveralNetworks() {
    LabHost host = bare.host();
    Execution unusedPinned = pin(bare);
    host.run("ip", "addr", "add", "192.0.2.9/32", "dev", "lo").orThrow();
    host.run("ip", "route", "add", "10.96.0.0/12", "via", "172.30.0.1", "src", "192.0.2.9")
        .orThrow();
    try (Traffic traffic = traffic(bare)) {
      awaitGood(traffic, 20);
      assertEquals(List.of(), traffic.failuresSince(0));
    } finally {
      host.run("ip", "route", "del", "10.96.0.0/12").orThrow();
      host.run("ip", "addr", "del", "192.0.2.9/32", "dev", "lo").orThrow();
    }
  }

  @Test
  void leadsWithIpv6() {
    for (ControlPlaneHost controlPlane : lab.controlPlanes()) {
      giveIpv6(controlPlane.host(), ipv6(controlPlane));
    }
    giveIpv6(bare.host(), "fd00:30::9");
    bare.host().run("ip", "-6", "route", "add", "default", "via", "fd00:30::1").orThrow();
    String controlPlanes =
        lab.controlPlanes().stream().map(BootRuleTest::ipv6).collect(Collectors.joining(","));
    bare.run(
            "pin", "--strategy=nft", "--cluster-ip=" + SERVICE6, "--control-plane=" + controlPlanes)
        .orThrow();
    try (Traffic traffic =
        lab.traffic(
            bare.host(), TrafficTarget.of(SERVICE6, Lab.APISERVER_PORT, Lab.APISERVER_NAME))) {
      awaitGood(traffic, 20);
      assertEquals(List.of(), traffic.failuresSince(0));
    }
  }

  private static String ipv6(ControlPlaneHost controlPlane) {
    return "fd00:30::1:" + controlPlane.name().substring("cp".length());
  }

  private static void giveIpv6(LabHost host, String address) {
    host.run("ip", "addr", "replace", address + "/64", "dev", "eth0", "nodad").orThrow();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "IPVS")
  void kubeProxysOwnRulesComeFirst(ProxyMode mode) {
    BootstrapHost host = bootstrapOn(mode);
    Execution unusedPinned = pin(host);
    Execution unusedRefreshed = refresh(host);
    // The look of pin at the cluster IP, if it took one, has been carried by kube-proxy too.
    try (Traffic traffic = traffic(host)) {
      traffic.awaitOnly(names(lab.controlPlanes()), 60, SOON);
      assertEquals(List.of(), traffic.failuresSince(0));
    }
    assertEquals(0, carried(host), rule(host));
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "IPVS")
  void goesOnWhenKubeProxysRulesAreDeleted(ProxyMode mode) {
    BootstrapHost host = bootstrapOn(mode);
    Worker worker = worker(mode);
    Execution unusedPinned = pin(host);
    Execution unusedRefreshed = refresh(host);
    try (Traffic traffic = traffic(host)) {
      awaitGood(traffic, 20);
      worker.stopProxy();
      deleteRulesOfKubeProxy(host.host(), mode);
      awaitGood(traffic, 60);
      assertEquals(List.of(), traffic.failuresSince(0));
      assertTrue(carried(host) >= 50, rule(host));
      // Back again: by way of the rule, if it has to be, and then without it.
      worker.pointApiserverNameAt(Lab.APISERVER_SERVICE_ADDRESS);
      worker.startProxy();
      awaitGood(traffic, 10);
      long before = carried(host);
      awaitGood(traffic, 40);
      assertEquals(before, carried(host), "kube-proxy carries the traffic again");
      assertEquals(List.of(), traffic.failuresSince(0));
    } finally {
      worker.pointApiserverNameAt(lab.controlPlane(1).address());
      if (!worker.proxy().alive()) {
        worker.startProxy();
      }
    }
  }

  private static void deleteRulesOfKubeProxy(LabHost host, ProxyMode mode) {
    switch (mode) {
      case NFTABLES -> host.run("nft", "delete", "table", "ip", "kube-proxy").orThrow();
      case IPTABLES -> host.run("iptables", "-t", "nat", "-F").orThrow();
      case IPVS -> throw new IllegalArgumentException("not in this kernel");
    }
  }

  /** kube-proxy rejects what goes to a Service without endpoints; the rule comes before that. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "IPVS")
  void isANetUnderAServiceWithoutEndpoints(ProxyMode mode) {
    BootstrapHost host = bootstrapOn(mode);
    Execution unusedPinned = pin(host);
    try (Traffic traffic = traffic(host)) {
      awaitGood(traffic, 20);
      publish(List.of());
      traffic.await("the rule to carry", all -> carried(host) > 20, SOON);
      awaitGood(traffic, 20);
      assertEquals(List.of(), traffic.failuresSince(0));
    } finally {
      publish(lab.controlPlanes().stream().map(ControlPlaneHost::address).toList());
    }
  }

  @Test
  void refreshPutsBackWhatAFirewallHasFlushed() {
    Execution unusedPinned = pin(bare);
    bare.host().run("nft", "flush", "ruleset").orThrow();
    try (Traffic traffic = traffic(bare)) {
      traffic.await("a failure without the rule", all -> traffic.lastFailure().isPresent(), SOON);
      Execution unusedRefreshed = refresh(bare);
      traffic.awaitOnly(names(lab.controlPlanes()), 60, SOON);
    }
  }

  @Test
  void refreshTakesADeadControlPlaneOut() {
    Execution unusedPinned = pin(bare);
    Execution unusedRefreshed = refresh(bare);
    ControlPlaneHost dead = lab.controlPlane(3);
    dead.kill();
    try (Traffic traffic = traffic(bare)) {
      traffic.await("a failure at the dead one", all -> traffic.lastFailure().isPresent(), SOON);
      Execution unusedAgain = refresh(bare);
      assertTrue(!rule(bare).contains(dead.address()), rule(bare));
      traffic.awaitOnly(names(lab.controlPlanes().subList(0, 2)), 60, SOON);
    }
  }

  @Test
  void anotherTableStaysWhenOursGoes() {
    bare.host().run("nft", "add", "table", "ip", TABLE + "_other").orThrow();
    Execution unusedPinned = pin(bare);
    bare.run("restore").orThrow();
    assertEquals(
        "table ip " + TABLE + "_other\n", bare.host().run("nft", "list", "tables").orThrow().out());
    bare.host().run("nft", "delete", "table", "ip", TABLE + "_other").orThrow();
  }
}
