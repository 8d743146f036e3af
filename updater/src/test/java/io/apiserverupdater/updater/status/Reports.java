package io.apiserverupdater.updater.status;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.status.StatusReport.Gate;
import io.apiserverupdater.updater.status.StatusReport.LeaseHolder;
import io.apiserverupdater.updater.status.StatusReport.Listing;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import io.apiserverupdater.updater.status.StatusReport.Probe;
import io.apiserverupdater.updater.status.StatusReport.Replica;
import io.apiserverupdater.updater.status.StatusReport.Role;
import io.apiserverupdater.updater.status.StatusReport.Transition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reports to test with. */
final class Reports {
  static final Instant NOW = Instant.parse("2026-01-02T03:04:05.678Z");
  static final String LEADER = "apiserver-updater-7d4f8c9b6-x2x4q";
  static final String STANDBY = "apiserver-updater-7d4f8c9b6-k9k7m";
  static final String REFUSED = "connection refused: nothing listens on this port";

  private Reports() {}

  /** Of which nothing is known but these troubles. */
  static StatusReport empty(String... troubles) {
    return new StatusReport(
        NOW,
        "a/b",
        "c/d",
        Optional.empty(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(troubles));
  }

  static Instant ago(Duration time) {
    return NOW.minus(time);
  }

  static Replica replica(String name, Role role) {
    return new Replica(
        name,
        name + "_0a1b2c3d",
        role,
        Optional.of("0.1.0"),
        Optional.of(ago(Duration.ofHours(77))),
        Optional.of(role == Role.LEADER ? "cp1" : "cp3"),
        Optional.empty());
  }

  static LeaseHolder lease(Duration renewed) {
    return new LeaseHolder(
        LEADER + "_0a1b2c3d",
        Optional.of(ago(Duration.ofHours(76))),
        Optional.of(ago(renewed)),
        Duration.ofSeconds(4));
  }

  static Probe ready(String replica) {
    return new Probe(
        replica,
        MemberHealth.State.READY,
        Optional.of(ago(Duration.ofHours(76))),
        Optional.of(Duration.ofNanos(1_234_567)),
        Optional.of(NOW.plus(Duration.ofDays(341))),
        "ready");
  }

  static Probe unready(String replica, Duration since, String evidence) {
    return new Probe(
        replica,
        MemberHealth.State.UNREADY,
        Optional.of(ago(since)),
        Optional.empty(),
        Optional.of(NOW.plus(Duration.ofDays(12))),
        evidence);
  }

  static MemberStatus member(int number, Listing published, Probe... probes) {
    return member(number, Listing.READY, published, probes);
  }

  static MemberStatus member(int number, Listing source, Listing published, Probe... probes) {
    return new MemberStatus(
        "10.0.0.1" + number + ":6443",
        Optional.of("cp" + number),
        source,
        published,
        published,
        Optional.empty(),
        List.of(probes));
  }

  static Transition transition(Duration ago, String replica, String reason, String message) {
    boolean warning = !reason.equals("MemberReady") && !reason.equals("LeaderElected");
    return new Transition(ago(ago), replica, reason, warning, message);
  }

  /** Two replicas, three members, and nothing to look at. */
  static StatusReport well() {
    return new StatusReport(
        NOW,
        "default/kubernetes",
        "kube-system/apiserver",
        Optional.of(lease(Duration.ofMillis(700))),
        List.of(replica(LEADER, Role.LEADER), replica(STANDBY, Role.STANDBY)),
        List.of(
            member(1, Listing.READY, ready(LEADER), ready(STANDBY)),
            member(2, Listing.READY, ready(LEADER), ready(STANDBY)),
            member(3, Listing.READY, ready(LEADER), ready(STANDBY))),
        List.of(new Gate(AddressFamily.IPV4, GateState.Mode.NORMAL)),
        List.of(),
        List.of(),
        List.of(
            transition(
                Duration.ofHours(76),
                LEADER,
                "LeaderElected",
                "leading: started (" + LEADER + "_0a1b2c3d)")),
        List.of());
  }

  /** One member is down, and its certificate ends soon. */
  static StatusReport oneDown() {
    Duration since = Duration.ofSeconds(12);
    StatusReport well = well();
    List<MemberStatus> members = new ArrayList<>(well.members());
    members.set(
        1,
        member(
            2,
            Listing.NOT_READY,
            unready(LEADER, since, REFUSED),
            unready(STANDBY, since, REFUSED)));
    List<Transition> transitions = new ArrayList<>();
    String message = "10.0.0.12:6443 is not ready: " + REFUSED;
    transitions.add(transition(since, LEADER, "MemberUnready", message));
    transitions.add(transition(since.plusMillis(3), STANDBY, "MemberUnready", message));
    transitions.addAll(well.transitions());
    return with(well, members, transitions);
  }

  static StatusReport with(
      StatusReport report, List<MemberStatus> members, List<Transition> transitions) {
    return new StatusReport(
        report.at(),
        report.source(),
        report.target(),
        report.lease(),
        report.replicas(),
        members,
        report.gates(),
        report.differences(),
        report.refusals(),
        transitions,
        report.troubles());
  }

  /** What a person had to look at in a bad night: a text in each place where there can be one. */
  static StatusReport saying(String text) {
    return new StatusReport(
        NOW,
        text,
        text,
        Optional.of(
            new LeaseHolder(text, Optional.of(NOW), Optional.of(NOW), Duration.ofSeconds(4))),
        List.of(
            new Replica(
                text,
                text,
                Role.LEADER,
                Optional.of(text),
                Optional.of(NOW),
                Optional.of(text),
                Optional.of(text))),
        List.of(
            new MemberStatus(
                text,
                Optional.of(text),
                Listing.ABSENT,
                Listing.UNKNOWN,
                Listing.NOT_READY,
                Optional.of(NOW.plusSeconds(1200)),
                List.of(unready(text, Duration.ofSeconds(1), text)))),
        List.of(new Gate(AddressFamily.IPV6, GateState.Mode.FAIL_OPEN)),
        List.of(text),
        List.of(text),
        List.of(new Transition(NOW, text, text, true, text)),
        List.of(text));
  }
}
