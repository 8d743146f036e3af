package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.check.Facts.Certificate;
import io.apiserverupdater.bootstrap.check.Facts.HostsBlock;
import io.apiserverupdater.bootstrap.check.Facts.HostsSnapshot;
import io.apiserverupdater.bootstrap.check.Facts.Probed;
import io.apiserverupdater.bootstrap.check.Facts.UnitState;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import io.apiserverupdater.probe.ApiserverAddress;
import io.apiserverupdater.probe.ProbeResult;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Facts in, findings out. What is not known is a warning that says so, never a failure. */
public final class Rules {
  static final String PIN_UNIT = "apiserver-bootstrap.service";
  static final String HANDOVER_UNIT = "apiserver-bootstrap-handover.service";
  static final String REFRESH_TIMER = "apiserver-bootstrap-refresh.timer";
  static final String KUBELET_UNIT = "kubelet.service";
  static final String PROXY_UNIT = "kube-proxy.service";
  static final List<String> UNITS =
      List.of(PIN_UNIT, HANDOVER_UNIT, REFRESH_TIMER, KUBELET_UNIT, PROXY_UNIT);

  /** What makes a Go client leave a connection that has fallen silent. */
  private static final List<String> HTTP2_VARIABLES =
      List.of("HTTP2_READ_IDLE_TIMEOUT_SECONDS", "HTTP2_PING_TIMEOUT_SECONDS");

  private static final Duration SLOW = Duration.ofSeconds(1);
  private static final Duration OLD_LIST = Duration.ofDays(3);
  private static final Duration SOON = Duration.ofDays(30);

  /** The widest service CIDR that is usual: kubeadm's 10.96.0.0/12. */
  private static final int USUAL_PREFIX_BITS = 12;

  private final Facts facts;
  private final String name;
  private final List<Finding> findings = new ArrayList<>();

  private Rules(Facts facts) {
    this.facts = facts;
    this.name = facts.settings().hostname();
  }

  /** In the order in which a connection goes: the name, where it leads, who answers, who dials. */
  public static List<Finding> findings(Facts facts) {
    Rules rules = new Rules(facts);
    rules.resolution();
    rules.hostsBlock();
    rules.controlPlanes();
    rules.listAge();
    rules.service();
    rules.serviceRange();
    rules.trust();
    rules.certificate();
    rules.dialers();
    rules.units();
    rules.http2();
    rules.snapshots();
    rules.rule();
    return rules.findings;
  }

  private void ok(String subject, String message) {
    findings.add(Finding.ok(subject, message));
  }

  private void warn(String subject, String message, String advice) {
    findings.add(Finding.warn(subject, message, advice));
  }

  private void fail(String subject, String message, String advice) {
    findings.add(Finding.fail(subject, message, advice));
  }

  /** Runs the rule on what is known; tells what is not. */
  private <T> Optional<T> known(String subject, Reading<T> reading, String advice) {
    if (reading instanceof Reading.Known<T> known) {
      return Optional.of(known.value());
    }
    if (reading instanceof Reading.Unknown<T> unknown) {
      warn(subject, "not known: " + unknown.reason(), advice);
    }
    return Optional.empty();
  }

  private boolean isWorker() {
    return facts.settings().role() == Role.WORKER;
  }

  private static String text(List<InetAddress> addresses) {
    List<String> texts = new ArrayList<>();
    addresses.forEach(address -> texts.add(address.getHostAddress()));
    return String.join(", ", texts);
  }

  /** What an address is in the scheme. */
  private Optional<String> meaning(InetAddress address) {
    if (facts.settings().clusterIp().equals(Optional.of(address))) {
      return Optional.of("the cluster IP");
    }
    if (facts.controlPlanes() instanceof Reading.Known<List<Probed>> known) {
      for (Probed probed : known.value()) {
        if (probed.address().ip().equals(address)) {
          return Optional.of("a control plane");
        }
      }
    }
    return isThisControlPlane(address)
        ? Optional.of("this control plane itself")
        : Optional.empty();
  }

  private void resolution() {
    String subject = "name";
    Optional<List<InetAddress>> resolved =
        known(subject, facts.resolution(), "look with: getent ahosts " + name);
    if (resolved.isEmpty()) {
      return;
    }
    List<InetAddress> addresses = resolved.get();
    if (addresses.isEmpty()) {
      fail(
          subject,
          name + " leads nowhere",
          "run apiserver-bootstrap pin; if it stays so, /etc/nsswitch.conf lacks"
              + " \"hosts: files\"");
      return;
    }
    if (facts.hosts() instanceof Reading.Known<HostsBlock> hosts
        && !hosts.value().addresses().isEmpty()
        && !addresses.containsAll(hosts.value().addresses())) {
      fail(
          subject,
          name
              + " leads to "
              + text(addresses)
              + ", the hosts file says "
              + text(hosts.value().addresses()),
          "let \"files\" come first in the line hosts: of /etc/nsswitch.conf, and restart a name"
              + " cache such as nscd");
      return;
    }
    for (InetAddress address : addresses) {
      Optional<String> meaning = meaning(address);
      if (meaning.isEmpty()) {
        fail(
            subject,
            name
                + " leads to "
                + address.getHostAddress()
                + ", which is neither the cluster IP nor a known control plane",
            "run apiserver-bootstrap, or correct CONTROL_PLANE and CLUSTER_IP in its"
                + " configuration");
        return;
      }
    }
    InetAddress first = addresses.get(0);
    ok(subject, name + " leads to " + text(addresses) + ", " + meaning(first).orElse(""));
  }

  private void hostsBlock() {
    String subject = "hosts file";
    Optional<HostsBlock> block =
        known(subject, facts.hosts(), "mend the file as it says, then run apiserver-bootstrap pin");
    if (block.isEmpty()) {
      return;
    }
    if (!block.get().foreignLines().isEmpty()) {
      fail(
          subject,
          "line "
              + block.get().foreignLines().get(0)
              + " outside our block names "
              + name
              + " as well",
          "delete the name there, or run apiserver-bootstrap pin --adopt");
    } else if (block.get().addresses().isEmpty()) {
      fail(subject, "there is no entry of ours", "run apiserver-bootstrap pin");
    } else {
      ok(subject, "one block, with " + text(block.get().addresses()));
      handedOver(block.get().addresses());
    }
  }

  private void handedOver(List<InetAddress> addresses) {
    Optional<InetAddress> clusterIp = facts.settings().clusterIp();
    if (!isWorker() || clusterIp.isEmpty() || addresses.contains(clusterIp.get())) {
      return;
    }
    warn(
        "hand-over",
        "the name still points at a control plane",
        serviceIsReady()
            ? "the cluster IP works: run systemctl restart " + HANDOVER_UNIT
            : "it follows when the cluster IP works; until then look at " + HANDOVER_UNIT);
  }

  private boolean serviceIsReady() {
    return facts.service().isPresent()
        && facts.service().get() instanceof Reading.Known<Probed> service
        && service.value().result() instanceof ProbeResult.Ready;
  }

  private void controlPlanes() {
    String subject = "control plane";
    if (!facts.settings().anyControlPlane()) {
      fail(
          subject,
          "none is configured, so nothing can be pinned at the next boot",
          "set CONTROL_PLANE in /etc/apiserver-bootstrap/bootstrap.conf");
    }
    Optional<List<Probed>> probed =
        known(subject, facts.controlPlanes(), "set CA_FILE or CA_CERT_HASH");
    if (probed.isEmpty() || probed.get().isEmpty()) {
      return;
    }
    int ready = 0;
    for (Probed one : probed.get()) {
      boolean isReady = one.result() instanceof ProbeResult.Ready;
      ready += isReady ? 1 : 0;
      if (isReady && one.latency().compareTo(SLOW) < 0) {
        ok(subject, answer(one));
      } else {
        warn(subject, answer(one), advice(one.result()));
      }
    }
    if (ready == 0) {
      fail(
          subject,
          "none is ready: a boot now would find none",
          "see to the control planes, or correct CONTROL_PLANE and CA_FILE");
    }
  }

  private static String answer(Probed probed) {
    String address = probed.address().toString();
    ProbeResult result = probed.result();
    if (result instanceof ProbeResult.NotReady notReady) {
      return address
          + " is not ready: HTTP "
          + notReady.status()
          + (notReady.failingChecks().isEmpty()
              ? ""
              : ", failing " + String.join(", ", notReady.failingChecks()));
    }
    if (result instanceof ProbeResult.Unreachable unreachable) {
      return address + " cannot be used: " + unreachable.detail();
    }
    return address + " is ready, answered in " + probed.latency().toMillis() + " ms";
  }

  private static String advice(ProbeResult result) {
    if (result instanceof ProbeResult.NotReady notReady) {
      return notReady.status() == 401 || notReady.status() == 403
          ? "let anonymous read /readyz (the ClusterRole system:public-info-viewer), or pin counts"
              + " it as not ready"
          : "look at its log: kube-apiserver names the failing checks there";
    }
    if (result instanceof ProbeResult.Unreachable unreachable) {
      return switch (unreachable.reason()) {
        case REFUSED -> "start its kube-apiserver, or take the address out of the list";
        case NO_ROUTE, CONNECT_TIMEOUT -> "look at its host, the network and firewalls between";
        case HANDSHAKE_TIMEOUT, ANSWER_TIMEOUT -> "its process hangs or is overloaded: look at it";
        case CONNECTION_LOST -> "its process, or something between, ends connections: look at it";
        case CERTIFICATE -> "renew the certificate, or correct HOSTNAME, CA_FILE or CA_CERT_HASH";
        case TLS, MALFORMED_ANSWER -> "is it a kube-apiserver, and the right port?";
      };
    }
    return "find out why it is slow";
  }

  private void listAge() {
    String subject = "cached list";
    String advice = "run apiserver-bootstrap refresh, and look at " + REFRESH_TIMER;
    if (facts.refreshed().isEmpty()) {
      warn(
          subject, "never refreshed: control planes that are not configured are not known", advice);
      return;
    }
    Duration age = Duration.between(facts.refreshed().get(), facts.now());
    if (age.compareTo(OLD_LIST) > 0) {
      warn(subject, "refreshed " + age.toDays() + " days ago", advice);
    } else {
      ok(subject, "refreshed " + Math.max(0, age.toHours()) + " h ago");
    }
  }

  private void service() {
    String subject = "cluster IP";
    if (facts.service().isEmpty()) {
      if (isWorker()) {
        fail(
            subject,
            "none is configured, so the name stays at one control plane",
            "set CLUSTER_IP: kubectl -n kube-system get service apiserver shows it");
      }
      return;
    }
    Optional<Probed> probed = known(subject, facts.service().get(), "set CA_FILE or CA_CERT_HASH");
    if (probed.isEmpty()) {
      return;
    }
    if (probed.get().result() instanceof ProbeResult.Ready) {
      ok(subject, answer(probed.get()));
    } else if (isWorker()) {
      fail(
          subject,
          answer(probed.get()),
          "is kube-proxy running here, and has the Service apiserver endpoints? kubectl -n"
              + " kube-system get endpointslices -l kubernetes.io/service-name=apiserver");
    } else {
      warn(subject, answer(probed.get()), "is kube-proxy running here? Only workers need it");
    }
  }

  private void serviceRange() {
    Optional<InetAddress> clusterIp = facts.settings().clusterIp();
    if (clusterIp.isEmpty()) {
      return;
    }
    String subject = "service CIDR";
    if (facts.ownAddresses().contains(clusterIp.get()) && isWorker()) {
      // In IPVS mode kube-proxy gives each cluster IP to an interface of the node.
      warn(
          subject,
          clusterIp.get().getHostAddress() + " is an address of this node",
          "that is so with kube-proxy in IPVS mode only; else choose another cluster IP");
    }
    Optional<List<InetAddress>> dns =
        known(
            subject, facts.clusterDns(), "compare with --service-cluster-ip-range of an apiserver");
    if (dns.isEmpty()) {
      return;
    }
    boolean sameFamily = false;
    for (InetAddress address : dns.get()) {
      if (address.getAddress().length != clusterIp.get().getAddress().length) {
        continue;
      }
      sameFamily = true;
      if (haveSamePrefix(address, clusterIp.get())) {
        ok(
            subject,
            clusterIp.get().getHostAddress()
                + " is near the cluster's DNS, "
                + address.getHostAddress());
        return;
      }
    }
    if (sameFamily) {
      warn(
          subject,
          clusterIp.get().getHostAddress()
              + " is far from the cluster's DNS, "
              + text(dns.get())
              + ", which is of the service CIDR",
          "compare with: kubectl -n kube-system get service apiserver");
    }
  }

  private static boolean haveSamePrefix(InetAddress one, InetAddress other) {
    byte[] a = one.getAddress();
    byte[] b = other.getAddress();
    return a[0] == b[0]
        && (a[1] & 0xFF) >> (16 - USUAL_PREFIX_BITS) == (b[1] & 0xFF) >> (16 - USUAL_PREFIX_BITS);
  }

  private void trust() {
    String subject = "authority";
    if (!facts.settings().verified()) {
      fail(
          subject,
          "INSECURE_SKIP_TLS_VERIFY: whoever answers is believed, and can take this node over",
          "give CA_FILE or CA_CERT_HASH instead");
    }
    if (facts.authorityExpiry().isEmpty()) {
      return;
    }
    Optional<Instant> expiry =
        known(
            subject, facts.authorityExpiry().get(), "give the authority's certificate in CA_FILE");
    expiry.ifPresent(
        at -> expiry(subject, "the trusted authority", at, "renew it, and give all nodes the new"));
  }

  private void expiry(String subject, String what, Instant at, String advice) {
    String day = at.truncatedTo(ChronoUnit.SECONDS).toString();
    if (at.isBefore(facts.now())) {
      fail(subject, what + " expired on " + day, advice);
    } else if (at.isBefore(facts.now().plus(SOON))) {
      warn(subject, what + " expires on " + day, advice);
    } else {
      ok(subject, what + " is valid until " + day);
    }
  }

  private void certificate() {
    String subject = "certificate";
    Optional<Certificate> known =
        known(subject, facts.certificate(), "no apiserver showed one: see above");
    if (known.isEmpty()) {
      return;
    }
    Certificate certificate = known.get();
    String names = String.join(", ", certificate.names());
    String advice =
        "add it to the apiservers' certSANs and renew their certificates (kubeadm: docs/install.md)";
    if (!certificate.forHostname()) {
      fail(
          subject,
          "that of " + certificate.shownBy() + " is not made for " + name + ", but for " + names,
          advice);
    } else {
      ok(subject, "that of " + certificate.shownBy() + " is made for " + name);
    }
    Optional<InetAddress> clusterIp = facts.settings().clusterIp();
    if (clusterIp.isPresent() && !certificate.forClusterIp()) {
      warn(
          subject,
          "it is not made for the cluster IP " + clusterIp.get().getHostAddress(),
          "only clients that dial the address instead of the name need that; " + advice);
    }
    expiry(subject, "it", certificate.expiry(), "renew it: kubeadm certs renew apiserver");
  }

  private void dialers() {
    dialer("kubelet", facts.kubeletServers(), "restart the kubelet");
    // A control plane need not have one.
    if (isWorker() || facts.proxyServers() instanceof Reading.Known) {
      dialer("kube-proxy", facts.proxyServers(), "restart kube-proxy");
    }
  }

  private void dialer(String subject, Reading<List<String>> reading, String restart) {
    Optional<List<String>> servers =
        known(subject, reading, "make sure that its kubeconfig says server: " + expectedServer());
    if (servers.isEmpty()) {
      return;
    }
    if (servers.get().isEmpty()) {
      warn(subject, "its kubeconfig names no server", "it should say server: " + expectedServer());
    }
    for (String server : servers.get()) {
      if (server.equals(expectedServer()) || server.equals(expectedServer() + "/")) {
        ok(subject, "dials " + server);
      } else if (isOwnApiserver(server)) {
        // As kubeadm has it for the kubelet of a control plane.
        ok(subject, "dials " + server + ", this control plane itself");
      } else {
        fail(
            subject,
            "dials " + server + ", and so gains nothing by the name",
            "set server: " + expectedServer() + " in its kubeconfig, and " + restart);
      }
    }
  }

  /** By loopback, or as one of the known control planes; not by an address that may move away. */
  private boolean isOwnApiserver(String server) {
    String scheme = "https://";
    Optional<ApiserverAddress> dialled =
        server.startsWith(scheme)
            ? ApiserverAddress.parse(server.substring(scheme.length()), facts.settings().port())
            : Optional.empty();
    if (isWorker() || dialled.isEmpty()) {
      return false;
    }
    InetAddress ip = dialled.get().ip();
    if (ip.isLoopbackAddress()) {
      return dialled.get().port() == facts.settings().port();
    }
    return facts.ownAddresses().contains(ip)
        && facts.controlPlanes() instanceof Reading.Known<List<Probed>> known
        && known.value().stream().anyMatch(probed -> probed.address().equals(dialled.get()));
  }

  private boolean isThisControlPlane(InetAddress address) {
    return !isWorker() && (address.isLoopbackAddress() || facts.ownAddresses().contains(address));
  }

  private String expectedServer() {
    return "https://" + name + ":" + facts.settings().port();
  }

  private void units() {
    Optional<Map<String, UnitState>> known =
        known("units", facts.units(), "look with: systemctl status " + PIN_UNIT);
    if (known.isEmpty()) {
      return;
    }
    Map<String, UnitState> units = known.get();
    unit(units, PIN_UNIT, true);
    unit(units, HANDOVER_UNIT, false);
    unit(units, REFRESH_TIMER, true);
    UnitState kubelet = units.get(KUBELET_UNIT);
    if (kubelet != null && kubelet.exists()) {
      if (kubelet.active().equals("active")) {
        ok(KUBELET_UNIT, "active");
      } else {
        warn(KUBELET_UNIT, kubelet.active(), "look with: journalctl -u kubelet");
      }
    }
  }

  private void unit(Map<String, UnitState> units, String unit, boolean enabled) {
    UnitState state = units.get(unit);
    if (state == null || !state.exists()) {
      warn(
          unit,
          "there is no such unit, so nothing happens at boot",
          "install the package, or the units of deploy/systemd");
    } else if (state.active().equals("failed")) {
      fail(unit, "failed", "look with: journalctl -u " + unit);
    } else if (enabled && !state.file().equals("enabled")) {
      fail(
          unit,
          (state.file().isEmpty() ? "not enabled" : state.file()) + ", so it does not run at boot",
          "run systemctl enable " + unit);
    } else if (state.active().equals("activating")) {
      warn(unit, "still at work", "look with: journalctl -u " + unit);
    } else {
      ok(unit, state.active());
    }
  }

  private void http2() {
    if (!(facts.units() instanceof Reading.Known<Map<String, UnitState>> units)) {
      return;
    }
    String dropIn =
        "install the drop-in 20-apiserver-bootstrap.conf of the package, and restart the unit";
    UnitState kubelet = units.value().get(KUBELET_UNIT);
    if (kubelet != null && kubelet.exists()) {
      http2(KUBELET_UNIT, kubelet.variables(), dropIn);
    }
    UnitState proxy = units.value().get(PROXY_UNIT);
    if (proxy != null && proxy.active().equals("active")) {
      http2(PROXY_UNIT, proxy.variables(), dropIn);
    } else {
      facts
          .proxyVariables()
          .ifPresent(
              variables ->
                  http2(
                      "kube-proxy",
                      variables,
                      "run kubectl -n kube-system set env daemonset/kube-proxy"
                          + " HTTP2_READ_IDLE_TIMEOUT_SECONDS=2 HTTP2_PING_TIMEOUT_SECONDS=2"));
    }
  }

  private void http2(String program, Set<String> variables, String advice) {
    String subject = program + " HTTP/2";
    List<String> missing = new ArrayList<>(HTTP2_VARIABLES);
    missing.removeAll(variables);
    if (missing.isEmpty()) {
      ok(subject, "leaves a silent connection after the times that are set");
    } else {
      warn(
          subject,
          "lacks " + String.join(" and ", missing) + ": a silent control plane is left after 45 s",
          advice);
    }
  }

  private void snapshots() {
    String subject = "pods";
    Optional<List<HostsSnapshot>> known =
        known(subject, facts.snapshots(), "run this as root on the node");
    if (known.isEmpty()) {
      return;
    }
    int faults = 0;
    for (HostsSnapshot snapshot : known.get()) {
      if (isNamelessProxy(snapshot)) {
        faults++;
        fail(
            subject,
            snapshot.pod()
                + " has a copy of the hosts file without "
                + name
                + ", which it dials: it gets no changes of Services",
            "restart it (kubectl delete pod), now that the node knows the name");
      } else if (isPinned(snapshot)) {
        faults++;
        warn(
            subject,
            snapshot.pod()
                + " has host network and an old copy of the hosts file: it dials "
                + text(snapshot.addresses())
                + " only",
            "restart it (kubectl delete pod) once the name points where it stays; on a worker"
                + " --strategy nft avoids this");
      }
    }
    if (faults == 0) {
      ok(subject, "none with host network has an old copy of the hosts file");
    }
  }

  /** Started before the node knew the name, and dialling it. */
  private boolean isNamelessProxy(HostsSnapshot snapshot) {
    return snapshot.addresses().isEmpty()
        && snapshot.pod().startsWith("kube-system/kube-proxy-")
        && facts.proxyServers() instanceof Reading.Known<List<String>> servers
        && servers.value().contains(expectedServer());
  }

  /** Knows the name, and by it one control plane that is not this node. */
  private boolean isPinned(HostsSnapshot snapshot) {
    Optional<InetAddress> clusterIp = facts.settings().clusterIp();
    return clusterIp.isPresent()
        && facts.settings().strategy() != Strategy.NFT
        && !snapshot.addresses().isEmpty()
        && snapshot.addresses().stream()
            .noneMatch(address -> address.equals(clusterIp.get()) || isThisControlPlane(address));
  }

  private void rule() {
    if (facts.rule().isEmpty()) {
      return;
    }
    String subject = "boot-time rule";
    RuleReading reading = facts.rule().get();
    if (reading instanceof RuleReading.Present present) {
      ok(
          subject,
          "in place, "
              + present.rule().candidates().size()
              + " control planes; it carried "
              + present.connections()
              + " connections");
    } else if (reading instanceof RuleReading.Unreadable unreadable) {
      warn(subject, "not known: " + unreadable.reason(), "run this as root");
    } else {
      warn(
          subject,
          "not there: with REMOVE_AFTER_HANDOVER or in IPVS mode that is as it should be",
          "else run apiserver-bootstrap pin, and see what flushes the ruleset");
    }
  }
}
