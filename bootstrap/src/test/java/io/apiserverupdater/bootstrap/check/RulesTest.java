package io.apiserverupdater.bootstrap.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Ready;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.check.Facts.Certificate;
import io.apiserverupdater.bootstrap.check.Facts.HostsBlock;
import io.apiserverupdater.bootstrap.check.Facts.HostsSnapshot;
import io.apiserverupdater.bootstrap.check.Facts.Probed;
import io.apiserverupdater.bootstrap.check.Facts.UnitState;
import io.apiserverupdater.bootstrap.check.Finding.Level;
import io.apiserverupdater.bootstrap.nft.BootRule;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RulesTest {
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
  private static final InetAddress CLUSTER_IP = ip("10.96.0.64");
  private static final ApiserverAddress CP1 = address("10.0.0.1:6443");
  private static final ApiserverAddress CP2 = address("10.0.0.2:6443");
  private static final Set<String> HTTP2 =
      Set.of("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "HTTP2_PING_TIMEOUT_SECONDS");

  private static InetAddress ip(String literal) {
    return address(literal).ip();
  }

  private static ApiserverAddress address(String text) {
    return ApiserverAddress.parse(text, 6443).orElseThrow();
  }

  private static Probed probed(ApiserverAddress address, ProbeResult result) {
    return new Probed(address, result, Duration.ofMillis(7));
  }

  /** The facts of a node on which all is well; a test spoils one of them. */
  private static final class Node {
    Role role = Role.WORKER;
    Strategy strategy = Strategy.HOSTS;
    Optional<InetAddress> clusterIp = Optional.of(CLUSTER_IP);
    boolean anyControlPlane = true;
    boolean verified = true;
    Reading<List<InetAddress>> resolution = new Reading.Known<>(List.of(CLUSTER_IP));
    Reading<HostsBlock> hosts = new Reading.Known<>(new HostsBlock(List.of(CLUSTER_IP), List.of()));
    Optional<Instant> refreshed = Optional.of(NOW.minus(Duration.ofHours(5)));
    Reading<List<Probed>> controlPlanes =
        new Reading.Known<>(List.of(probed(CP1, new Ready()), probed(CP2, new Ready())));
    Optional<Reading<Probed>> service =
        Optional.of(
            new Reading.Known<>(probed(new ApiserverAddress(CLUSTER_IP, 6443), new Ready())));
    Reading<Certificate> certificate = certificate(300, "apiserver.cluster.local", "10.96.0.64");
    Optional<Reading<Instant>> authorityExpiry =
        Optional.of(new Reading.Known<>(NOW.plus(Duration.ofDays(3000))));
    Reading<List<String>> kubelet =
        new Reading.Known<>(List.of("https://apiserver.cluster.local:6443"));
    Reading<List<String>> proxy = kubelet;
    Reading<List<InetAddress>> dns = new Reading.Known<>(List.of(ip("10.96.0.10")));
    Map<String, UnitState> unitStates = new LinkedHashMap<>();
    Reading<Map<String, UnitState>> units = new Reading.Known<>(unitStates);
    Reading<List<HostsSnapshot>> snapshots =
        new Reading.Known<>(List.of(new HostsSnapshot("kube-system/cni", List.of(CLUSTER_IP))));
    Optional<RuleReading> rule = Optional.empty();
    List<InetAddress> own = List.of(ip("10.0.0.11"));
    Optional<Set<String>> proxyVariables = Optional.of(HTTP2);
    Reading<Duration> synSentTimeout = new Reading.Known<>(Duration.ofSeconds(1));

    Node() {
      unitStates.put(Rules.PIN_UNIT, new UnitState("loaded", "active", "enabled", Set.of()));
      unitStates.put(Rules.HANDOVER_UNIT, new UnitState("loaded", "inactive", "static", Set.of()));
      unitStates.put(Rules.REFRESH_TIMER, new UnitState("loaded", "active", "enabled", Set.of()));
      unitStates.put(Rules.KUBELET_UNIT, new UnitState("loaded", "active", "enabled", HTTP2));
      unitStates.put(Rules.PROXY_UNIT, new UnitState("not-found", "inactive", "", Set.of()));
    }

    static Reading<Certificate> certificate(int days, String... names) {
      return new Reading.Known<>(
          new Certificate(CP1, List.of(names), NOW.plus(Duration.ofDays(days))));
    }

    List<Finding> findings() {
      return Rules.findings(
          new Facts(
              NOW,
              new Facts.Settings(
                  "apiserver.cluster.local",
                  6443,
                  clusterIp,
                  anyControlPlane,
                  verified,
                  role,
                  strategy),
              resolution,
              hosts,
              refreshed,
              controlPlanes,
              service,
              certificate,
              authorityExpiry,
              kubelet,
              proxy,
              dns,
              units,
              proxyVariables,
              synSentTimeout,
              snapshots,
              rule,
              own));
    }
  }

  @Test
  void healthyWorkerHasNothingToDo() {
    List<Finding> findings = new Node().findings();
    assertTrue(findings.size() >= 15, findings.toString());
    for (Finding finding : findings) {
      assertEquals(Level.OK, finding.level(), finding.toString());
      assertTrue(finding.advice().isEmpty(), finding.toString());
    }
  }

  private static Arguments when(
      String situation, Consumer<Node> spoil, Level level, String subject, String words) {
    return Arguments.of(situation, spoil, level, subject, words);
  }

  private static <T> Reading<T> unknown() {
    return new Reading.Unknown<>("there is no such thing");
  }

  private static Consumer<Node> firstControlPlane(ProbeResult result) {
    return node ->
        node.controlPlanes =
            new Reading.Known<>(List.of(probed(CP1, result), probed(CP2, new Ready())));
  }

  private static Consumer<Node> unit(String unit, String load, String active, String file) {
    return node -> node.unitStates.put(unit, new UnitState(load, active, file, Set.of()));
  }

  static List<Arguments> situations() {
    return List.of(
        when(
            "the name is not known",
            node -> node.resolution = new Reading.Known<>(List.of()),
            Level.FAIL,
            "name",
            "does not resolve"),
        when(
            "libc sees something else than the file",
            node -> node.resolution = new Reading.Known<>(List.of(CP2.ip())),
            Level.FAIL,
            "name",
            "resolves to 10.0.0.2, but the hosts file has 10.96.0.64"),
        when(
            "the name leads to a stranger",
            node -> {
              node.resolution = new Reading.Known<>(List.of(ip("192.0.2.7")));
              node.hosts = new Reading.Known<>(new HostsBlock(List.of(ip("192.0.2.7")), List.of()));
            },
            Level.FAIL,
            "name",
            "192.0.2.7, which is neither the cluster IP nor a known control plane"),
        when(
            "pinned, and the cluster IP works",
            node -> {
              node.resolution = new Reading.Known<>(List.of(CP1.ip()));
              node.hosts = new Reading.Known<>(new HostsBlock(List.of(CP1.ip()), List.of()));
            },
            Level.WARN,
            "hand-over",
            "still points at a control plane"),
        when(
            "no entry",
            node -> node.hosts = new Reading.Known<>(new HostsBlock(List.of(), List.of())),
            Level.FAIL,
            "hosts file",
            "has no entry of apiserver-bootstrap"),
        when(
            "an entry of somebody else",
            node ->
                node.hosts = new Reading.Known<>(new HostsBlock(List.of(CLUSTER_IP), List.of(3))),
            Level.FAIL,
            "hosts file",
            "line 3 outside the block of apiserver-bootstrap"),
        when(
            "nothing configured",
            node -> {
              node.anyControlPlane = false;
              node.controlPlanes = new Reading.Known<>(List.of());
            },
            Level.FAIL,
            "control plane",
            "none is configured"),
        when(
            "one not ready",
            firstControlPlane(new NotReady(500, List.of("etcd", "log"))),
            Level.WARN,
            "control plane",
            "10.0.0.1:6443 is not ready: HTTP 500, failing etcd, log"),
        when(
            "anonymous turned away",
            firstControlPlane(new NotReady(401, List.of())),
            Level.WARN,
            "control plane",
            "HTTP 401"),
        when(
            "one refused",
            firstControlPlane(new Unreachable(Reason.REFUSED, "connection refused")),
            Level.WARN,
            "control plane",
            "10.0.0.1:6443 cannot be used: connection refused"),
        when(
            "none ready",
            node ->
                node.controlPlanes =
                    new Reading.Known<>(
                        List.of(probed(CP1, new Unreachable(Reason.CONNECT_TIMEOUT, "silent")))),
            Level.FAIL,
            "control plane",
            "none is ready"),
        when(
            "one is slow",
            node ->
                node.controlPlanes =
                    new Reading.Known<>(
                        List.of(new Probed(CP1, new Ready(), Duration.ofMillis(1_500)))),
            Level.WARN,
            "control plane",
            "answered in 1500 ms"),
        when(
            "never refreshed",
            node -> node.refreshed = Optional.empty(),
            Level.WARN,
            "cached list",
            "never refreshed"),
        when(
            "an old list",
            node -> node.refreshed = Optional.of(NOW.minus(Duration.ofDays(4))),
            Level.WARN,
            "cached list",
            "4 days ago"),
        when(
            "no cluster IP",
            node -> {
              node.clusterIp = Optional.empty();
              node.service = Optional.empty();
            },
            Level.FAIL,
            "cluster IP",
            "none is configured"),
        when(
            "the cluster IP does not answer",
            node ->
                node.service =
                    Optional.of(
                        new Reading.Known<>(
                            probed(
                                address("10.96.0.64:6443"),
                                new Unreachable(Reason.REFUSED, "connection refused")))),
            Level.FAIL,
            "cluster IP",
            "10.96.0.64:6443 cannot be used"),
        when(
            "the cluster IP lies elsewhere",
            node -> node.dns = new Reading.Known<>(List.of(ip("172.16.0.10"))),
            Level.WARN,
            "service CIDR",
            "far from the cluster's DNS, 172.16.0.10"),
        when(
            "the cluster IP is the node's",
            node -> node.own = List.of(CLUSTER_IP),
            Level.WARN,
            "service CIDR",
            "is an address of this node"),
        when(
            "nothing is verified",
            node -> node.verified = false,
            Level.FAIL,
            "CA",
            "certificates are not verified"),
        when(
            "the authority expires",
            node ->
                node.authorityExpiry =
                    Optional.of(new Reading.Known<>(NOW.plus(Duration.ofDays(10)))),
            Level.WARN,
            "CA",
            "expires on 2026-12-01"),
        when(
            "the name is not in the certificate",
            node -> node.certificate = Node.certificate(300, "kubernetes", "10.96.0.64"),
            Level.FAIL,
            "certificate",
            "certificate is valid for kubernetes, 10.96.0.64, not apiserver.cluster.local"),
        when(
            "the cluster IP is not in the certificate",
            node ->
                node.certificate = Node.certificate(300, "apiserver.cluster.local", "10.96.0.1"),
            Level.WARN,
            "certificate",
            "certificate is valid for apiserver.cluster.local, 10.96.0.1, not 10.96.0.64"),
        when(
            "the certificate has expired",
            node ->
                node.certificate = Node.certificate(-1, "apiserver.cluster.local", "10.96.0.64"),
            Level.FAIL,
            "certificate",
            "it expired on 2026-11-20"),
        when(
            "the kubelet dials an address",
            node -> node.kubelet = new Reading.Known<>(List.of("https://10.0.0.1:6443")),
            Level.FAIL,
            "kubelet",
            "dials https://10.0.0.1:6443"),
        when(
            "kube-proxy dials another port",
            node ->
                node.proxy = new Reading.Known<>(List.of("https://apiserver.cluster.local:8443")),
            Level.FAIL,
            "kube-proxy",
            "dials https://apiserver.cluster.local:8443"),
        when(
            "a kubeconfig without a server",
            node -> node.kubelet = new Reading.Known<>(List.of()),
            Level.WARN,
            "kubelet",
            "has no server"),
        when(
            "no unit",
            unit(Rules.PIN_UNIT, "not-found", "inactive", ""),
            Level.WARN,
            Rules.PIN_UNIT,
            "there is no such unit"),
        when(
            "a unit is disabled",
            unit(Rules.PIN_UNIT, "loaded", "inactive", "disabled"),
            Level.FAIL,
            Rules.PIN_UNIT,
            "disabled, so it does not run at boot"),
        when(
            "a unit failed",
            unit(Rules.HANDOVER_UNIT, "loaded", "failed", "static"),
            Level.FAIL,
            Rules.HANDOVER_UNIT,
            "failed"),
        when(
            "a hand-over that waits",
            unit(Rules.HANDOVER_UNIT, "loaded", "activating", "static"),
            Level.WARN,
            Rules.HANDOVER_UNIT,
            "still running"),
        when(
            "the kubelet does not run",
            unit(Rules.KUBELET_UNIT, "loaded", "inactive", "enabled"),
            Level.WARN,
            Rules.KUBELET_UNIT,
            "inactive"),
        when(
            "the drop-in is missing",
            unit(Rules.KUBELET_UNIT, "loaded", "active", "enabled"),
            Level.WARN,
            "kubelet.service HTTP/2",
            "HTTP2_READ_IDLE_TIMEOUT_SECONDS and HTTP2_PING_TIMEOUT_SECONDS"),
        when(
            "kube-proxy runs in a pod without the variables",
            node -> node.proxyVariables = Optional.of(Set.of("PATH")),
            Level.WARN,
            "kube-proxy HTTP/2",
            "HTTP2_READ_IDLE_TIMEOUT_SECONDS and HTTP2_PING_TIMEOUT_SECONDS"),
        when(
            "the kernel's own setting",
            node -> node.synSentTimeout = new Reading.Known<>(Duration.ofMinutes(2)),
            Level.WARN,
            "unanswered SYNs",
            "conntrack keeps unanswered SYNs for 120 s"),
        when(
            "attempts to connect are not kept at all",
            node -> node.synSentTimeout = new Reading.Known<>(Duration.ZERO),
            Level.FAIL,
            "unanswered SYNs",
            "dropped at once"),
        when(
            "no setting, as without conntrack",
            node -> node.synSentTimeout = new Reading.Unknown<>("there is no such file"),
            Level.WARN,
            "unanswered SYNs",
            "there is no such file"),
        when(
            "a pod with an old copy",
            node ->
                node.snapshots =
                    new Reading.Known<>(
                        List.of(new HostsSnapshot("kube-system/kube-proxy-x", List.of(CP1.ip())))),
            Level.WARN,
            "pods",
            "kube-system/kube-proxy-x uses the host network and an old copy"),
        when(
            "kube-proxy was started before the node knew the name",
            node ->
                node.snapshots =
                    new Reading.Known<>(
                        List.of(new HostsSnapshot("kube-system/kube-proxy-x", List.of()))),
            Level.FAIL,
            "pods",
            "kube-system/kube-proxy-x has a copy of the hosts file without apiserver.cluster.local"),
        when(
            "a pod of a control plane that keeps a peer",
            node -> {
              node.role = Role.CONTROL_PLANE;
              node.snapshots =
                  new Reading.Known<>(
                      List.of(new HostsSnapshot("kube-system/kube-proxy-x", List.of(CP1.ip()))));
            },
            Level.WARN,
            "pods",
            "it dials 10.0.0.1 only"),
        when(
            "kube-proxy of a control plane dials a peer",
            node -> {
              node.role = Role.CONTROL_PLANE;
              node.proxy = new Reading.Known<>(List.of("https://10.0.0.1:6443"));
            },
            Level.FAIL,
            "kube-proxy",
            "dials https://10.0.0.1:6443"),
        when(
            "the rule is gone",
            node -> {
              node.strategy = Strategy.NFT;
              node.rule = Optional.of(new RuleReading.Absent());
            },
            Level.WARN,
            "boot-time rule",
            "not there"),
        when(
            "the rule is there",
            node -> {
              node.strategy = Strategy.NFT;
              node.rule =
                  Optional.of(
                      new RuleReading.Present(
                          new BootRule(address("10.96.0.64:6443"), List.of(CP1, CP2)), 4));
            },
            Level.OK,
            "boot-time rule",
            "2 control planes; it carried 4 connections"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("situations")
  void tells(String situation, Consumer<Node> spoil, Level level, String subject, String words) {
    Node node = new Node();
    spoil.accept(node);
    List<Finding> findings = node.findings();
    List<Finding> matching =
        findings.stream()
            .filter(finding -> finding.subject().equals(subject))
            .filter(finding -> finding.message().contains(words))
            .toList();
    assertEquals(1, matching.size(), situation + ": " + findings);
    assertEquals(level, matching.get(0).level(), matching.toString());
    assertEquals(level != Level.OK, matching.get(0).advice().isPresent(), matching.toString());
  }

  static List<Arguments> unknowns() {
    return List.of(
        Arguments.of("name", (Consumer<Node>) node -> node.resolution = unknown()),
        Arguments.of("hosts file", (Consumer<Node>) node -> node.hosts = unknown()),
        Arguments.of("control plane", (Consumer<Node>) node -> node.controlPlanes = unknown()),
        Arguments.of("cluster IP", (Consumer<Node>) node -> node.service = Optional.of(unknown())),
        Arguments.of("certificate", (Consumer<Node>) node -> node.certificate = unknown()),
        Arguments.of("CA", (Consumer<Node>) node -> node.authorityExpiry = Optional.of(unknown())),
        Arguments.of("kubelet", (Consumer<Node>) node -> node.kubelet = unknown()),
        Arguments.of("kube-proxy", (Consumer<Node>) node -> node.proxy = unknown()),
        Arguments.of("service CIDR", (Consumer<Node>) node -> node.dns = unknown()),
        Arguments.of("units", (Consumer<Node>) node -> node.units = unknown()),
        Arguments.of("pods", (Consumer<Node>) node -> node.snapshots = unknown()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("unknowns")
  void whatIsNotKnownIsAWarningThatSaysSo(String subject, Consumer<Node> spoil) {
    Node node = new Node();
    spoil.accept(node);
    List<Finding> told =
        node.findings().stream().filter(finding -> finding.subject().equals(subject)).toList();
    assertEquals(1, told.size(), told.toString());
    assertEquals(Level.WARN, told.get(0).level());
    assertEquals("not known: there is no such thing", told.get(0).message());
    assertTrue(told.get(0).advice().isPresent());
  }

  @Test
  void controlPlaneMayLeadTheNameToItself() {
    Node node = new Node();
    node.role = Role.CONTROL_PLANE;
    node.clusterIp = Optional.empty();
    node.service = Optional.empty();
    InetAddress loopback = ip("127.0.0.1");
    node.resolution = new Reading.Known<>(List.of(loopback));
    node.hosts = new Reading.Known<>(new HostsBlock(List.of(loopback), List.of()));
    assertTrue(
        node.findings().stream().allMatch(finding -> finding.level() == Level.OK),
        node.findings().toString());
  }

  /** As kubeadm has it. */
  @ParameterizedTest
  @ValueSource(strings = {"https://10.0.0.1:6443", "https://127.0.0.1:6443", "https://[::1]:6443"})
  void kubeletOfAControlPlaneMayDialItsOwnApiserver(String server) {
    Node node = new Node();
    node.role = Role.CONTROL_PLANE;
    node.own = List.of(CP1.ip());
    node.kubelet = new Reading.Known<>(List.of(server));
    assertTrue(
        node.findings().stream().allMatch(finding -> finding.level() == Level.OK),
        node.findings().toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://10.0.0.2:6443",
        "https://other:6443",
        "not a URL",
        "https://127.0.0.1:8443", // A balancer, perhaps.
        "https://10.0.0.1:8443",
        "https://10.0.0.100:6443" // A virtual address that this node holds at the moment.
      })
  void kubeletOfAControlPlaneShouldNotDialAnotherOne(String server) {
    Node node = new Node();
    node.role = Role.CONTROL_PLANE;
    node.own = List.of(CP1.ip(), ip("10.0.0.100"));
    node.kubelet = new Reading.Known<>(List.of(server));
    assertEquals(
        List.of("kubelet"),
        node.findings().stream()
            .filter(finding -> finding.level() == Level.FAIL)
            .map(Finding::subject)
            .toList());
  }

  /** Left over from another time. */
  @Test
  void kubeProxyIsJudgedByWhatRunsAndNotByAUnit() {
    Node node = new Node();
    node.unitStates.put(Rules.PROXY_UNIT, new UnitState("loaded", "inactive", "disabled", HTTP2));
    node.proxyVariables = Optional.of(Set.of());
    assertEquals(
        List.of("kube-proxy HTTP/2"),
        node.findings().stream()
            .filter(finding -> finding.level() == Level.WARN)
            .map(Finding::subject)
            .toList());
  }

  @Test
  void podOfAControlPlaneMayKeepThatControlPlane() {
    Node node = new Node();
    node.role = Role.CONTROL_PLANE;
    node.snapshots =
        new Reading.Known<>(
            List.of(new HostsSnapshot("kube-system/kube-proxy-x", List.of(node.own.get(0)))));
    node.proxy = new Reading.Unknown<>("there is none");
    assertTrue(
        node.findings().stream().allMatch(finding -> finding.level() == Level.OK),
        node.findings().toString());
  }

  @Test
  void workerMayNotLeadTheNameToItself() {
    Node node = new Node();
    InetAddress loopback = ip("127.0.0.1");
    node.resolution = new Reading.Known<>(List.of(loopback));
    node.hosts = new Reading.Known<>(new HostsBlock(List.of(loopback), List.of()));
    assertFalse(node.findings().stream().allMatch(finding -> finding.level() != Level.FAIL));
  }

  @Test
  void podThatDoesNotKnowTheNameIsNoFault() {
    Node node = new Node();
    node.snapshots = new Reading.Known<>(List.of(new HostsSnapshot("a/b", List.of())));
    assertTrue(node.findings().stream().allMatch(finding -> finding.level() == Level.OK));
  }
}
