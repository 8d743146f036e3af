package io.apiserverupdater.updater.status;

import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.status.StatusReport.Gate;
import io.apiserverupdater.updater.status.StatusReport.LeaseHolder;
import io.apiserverupdater.updater.status.StatusReport.Listing;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import io.apiserverupdater.updater.status.StatusReport.Probe;
import io.apiserverupdater.updater.status.StatusReport.Replica;
import io.apiserverupdater.updater.status.StatusReport.Role;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What of a report a person should look at, the most urgent first. Pure. */
final class Findings {
  /** The clocks of two machines may differ by this much, and nobody need look at that. */
  private static final Duration CLOCKS = Duration.ofSeconds(10);

  private final StatusReport report;
  private final List<String> found = new ArrayList<>();

  private Findings(StatusReport report) {
    this.report = report;
  }

  static List<String> of(StatusReport report) {
    Findings findings = new Findings(report);
    findings.leader();
    report.gates().forEach(findings::gate);
    report.refusals().forEach(refusal -> findings.found.add("refused: " + refusal));
    report.members().forEach(findings::health);
    report.differences().forEach(it -> findings.found.add("not in step: " + it));
    report.replicas().stream()
        .flatMap(it -> it.silence().map(why -> "replica " + it.name() + ": " + why).stream())
        .forEach(findings.found::add);
    findings.found.addAll(report.troubles());
    report.members().forEach(findings::certificate);
    return List.copyOf(findings.found);
  }

  private void leader() {
    List<Replica> heard = report.replicas().stream().filter(it -> it.silence().isEmpty()).toList();
    Optional<String> holder = report.lease().map(LeaseHolder::identity);
    List<String> leaders =
        heard.stream().filter(it -> it.role() == Role.LEADER).map(Replica::name).toList();
    if (leaders.size() > 1) {
      found.add(
          String.join(", ", leaders)
              + " all lead, expected one: start them with the same --lease-name and"
              + " --lease-namespace");
    }
    // A leader that was heard knows by its own clock that it leads.
    if (leaders.isEmpty()) {
      if (holder.isPresent() && holder.get().isEmpty()) {
        found.add("no replica leads, so nothing is written");
      } else if (holder.isEmpty() && !heard.isEmpty()) {
        found.add("it is not known which replica leads: the Lease has not been read");
      }
      report.lease().ifPresent(this::renewal);
    }
  }

  private void renewal(LeaseHolder lease) {
    Instant now = report.at();
    lease
        .renewed()
        .filter(it -> Duration.between(it, now).compareTo(lease.duration().plus(CLOCKS)) > 0)
        .ifPresent(
            it ->
                found.add(
                    "%s holds the Lease and has not renewed it for %s"
                        .formatted(lease.identity(), Words.age(Duration.between(it, now)))));
  }

  private void gate(Gate gate) {
    String type = gate.family().addressType();
    switch (gate.mode()) {
      case NORMAL -> {}
      case FAIL_OPEN ->
          found.add(type + ": no member is ready, so all are published as ready (fail-open)");
      case HOLD ->
          found.add(type + ": no member answers the probes, so what is published stays (hold)");
    }
  }

  private void health(MemberStatus member) {
    Optional<Probe> probe = member.probe();
    if (probe.isEmpty()) {
      if (member.published() == Listing.NOT_READY && member.drainedUntil().isEmpty()) {
        found.add(member.address() + " is published as not ready");
      }
      return;
    }
    Probe first = probe.get();
    if (first.state() == MemberHealth.State.UNREADY) {
      found.add(
          "%s %s: %s"
              .formatted(
                  member.address(),
                  Words.since(first.since(), report.at())
                      .map(it -> "has not been ready for " + it)
                      .orElse("is not ready"),
                  first.evidence()));
    } else if (first.state() == MemberHealth.State.UNKNOWN) {
      found.add(member.address() + " has no probe result yet");
    }
    member.probes().stream()
        .filter(other -> other.state() != first.state())
        .forEach(
            other ->
                found.add(
                    "%s is %s by the probes of %s and %s by those of %s: %s"
                        .formatted(
                            member.address(),
                            Words.of(first.state()),
                            first.replica(),
                            Words.of(other.state()),
                            other.replica(),
                            other.evidence())));
  }

  private void certificate(MemberStatus member) {
    member.probes().stream()
        .flatMap(it -> it.certificateEnds().stream())
        .min(Comparator.naturalOrder())
        .filter(end -> Member.certificateExpiresSoon(Duration.between(report.at(), end)))
        .ifPresent(
            end ->
                found.add(
                    end.isAfter(report.at())
                        ? "the certificate of %s expires in %s"
                            .formatted(
                                member.address(), Words.age(Duration.between(report.at(), end)))
                        : "the certificate of " + member.address() + " has expired"));
  }
}
