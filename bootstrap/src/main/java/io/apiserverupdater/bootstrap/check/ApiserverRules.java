package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.tls.CertificateFaults;
import io.apiserverupdater.bootstrap.check.Facts.Authority;
import io.apiserverupdater.bootstrap.check.Facts.Certificate;
import io.apiserverupdater.bootstrap.check.Facts.Probed;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Rules about the control planes, the cluster IP and their certificates. */
record ApiserverRules(Facts facts, String name, Findings findings) {
  private static final Duration SLOW = Duration.ofSeconds(1);
  private static final Duration OLD_LIST = Duration.ofDays(3);
  private static final Duration SOON = Duration.ofDays(30);

  /** The widest service CIDR that is usual: kubeadm's 10.96.0.0/12. */
  private static final int USUAL_PREFIX_BITS = 12;

  static void examine(Facts facts, Findings findings) {
    ApiserverRules rules = new ApiserverRules(facts, facts.settings().hostname(), findings);
    rules.controlPlanes();
    rules.listAge();
    rules.service();
    rules.serviceRange();
    rules.trust();
    rules.certificate();
  }

  private void controlPlanes() {
    Findings subject = findings.about("control plane");
    if (!facts.settings().anyControlPlane()) {
      subject.fail(
          "none is configured, so nothing can be pinned at the next boot",
          "set CONTROL_PLANE in /etc/apiserver-bootstrap/bootstrap.conf");
    }
    Optional<List<Probed>> probed =
        subject.known(facts.controlPlanes(), "set CA_FILE or CA_CERT_HASH");
    if (probed.isEmpty()) {
      return;
    }
    if (probed.get().isEmpty()) {
      if (facts.settings().anyControlPlane()) {
        subject.fail(
            "no address is known: no name in CONTROL_PLANE can be looked up, and none was before",
            "correct the names or DNS, or add an IP address to CONTROL_PLANE");
      }
      return;
    }
    int ready = 0;
    for (Probed one : probed.get()) {
      boolean isReady = one.result() instanceof ProbeResult.Ready;
      ready += one.result().works() ? 1 : 0;
      if (isReady && one.latency().compareTo(SLOW) < 0) {
        subject.ok(answer(one));
      } else {
        subject.warn(answer(one), advice(one.result()));
      }
    }
    if (ready == 0) {
      subject.fail(
          "none is ready: a boot now would find no ready one",
          "repair the control planes, or correct CONTROL_PLANE and CA_FILE");
    }
  }

  private static String answer(Probed probed) {
    String address = probed.address().toString();
    ProbeResult result = probed.result();
    if (result instanceof ProbeResult.NotReady notReady && result.unauthorized()) {
      return "%s is alive, but does not say whether it is ready: HTTP %d"
          .formatted(address, notReady.status());
    }
    if (result instanceof ProbeResult.NotReady notReady) {
      String failing = String.join(", ", notReady.failingChecks());
      return "%s is not ready: HTTP %d%s"
          .formatted(address, notReady.status(), failing.isEmpty() ? "" : ", failing " + failing);
    }
    if (result instanceof ProbeResult.Unreachable unreachable) {
      return address + " cannot be used: " + unreachable.detail();
    }
    return address + " is ready, answered in " + probed.latency().toMillis() + " ms";
  }

  private static String advice(ProbeResult result) {
    if (result.unauthorized()) {
      return "set KUBECONFIG to the kubelet's kubeconfig, and check that its client certificate has"
          + " not expired; pin uses this control plane only if no other is ready";
    }
    if (result instanceof ProbeResult.NotReady) {
      return "read its log: kube-apiserver names the failing checks there";
    }
    if (result instanceof ProbeResult.Unreachable unreachable) {
      return switch (unreachable.reason()) {
        case REFUSED -> "start its kube-apiserver, or remove the address from the list";
        case NO_ROUTE, CONNECT_TIMEOUT -> "check its host, the network and firewalls";
        case HANDSHAKE_TIMEOUT, ANSWER_TIMEOUT ->
            "its process hangs or is overloaded: check it and etcd";
        case CONNECTION_LOST -> "its process or a device in between closes connections: check both";
        case CERTIFICATE -> "issue a new certificate, or correct HOSTNAME, CA_FILE or CA_CERT_HASH";
        case TLS, MALFORMED_ANSWER -> "check that this is a kube-apiserver and the right port";
      };
    }
    return "find out why it is slow";
  }

  private void listAge() {
    Findings subject = findings.about("cached list");
    String advice = "run apiserver-bootstrap refresh, and check " + Rules.REFRESH_TIMER;
    if (facts.refreshed().isEmpty()) {
      subject.warn("never refreshed: only the configured control planes are known", advice);
      return;
    }
    Duration age = Duration.between(facts.refreshed().get(), facts.now());
    if (age.compareTo(OLD_LIST) > 0) {
      subject.warn("refreshed " + age.toDays() + " days ago", advice);
    } else {
      subject.ok("refreshed " + Math.max(0, age.toHours()) + " h ago");
    }
  }

  private void service() {
    Findings subject = findings.about("cluster IP");
    if (facts.service().isEmpty()) {
      if (facts.settings().isWorker()) {
        subject.fail(
            "none is configured, so the name stays at one control plane",
            "set CLUSTER_IP: kubectl -n kube-system get service apiserver shows it");
      }
      return;
    }
    Optional<Probed> probed = subject.known(facts.service().get(), "set CA_FILE or CA_CERT_HASH");
    if (probed.isEmpty()) {
      return;
    }
    if (probed.get().result() instanceof ProbeResult.Ready) {
      subject.ok(answer(probed.get()));
    } else if (probed.get().result().unauthorized()) {
      subject.warn(answer(probed.get()), advice(probed.get().result()));
    } else if (facts.settings().isWorker() && hasNoRoute(probed.get().result())) {
      subject.fail(
          answer(probed.get()),
          "give this node a default route, or a route to the service CIDR: the kernel needs one"
              + " before kube-proxy's rules see a packet");
    } else if (facts.settings().isWorker()) {
      subject.fail(
          answer(probed.get()),
          "check that kube-proxy runs here and that the Service apiserver has endpoints: kubectl -n"
              + " kube-system get endpointslices -l kubernetes.io/service-name=apiserver");
    } else {
      subject.warn(answer(probed.get()), "check that kube-proxy runs here; only workers need it");
    }
  }

  private static boolean hasNoRoute(ProbeResult result) {
    return result instanceof ProbeResult.Unreachable unreachable
        && unreachable.reason() == ProbeResult.Reason.NO_ROUTE;
  }

  private void serviceRange() {
    Optional<InetAddress> clusterIp = facts.settings().clusterIp();
    if (clusterIp.isEmpty()) {
      return;
    }
    Findings subject = findings.about("service CIDR");
    if (facts.ownAddresses().contains(clusterIp.get()) && facts.settings().isWorker()) {
      String text = clusterIp.get().getHostAddress() + " is an address of this node";
      if (facts.ipvs().isPresent()) {
        subject.ok(text + ", as IPVS needs it");
      } else {
        subject.warn(
            text + ": without a rule for it, programs of this node answer there",
            "if kube-proxy was in IPVS mode before, reboot this node, or run ip link delete"
                + " kube-ipvs0; otherwise choose another cluster IP");
      }
    }
    Optional<List<InetAddress>> dns =
        subject.known(
            facts.clusterDns(), "compare with --service-cluster-ip-range of an apiserver");
    if (dns.isEmpty()) {
      return;
    }
    String ip = clusterIp.get().getHostAddress();
    int length = clusterIp.get().getAddress().length;
    List<InetAddress> sameFamily =
        dns.get().stream().filter(it -> it.getAddress().length == length).toList();
    if (!sameFamily.isEmpty() && sameFamily.stream().allMatch(InetAddress::isLinkLocalAddress)) {
      // NodeLocal DNSCache: the same address on each node, of no CIDR.
      subject.ok("not compared with the cluster's DNS, which is " + Findings.text(sameFamily));
      return;
    }
    Optional<InetAddress> near =
        sameFamily.stream().filter(it -> haveSamePrefix(it, clusterIp.get())).findFirst();
    if (near.isPresent()) {
      subject.ok(ip + " is near the cluster's DNS, " + near.get().getHostAddress());
    } else if (!sameFamily.isEmpty()) {
      subject.warn(
          "%s is far from the cluster's DNS, %s, which is in the service CIDR"
              .formatted(ip, Findings.text(dns.get())),
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
    Findings subject = findings.about("CA");
    if (!facts.settings().verified()) {
      subject.fail(
          "INSECURE_SKIP_TLS_VERIFY: certificates are not verified, so an attacker on the network"
              + " can take over this node",
          "set CA_FILE or CA_CERT_HASH instead");
    }
    facts
        .authorities()
        .flatMap(known -> subject.known(known, "set CA_FILE to the CA's certificate"))
        .ifPresent(known -> authorities(subject, known));
  }

  /**
   * While a CA is replaced there are several. What counts is the one that signed what the
   * apiservers show; where that is not known, the one that is valid for longest.
   */
  private void authorities(Findings subject, List<Authority> all) {
    List<Authority> signers = all.stream().filter(Authority::signs).toList();
    Authority counts =
        Collections.max(signers.isEmpty() ? all : signers, Comparator.comparing(Authority::expiry));
    expiry(
        subject,
        "the trusted CA certificate",
        counts.expiry(),
        "renew it and copy the new one to all nodes");
  }

  private void expiry(Findings subject, String what, Instant at, String advice) {
    String day = at.truncatedTo(ChronoUnit.SECONDS).toString();
    if (at.isBefore(facts.now())) {
      subject.fail(what + " expired on " + day, advice);
    } else if (at.isBefore(facts.now().plus(SOON))) {
      subject.warn(what + " expires on " + day, advice);
    } else {
      subject.ok(what + " is valid until " + day);
    }
  }

  private void certificate() {
    Findings subject = findings.about("certificate");
    Optional<Certificate> known =
        subject.known(facts.certificate(), "no apiserver presented one: see above");
    if (known.isEmpty()) {
      return;
    }
    Certificate certificate = known.get();
    String advice =
        "issue apiserver certificates that contain it; kubeadm certs renew keeps the old names"
            + " (docs/install.md, Certificates)";
    Optional<String> wrongName = CertificateFaults.wrongName(certificate.names(), name);
    if (wrongName.isPresent()) {
      subject.fail(certificate.shownBy() + ": " + wrongName.get(), advice);
    } else {
      subject.ok(certificate.shownBy() + ": certificate is valid for " + name);
    }
    String onlyByAddress = "only clients that dial the address instead of the name need that; ";
    facts
        .settings()
        .clusterIp()
        .flatMap(it -> CertificateFaults.wrongName(certificate.names(), it.getHostAddress()))
        .ifPresent(fault -> subject.warn(fault + ", the cluster IP", onlyByAddress + advice));
    expiry(subject, "it", certificate.expiry(), "renew it: kubeadm certs renew apiserver");
  }
}
