package io.apiserverupdater.bootstrap.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Ready;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.bootstrap.api.ClientFiles.Dialled;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.check.Facts.Authority;
import io.apiserverupdater.bootstrap.check.Facts.Certificate;
import io.apiserverupdater.bootstrap.check.Facts.CloudInit;
import io.apiserverupdater.bootstrap.check.Facts.HostsBlock;
import io.apiserverupdater.bootstrap.check.Facts.HostsSnapshot;
import io.apiserverupdater.bootstrap.check.Facts.Ipvs;
import io.apiserverupdater.bootstrap.check.Facts.Probed;
import io.apiserverupdater.bootstrap.check.Facts.UnitState;
import io.apiserverupdater.bootstrap.check.Finding.Level;
import io.apiserverupdater.bootstrap.ipvs.VirtualService;
import io.apiserverupdater.bootstrap.nft.BootRule;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import java.net.InetAddress;
import java.nio.file.Path;
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
  private static final String NAME = "apiserver.cluster.local";
  private static final ProbeResult REFUSED = new Unreachable(Reason.REFUSED, "connection refused");
  private static final String KUBELET = "kubelet.service";
  private static final String PROXY = "kube-proxy.service";
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

  private static Reading<Certificate> certificate(int days, String... names) {
    return known(new Certificate(CP1, List.of(names), NOW.plus(Duration.ofDays(days))));
  }

  private static Reading<Dialled> dials(String server) {
    return known(new Dialled(server, Optional.empty()));
  }

  private static Authority authority(int days, boolean signs) {
    return new Authority(NOW.plus(Duration.ofDays(days)), signs);
  }

  private static Optional<Reading<List<Authority>>> authorities(Authority... all) {
    return Optional.of(known(List.of(all)));
  }

  /** The facts of a node on which all is well; a test spoils one of them. */
  private static final class Node {
    Role role = Role.WORKER;
    Strategy strategy = Strategy.HOSTS;
    Optional<InetAddress> clusterIp = Optional.of(CLUSTER_IP);
    boolean anyControlPlane = true;
    boolean verified = true;
    Reading<List<InetAddress>> resolution = known(List.of(CLUSTER_IP));
    Reading<HostsBlock> hosts = block(CLUSTER_IP);
    Optional<Instant> refreshed = Optional.of(NOW.minus(Duration.ofHours(5)));
    Reading<List<Probed>> controlPlanes =
        known(List.of(probed(CP1, new Ready()), probed(CP2, new Ready())));
    Optional<Reading<Probed>> service =
        Optional.of(known(probed(new ApiserverAddress(CLUSTER_IP, 6443), new Ready())));
    Reading<Certificate> certificate = certificate(300, NAME, "10.96.0.64");
    Optional<Reading<List<Authority>>> authorities = authorities(authority(3000, true));
    Reading<Dialled> kubelet = dials("https://apiserver.cluster.local:6443");
    Reading<Dialled> proxy = kubelet;
    Reading<Boolean> clock = known(true);
    Reading<String> machineId = known("6e6f646500000000000000000000cafe");
    Reading<List<InetAddress>> dns = known(List.of(ip("10.96.0.10")));
    Map<String, UnitState> unitStates = new LinkedHashMap<>();
    Reading<Map<String, UnitState>> units = known(unitStates);
    String kubeletUnit = KUBELET;
    Optional<String> kubeletRunsAs = Optional.of(KUBELET);
    Optional<String> proxyRunsAs = Optional.empty();
    Reading<List<HostsSnapshot>> snapshots = copy("kube-system/cni", CLUSTER_IP);
    Optional<RuleReading> rule = Optional.empty();
    Optional<Ipvs> ipvs = Optional.empty();
    List<InetAddress> own = List.of(ip("10.0.0.11"));
    Optional<Set<String>> proxyVariables = Optional.of(HTTP2);
    Reading<Duration> synSentTimeout = known(Duration.ofSeconds(1));
    Reading<Duration> closeTimeout = known(Duration.ofSeconds(1));

    Node() {
      put(Rules.PIN_UNIT, "active", Set.of(), true, Set.of(KUBELET, PROXY));
      put(Rules.HANDOVER_UNIT, "inactive", Set.of(), true, Set.of());
      put(Rules.HANDOVER_PATH, "active", Set.of(), true, Set.of());
      put(Rules.REFRESH_TIMER, "active", Set.of(), true, Set.of());
      put(KUBELET, "active", HTTP2, true, Set.of());
      unitStates.put(
          PROXY, new UnitState(PROXY, "not-found", "inactive", "", Set.of(), false, Set.of()));
    }

    void put(
        String unit, String active, Set<String> variables, boolean started, Set<String> leads) {
      unitStates.put(
          unit, new UnitState(unit, "loaded", active, "enabled", variables, started, leads));
    }

    /** In the hosts file, and for all who ask libc. */
    void nameLeadsTo(InetAddress address) {
      resolution = known(List.of(address));
      hosts = block(address);
    }

    List<Finding> findings() {
      Facts.Settings settings =
          new Facts.Settings(
              NAME, 6443, clusterIp, anyControlPlane, verified, role, strategy, kubeletUnit, PROXY);
      return Rules.findings(
          new Facts(
              NOW,
              settings,
              resolution,
              hosts,
              refreshed,
              controlPlanes,
              service,
              certificate,
              authorities,
              kubelet,
              proxy,
              dns,
              units,
              kubeletRunsAs,
              proxyRunsAs,
              proxyVariables,
              clock,
              machineId,
              synSentTimeout,
              closeTimeout,
              snapshots,
              rule,
              ipvs,
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

  /** What is to be told, once, when a node is spoilt. */
  private record Told(Level level, String subject, String words) {
    Arguments when(String situation, Consumer<Node> spoil) {
      return Arguments.of(situation, spoil, this);
    }
  }

  private static Told fail(String subject, String words) {
    return new Told(Level.FAIL, subject, words);
  }

  private static Told warn(String subject, String words) {
    return new Told(Level.WARN, subject, words);
  }

  private static Told ok(String subject, String words) {
    return new Told(Level.OK, subject, words);
  }

  private static <T> Reading<T> known(T value) {
    return new Reading.Known<>(value);
  }

  private static <T> Reading<T> unknown() {
    return new Reading.Unknown<>("there is no such thing");
  }

  /** The hosts file as a pod has copied it. */
  private static Reading<List<HostsSnapshot>> copy(String pod, InetAddress... addresses) {
    return known(List.of(new HostsSnapshot(pod, List.of(addresses))));
  }

  private static Reading<List<HostsSnapshot>> proxyCopy(InetAddress... addresses) {
    return copy("kube-system/kube-proxy-x", addresses);
  }

  private static Reading<HostsBlock> claimed(
      Optional<String> marker, Optional<CloudInit> cloudInit) {
    return known(new HostsBlock(List.of(CLUSTER_IP), List.of(3), marker, cloudInit));
  }

  private static Reading<HostsBlock> block(InetAddress... addresses) {
    return known(new HostsBlock(List.of(addresses), List.of(), Optional.empty(), Optional.empty()));
  }

  private static Consumer<Node> controlPlanes(Probed... probed) {
    return node -> node.controlPlanes = known(List.of(probed));
  }

  private static Consumer<Node> firstControlPlane(ProbeResult result) {
    return controlPlanes(probed(CP1, result), probed(CP2, new Ready()));
  }

  private static Consumer<Node> onAControlPlane(Consumer<Node> spoil) {
    return spoil.andThen(node -> node.role = Role.CONTROL_PLANE);
  }

  private static Consumer<Node> rule(RuleReading reading) {
    return node -> {
      node.strategy = Strategy.NFT;
      node.rule = Optional.of(reading);
    };
  }

  private static final RuleReading RULE_IN_PLACE =
      new RuleReading.Present(new BootRule(address("10.96.0.64:6443"), List.of(CP1, CP2)), 4);

  /** A node that is well, in IPVS mode. */
  private static Consumer<Node> ipvs(String scheduler, long conntrack, long expireNodestConn) {
    return node -> {
      node.ipvs =
          Optional.of(
              new Ipvs(
                  new VirtualService(scheduler, true), known(conntrack), known(expireNodestConn)));
      node.own = List.of(ip("10.0.0.11"), CLUSTER_IP);
    };
  }

  private static Consumer<Node> unit(String unit, String load, String active, String file) {
    return node ->
        node.unitStates.put(
            unit, new UnitState(unit, load, active, file, Set.of(), true, Set.of(KUBELET)));
  }

  static List<Arguments> situations() {
    return List.of(
        fail("name", "does not resolve")
            .when("the name is not known", node -> node.resolution = known(List.of())),
        fail("name", "resolves to 10.0.0.2, but the hosts file has 10.96.0.64")
            .when(
                "libc sees something else than the file",
                node -> node.resolution = known(List.of(CP2.ip()))),
        fail("name", "192.0.2.7, which is neither the cluster IP nor a known control plane")
            .when("the name leads to a stranger", node -> node.nameLeadsTo(ip("192.0.2.7"))),
        warn("hand-over", "still points at a control plane")
            .when("pinned, and the cluster IP works", node -> node.nameLeadsTo(CP1.ip())),
        fail("hosts file", "has no entry of apiserver-bootstrap")
            .when("no entry", node -> node.hosts = block()),
        fail("hosts file", "line 3 outside the block of apiserver-bootstrap")
            .when(
                "an entry of somebody else",
                node -> node.hosts = claimed(Optional.empty(), Optional.empty())),
        fail("hosts file", "in the block \"# BEGIN ANSIBLE\" of another tool")
            .when(
                "another tool's block has the name",
                node -> node.hosts = claimed(Optional.of("# BEGIN ANSIBLE"), Optional.empty())),
        fail("cloud-init", "its template /etc/cloud/templates/hosts.debian.tmpl has " + NAME)
            .when(
                "cloud-init's template has the name",
                node ->
                    node.hosts =
                        claimed(
                            Optional.empty(),
                            Optional.of(
                                new CloudInit(
                                    Path.of("/etc/cloud/cloud.cfg"),
                                    Optional.of(
                                        Path.of("/etc/cloud/templates/hosts.debian.tmpl")))))),
        fail("control plane", "none is configured")
            .when(
                "nothing configured",
                node -> {
                  node.anyControlPlane = false;
                  node.controlPlanes = known(List.of());
                }),
        fail("control plane", "no address is known")
            .when(
                "no name of a control plane is found, now or before",
                node -> node.controlPlanes = known(List.of())),
        warn("control plane", "10.0.0.1:6443 is not ready: HTTP 500, failing etcd, log")
            .when("one not ready", firstControlPlane(new NotReady(500, List.of("etcd", "log")))),
        warn("control plane", "HTTP 401")
            .when("anonymous turned away", firstControlPlane(new NotReady(401, List.of()))),
        warn("control plane", "10.0.0.1:6443 is alive, but does not say whether it is ready")
            .when("nobody may know", controlPlanes(probed(CP1, new NotReady(401, List.of())))),
        warn("cluster IP", "10.96.0.64:6443 is alive, but does not say whether it is ready")
            .when(
                "nobody may know of the cluster IP",
                node ->
                    node.service =
                        Optional.of(
                            known(
                                probed(address("10.96.0.64:6443"), new NotReady(403, List.of()))))),
        warn("control plane", "10.0.0.1:6443 cannot be used: connection refused")
            .when("one refused", firstControlPlane(REFUSED)),
        fail("control plane", "none is ready")
            .when(
                "none ready",
                controlPlanes(probed(CP1, new Unreachable(Reason.CONNECT_TIMEOUT, "silent")))),
        warn("control plane", "answered in 1500 ms")
            .when(
                "one is slow",
                controlPlanes(new Probed(CP1, new Ready(), Duration.ofMillis(1_500)))),
        warn("cached list", "never refreshed")
            .when("never refreshed", node -> node.refreshed = Optional.empty()),
        warn("cached list", "4 days ago")
            .when(
                "an old list", node -> node.refreshed = Optional.of(NOW.minus(Duration.ofDays(4)))),
        fail("cluster IP", "none is configured")
            .when(
                "no cluster IP",
                node -> {
                  node.clusterIp = Optional.empty();
                  node.service = Optional.empty();
                }),
        fail("cluster IP", "10.96.0.64:6443 cannot be used")
            .when(
                "the cluster IP does not answer",
                node ->
                    node.service = Optional.of(known(probed(address("10.96.0.64:6443"), REFUSED)))),
        warn("service CIDR", "far from the cluster's DNS, 172.16.0.10")
            .when(
                "the cluster IP lies elsewhere",
                node -> node.dns = known(List.of(ip("172.16.0.10")))),
        ok("service CIDR", "not compared with the cluster's DNS, which is 169.254.20.10")
            .when(
                "the DNS is a cache on each node",
                node -> node.dns = known(List.of(ip("169.254.20.10")))),
        fail("cluster IP", "cannot be used: Network is unreachable")
            .when(
                "no route to the cluster IP",
                node ->
                    node.service =
                        Optional.of(
                            known(
                                probed(
                                    address("10.96.0.64:6443"),
                                    new Unreachable(Reason.NO_ROUTE, "Network is unreachable"))))),
        warn("service CIDR", "is an address of this node")
            .when("the cluster IP is the node's", node -> node.own = List.of(CLUSTER_IP)),
        fail("CA", "certificates are not verified")
            .when("nothing is verified", node -> node.verified = false),
        warn("CA", "expires on 2026-12-01")
            .when(
                "the authority expires",
                node -> node.authorities = authorities(authority(10, true))),
        ok("CA", "is valid until 2035-02-07")
            .when(
                "an expired authority beside the one that signs",
                node ->
                    node.authorities = authorities(authority(-9, false), authority(3000, true))),
        fail("CA", "expired on 2026-11-12")
            .when(
                "the one that signs has expired beside a valid one",
                node ->
                    node.authorities = authorities(authority(-9, true), authority(3000, false))),
        ok("CA", "is valid until 2035-02-07")
            .when(
                "a renewed authority with the same key beside the expired one",
                node -> node.authorities = authorities(authority(-9, true), authority(3000, true))),
        fail("CA", "expired on 2026-11-20")
            .when(
                "no authority is valid",
                node -> node.authorities = authorities(authority(-9, false), authority(-1, false))),
        warn("clock", "not synchronized")
            .when("a clock of its own", node -> node.clock = known(false)),
        ok("machine-id", "set").when("nothing is spoiled", node -> {}),
        warn("machine-id", "/etc/machine-id holds \"\"")
            .when("an image that leaves it empty", node -> node.machineId = known("")),
        warn("machine-id", "holds \"uninitialized\"")
            .when("a first boot did not end", node -> node.machineId = known("uninitialized")),
        warn("machine-id", "holds \"00000000000000000000000000000000\"")
            .when("a placeholder", node -> node.machineId = known("0".repeat(32))),
        warn("machine-id", "not known").when("no such file", node -> node.machineId = unknown()),
        fail(
                "certificate",
                "certificate is valid for kubernetes, 10.96.0.64, not apiserver.cluster.local")
            .when(
                "the name is not in the certificate",
                node -> node.certificate = certificate(300, "kubernetes", "10.96.0.64")),
        warn(
                "certificate",
                "certificate is valid for apiserver.cluster.local, 10.96.0.1, not 10.96.0.64")
            .when(
                "the cluster IP is not in the certificate",
                node -> node.certificate = certificate(300, NAME, "10.96.0.1")),
        fail("certificate", "it expired on 2026-11-20")
            .when(
                "the certificate has expired",
                node -> node.certificate = certificate(-1, NAME, "10.96.0.64")),
        fail("kubelet", "dials https://10.0.0.1:6443")
            .when(
                "the kubelet dials an address",
                node -> node.kubelet = dials("https://10.0.0.1:6443")),
        fail("kubelet", "dials https://apiserver.cluster.local:6443 through the proxy proxy:3128")
            .when(
                "the kubelet has HTTPS_PROXY without NO_PROXY",
                node ->
                    node.kubelet =
                        known(
                            new Dialled(
                                "https://apiserver.cluster.local:6443",
                                Optional.of("proxy:3128")))),
        fail("kube-proxy", "dials https://apiserver.cluster.local:8443")
            .when(
                "kube-proxy dials another port",
                node -> node.proxy = dials("https://apiserver.cluster.local:8443")),
        warn(Rules.PIN_UNIT, "there is no such unit")
            .when("no unit", unit(Rules.PIN_UNIT, "not-found", "inactive", "")),
        fail(Rules.PIN_UNIT, "disabled, so it does not run at boot")
            .when("a unit is disabled", unit(Rules.PIN_UNIT, "loaded", "inactive", "disabled")),
        fail(Rules.HANDOVER_UNIT, "failed")
            .when("a unit failed", unit(Rules.HANDOVER_UNIT, "loaded", "failed", "static")),
        warn(Rules.HANDOVER_UNIT, "still running")
            .when(
                "a hand-over that waits",
                unit(Rules.HANDOVER_UNIT, "loaded", "activating", "static")),
        warn(Rules.HANDOVER_PATH, "is back at the next boot only")
            .when(
                "nothing watches the hosts file",
                unit(Rules.HANDOVER_PATH, "loaded", "inactive", "static")),
        fail(Rules.PIN_UNIT, "did not run at this boot")
            .when(
                "systemd left the pin out", unit(Rules.PIN_UNIT, "loaded", "inactive", "enabled")),
        fail(Rules.REFRESH_TIMER, "did not run at this boot")
            .when(
                "the timer was not started",
                unit(Rules.REFRESH_TIMER, "loaded", "inactive", "enabled")),
        fail(Rules.HANDOVER_UNIT, "did not run at this boot")
            .when(
                "the hand-over was not started",
                node -> node.put(Rules.HANDOVER_UNIT, "inactive", Set.of(), false, Set.of())),
        fail(Rules.PIN_UNIT, "kubelet.service does not start it and wait for it")
            .when(
                "the pin is there for another unit",
                node -> node.put(Rules.PIN_UNIT, "active", Set.of(), true, Set.of(PROXY))),
        fail(KUBELET, "the kubelet runs as snap.kubelet.service")
            .when(
                "the kubelet's unit has another name",
                node -> node.kubeletRunsAs = Optional.of("snap.kubelet.service")),
        fail(PROXY, "kube-proxy runs as snap.kube-proxy.service")
            .when(
                "kube-proxy's unit has another name",
                node -> node.proxyRunsAs = Optional.of("snap.kube-proxy.service")),
        warn(KUBELET, "there is no such unit, so nothing starts apiserver-bootstrap.service")
            .when(
                "no kubelet yet",
                unit(KUBELET, "not-found", "inactive", "")
                    .andThen(node -> node.kubeletRunsAs = Optional.empty())),
        warn(KUBELET, "inactive")
            .when("the kubelet does not run", unit(KUBELET, "loaded", "inactive", "enabled")),
        warn(
                "kubelet.service HTTP/2",
                "HTTP2_READ_IDLE_TIMEOUT_SECONDS and HTTP2_PING_TIMEOUT_SECONDS")
            .when("the drop-in is missing", unit(KUBELET, "loaded", "active", "enabled")),
        warn("kube-proxy HTTP/2", "HTTP2_READ_IDLE_TIMEOUT_SECONDS and HTTP2_PING_TIMEOUT_SECONDS")
            .when(
                "kube-proxy runs in a pod without the variables",
                node -> node.proxyVariables = Optional.of(Set.of("PATH"))),
        warn("unanswered SYNs", "conntrack keeps unanswered SYNs for 120 s")
            .when(
                "the kernel's own setting",
                node -> node.synSentTimeout = known(Duration.ofMinutes(2))),
        fail("unanswered SYNs", "dropped at once")
            .when(
                "attempts to connect are not kept at all",
                node -> node.synSentTimeout = known(Duration.ZERO)),
        warn("unanswered SYNs", "there is no such file")
            .when(
                "no setting, as without conntrack",
                node -> node.synSentTimeout = new Reading.Unknown<>("there is no such file")),
        warn("reset connections", "conntrack keeps reset connections for 10 s")
            .when(
                "the kernel's own setting for what was reset",
                node -> node.closeTimeout = known(Duration.ofSeconds(10))),
        warn("reset connections", "there is no such file")
            .when(
                "no setting for what was reset",
                node -> node.closeTimeout = new Reading.Unknown<>("there is no such file")),
        warn("pods", "kube-system/kube-proxy-x uses the host network and an old copy")
            .when("a pod with an old copy", node -> node.snapshots = proxyCopy(CP1.ip())),
        fail(
                "pods",
                "kube-system/kube-proxy-x has a copy of the hosts file without apiserver.cluster.local")
            .when(
                "kube-proxy was started before the node knew the name",
                node -> node.snapshots = proxyCopy()),
        warn("pods", "it dials 10.0.0.1 only")
            .when(
                "a pod of a control plane that keeps a peer",
                onAControlPlane(node -> node.snapshots = proxyCopy(CP1.ip()))),
        fail("kube-proxy", "dials https://10.0.0.1:6443")
            .when(
                "kube-proxy of a control plane dials a peer",
                onAControlPlane(node -> node.proxy = dials("https://10.0.0.1:6443"))),
        warn("boot-time rule", "not there")
            .when("the rule is gone", rule(new RuleReading.Absent())),
        ok("boot-time rule", "2 control planes; it carried 4 connections")
            .when("the rule is there", rule(RULE_IN_PLACE)),
        ok("boot-time rule", "not there, as it has to be in IPVS mode")
            .when(
                "the rule is gone, in IPVS mode",
                ipvs("rr", 1, 1).andThen(rule(new RuleReading.Absent()))),
        fail("boot-time rule", "before IPVS, which it bypasses: it carried 4 connections")
            .when("the rule is there, in IPVS mode", ipvs("rr", 1, 1).andThen(rule(RULE_IN_PLACE))),
        warn("boot-time rule", "not known: no nft")
            .when(
                "nobody knows of the rule, in IPVS mode",
                ipvs("rr", 1, 1).andThen(rule(new RuleReading.Unreadable("no nft")))),
        ok("service CIDR", "10.96.0.64 is an address of this node, as IPVS needs it")
            .when("the cluster IP is the node's, in IPVS mode", ipvs("rr", 1, 1)),
        ok("IPVS", "scheduler rr; Kubernetes 1.43 has no IPVS mode").when("rr", ipvs("rr", 1, 1)),
        fail("IPVS", "the scheduler sh keeps sending").when("sh", ipvs("sh", 1, 1)),
        fail("IPVS", "the scheduler mh keeps sending").when("mh", ipvs("mh", 1, 1)),
        warn("IPVS", "the scheduler lc prefers").when("lc", ipvs("lc", 1, 1)),
        warn("IPVS", "nobody has measured the scheduler lblc").when("lblc", ipvs("lblc", 1, 1)),
        fail("IPVS", "net.ipv4.vs.conntrack = 0").when("no conntrack", ipvs("wrr", 0, 1)),
        warn("IPVS", "net.ipv4.vs.expire_nodest_conn = 0")
            .when("nothing expires", ipvs("rr", 1, 0)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rr", "wrr"})
  void workerInIpvsModeHasNothingToDo(String scheduler) {
    Node node = new Node();
    ipvs(scheduler, 1, 1).andThen(rule(new RuleReading.Absent())).accept(node);
    assertAllWell(node);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("situations")
  void tells(String situation, Consumer<Node> spoil, Told told) {
    Node node = new Node();
    spoil.accept(node);
    List<Finding> findings = node.findings();
    List<Finding> matching =
        findings.stream()
            .filter(finding -> finding.subject().equals(told.subject()))
            .filter(finding -> finding.message().contains(told.words()))
            .toList();
    assertEquals(1, matching.size(), situation + ": " + findings);
    assertEquals(told.level(), matching.get(0).level(), matching.toString());
    assertEquals(
        told.level() != Level.OK, matching.get(0).advice().isPresent(), matching.toString());
  }

  private static Arguments unknown(String subject, Consumer<Node> spoil) {
    return Arguments.of(subject, spoil);
  }

  static List<Arguments> unknowns() {
    return List.of(
        unknown("name", node -> node.resolution = unknown()),
        unknown("hosts file", node -> node.hosts = unknown()),
        unknown("control plane", node -> node.controlPlanes = unknown()),
        unknown("cluster IP", node -> node.service = Optional.of(unknown())),
        unknown("certificate", node -> node.certificate = unknown()),
        unknown("CA", node -> node.authorities = Optional.of(unknown())),
        unknown("kubelet", node -> node.kubelet = unknown()),
        unknown("kube-proxy", node -> node.proxy = unknown()),
        unknown("service CIDR", node -> node.dns = unknown()),
        unknown("units", node -> node.units = unknown()),
        unknown("pods", node -> node.snapshots = unknown()));
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

  private static void assertAllWell(Node node) {
    List<Finding> findings = node.findings();
    assertTrue(findings.stream().allMatch(f -> f.level() == Level.OK), findings.toString());
  }

  private static List<String> subjects(Node node, Level level) {
    return node.findings().stream().filter(f -> f.level() == level).map(Finding::subject).toList();
  }

  @Test
  void controlPlaneMayLeadTheNameToItself() {
    Node node = new Node();
    node.role = Role.CONTROL_PLANE;
    node.clusterIp = Optional.empty();
    node.service = Optional.empty();
    node.nameLeadsTo(ip("127.0.0.1"));
    assertAllWell(node);
  }

  /** As kubeadm has it. */
  @ParameterizedTest
  @ValueSource(strings = {"https://10.0.0.1:6443", "https://127.0.0.1:6443", "https://[::1]:6443"})
  void kubeletOfAControlPlaneMayDialItsOwnApiserver(String server) {
    Node node = new Node();
    node.role = Role.CONTROL_PLANE;
    node.own = List.of(CP1.ip());
    node.kubelet = dials(server);
    assertAllWell(node);
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
    node.kubelet = dials(server);
    assertEquals(List.of("kubelet"), subjects(node, Level.FAIL));
  }

  /** Left over from another time. */
  @Test
  void kubeProxyIsJudgedByWhatRunsAndNotByAUnit() {
    Node node = new Node();
    node.put(PROXY, "inactive", HTTP2, false, Set.of());
    node.proxyVariables = Optional.of(Set.of());
    assertEquals(List.of("kube-proxy HTTP/2"), subjects(node, Level.WARN));
  }

  /** By the setting, or because an administrator gave the unit the usual name as a second one. */
  @Test
  void kubeletsUnitMayHaveAnotherName() {
    String snap = "snap.kubelet.service";
    for (String asked : List.of(snap, KUBELET)) {
      Node node = new Node();
      node.unitStates.remove(KUBELET);
      node.put(snap, "active", HTTP2, true, Set.of());
      node.unitStates.put(asked, node.unitStates.get(snap));
      node.put(Rules.PIN_UNIT, "active", Set.of(), true, Set.of(snap));
      node.kubeletUnit = asked;
      node.kubeletRunsAs = Optional.of(snap);
      assertAllWell(node);
    }
  }

  /** As on a machine that is being installed. */
  @Test
  void unitsMayWaitForTheKubelet() {
    Node node = new Node();
    unit(Rules.PIN_UNIT, "loaded", "inactive", "enabled").accept(node);
    unit(KUBELET, "loaded", "inactive", "enabled").accept(node);
    node.kubeletRunsAs = Optional.empty();
    assertEquals(List.of(), subjects(node, Level.FAIL));
  }

  @Test
  void podOfAControlPlaneMayKeepThatControlPlane() {
    Node node = new Node();
    node.role = Role.CONTROL_PLANE;
    node.snapshots = proxyCopy(node.own.get(0));
    node.proxy = new Reading.Unknown<>("there is none");
    assertAllWell(node);
  }

  @Test
  void workerMayNotLeadTheNameToItself() {
    Node node = new Node();
    node.nameLeadsTo(ip("127.0.0.1"));
    assertNotEquals(List.of(), subjects(node, Level.FAIL));
  }

  /** As pin sees it: where nobody may know more, one that is alive has to do. */
  @Test
  void oneThatDoesNotTellWhetherItIsReadyIsNoFailure() {
    Node node = new Node();
    controlPlanes(probed(CP1, new NotReady(401, List.of()))).accept(node);
    assertEquals(List.of(), subjects(node, Level.FAIL));
  }

  @Test
  void podThatDoesNotKnowTheNameIsNoFault() {
    Node node = new Node();
    node.snapshots = copy("a/b");
    assertAllWell(node);
  }
}
