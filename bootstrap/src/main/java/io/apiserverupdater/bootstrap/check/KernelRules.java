package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.bootstrap.nft.RuleReading;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/** Rules about the kernel: connection tracking, IPVS, the boot-time rule. */
record KernelRules(Facts facts, Findings findings) {
  private static final String LOAD_CONNTRACK = "run modprobe nf_conntrack, if kube-proxy needs it";

  /**
   * A SYN has been sent again by then at the latest: after 1 and 3 s (RFC 6298), or every second.
   */
  private static final Duration SYN_REPEATED = Duration.ofSeconds(3);

  /** From here on a person notices that a port is refused; the kernel's default is 10 s. */
  private static final Duration RESET_NOTICED = Duration.ofSeconds(3);

  /** IPVS schedulers (ipvsadm(8)) that take the destinations in turn, and those that hash. */
  private static final Set<String> IN_TURN = Set.of("rr", "wrr");

  private static final Set<String> HASHING = Set.of("sh", "mh", "dh");
  private static final Set<String> BY_CONNECTIONS = Set.of("lc", "wlc", "sed", "nq");

  static void examine(Facts facts, Findings findings) {
    KernelRules rules = new KernelRules(facts, findings);
    rules.unanswered();
    rules.reset();
    rules.ipvs();
    rules.rule();
  }

  private void unanswered() {
    Findings subject = findings.about("unanswered SYNs");
    String advice = setTimeout("syn_sent");
    Optional<Duration> known = subject.known(facts.synSentTimeout(), LOAD_CONNTRACK);
    if (known.isEmpty()) {
      return;
    }
    long seconds = known.get().toSeconds();
    if (seconds == 0) {
      subject.fail("dropped at once: connections through Services fail", advice);
    } else if (known.get().compareTo(SYN_REPEATED) <= 0) {
      subject.ok("dropped after " + seconds + " s: a later SYN is balanced again");
    } else {
      subject.warn(
          ("conntrack keeps unanswered SYNs for %d s; until then retries go to the dead control"
                  + " plane")
              .formatted(seconds),
          advice);
    }
  }

  private void reset() {
    Findings subject = findings.about("reset connections");
    Optional<Duration> known = subject.known(facts.closeTimeout(), LOAD_CONNTRACK);
    if (known.isEmpty()) {
      return;
    }
    long seconds = known.get().toSeconds();
    if (known.get().compareTo(RESET_NOTICED) <= 0) {
      subject.ok("forgotten after " + seconds + " s: their ports can be used again");
    } else {
      subject.warn(
          ("conntrack keeps reset connections for %d s; until then a new one from the same port is"
                  + " refused, if a control plane that was killed reset the old one")
              .formatted(seconds),
          setTimeout("close"));
    }
  }

  private static String setTimeout(String state) {
    return "set net.netfilter.nf_conntrack_tcp_timeout_%s = 1 in /etc/sysctl.d, as the package does"
        .formatted(state);
  }

  private void ipvs() {
    if (facts.ipvs().isEmpty()) {
      return;
    }
    Findings subject = findings.about("IPVS");
    String change =
        "set ipvs.scheduler: rr in kube-proxy's configuration and restart it; better, change to"
            + " the mode nftables";
    String scheduler = facts.ipvs().get().service().scheduler();
    if (IN_TURN.contains(scheduler)) {
      subject.ok(
          "scheduler %s; Kubernetes 1.43 has no IPVS mode any more: plan to change to nftables"
              .formatted(scheduler));
    } else if (HASHING.contains(scheduler)) {
      subject.fail(
          "the scheduler %s keeps sending requests to an apiserver that is not ready"
              .formatted(scheduler),
          change);
    } else if (BY_CONNECTIONS.contains(scheduler)) {
      subject.warn(
          "the scheduler %s prefers an apiserver that refuses connections, until it is out"
              .formatted(scheduler),
          change);
    } else {
      subject.warn("nobody has measured the scheduler " + scheduler, change);
    }
    String set = "set it to 1, as kube-proxy does when it starts";
    notOne(subject, facts.ipvs().get().conntrack())
        .ifPresent(
            it ->
                subject.fail(
                    "net.ipv4.vs.conntrack = %d: connections through Services fail".formatted(it),
                    set));
    notOne(subject, facts.ipvs().get().expireNodestConn())
        .ifPresent(
            it ->
                subject.warn(
                    ("net.ipv4.vs.expire_nodest_conn = %d: a SYN to an apiserver that vanished"
                            + " stays with it")
                        .formatted(it),
                    set));
  }

  private static Optional<Long> notOne(Findings subject, Reading<Long> setting) {
    return subject.known(setting, "run this as root on the node").filter(it -> it != 1);
  }

  private void rule() {
    if (facts.rule().isEmpty()) {
      return;
    }
    Findings subject = findings.about("boot-time rule");
    RuleReading reading = facts.rule().get();
    boolean ipvs = facts.ipvs().isPresent();
    if (ipvs && reading instanceof RuleReading.Present present) {
      subject.fail(
          "in place before IPVS, which it bypasses: it carried %d connections"
              .formatted(present.connections()),
          "run apiserver-bootstrap refresh, which removes it once IPVS reaches an apiserver");
    } else if (ipvs && reading instanceof RuleReading.Absent) {
      subject.ok("not there, as it has to be in IPVS mode");
    } else if (reading instanceof RuleReading.Present present) {
      subject.ok(
          "in place, %d control planes; it carried %d connections"
              .formatted(present.rule().candidates().size(), present.connections()));
    } else if (reading instanceof RuleReading.Unreadable unreadable) {
      subject.warn("not known: " + unreadable.reason(), "run this as root");
    } else {
      subject.warn(
          "not there: expected with REMOVE_AFTER_HANDOVER only",
          "otherwise run apiserver-bootstrap refresh, and find out what flushes the ruleset");
    }
  }
}
