package io.apiserverupdater.updater.status;

import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.status.StatusReport.MemberStatus;
import io.apiserverupdater.updater.status.StatusReport.Probe;
import io.apiserverupdater.updater.status.StatusReport.Replica;
import io.apiserverupdater.updater.status.StatusReport.Transition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** A report for a terminal: the verdict first, then tables as kubectl prints them. */
public final class TextStatus {
  private static final int LAST_TRANSITIONS = 10;
  private static final String GAP = "   ";
  private static final String NONE = "-";

  private TextStatus() {}

  /** The text; it ends with a line feed. */
  public static String text(StatusReport report) {
    StringBuilder text = new StringBuilder();
    List<String> findings = Findings.of(report);
    line(text, report.target() + " from " + report.source() + ": " + Verdict.of(findings));
    findings.forEach(finding -> line(text, "! " + finding));
    if (!report.replicas().isEmpty()) {
      table(
          text,
          List.of("REPLICA", "ROLE", "STARTED", "VERSION", "NODE"),
          report.replicas().stream().map(it -> row(it, report.at())).toList());
    }
    if (!report.members().isEmpty()) {
      table(
          text,
          List.of(
              "MEMBER",
              "PROBES",
              "SINCE",
              "SOURCE",
              "PUBLISHED",
              "LATENCY",
              "CERTIFICATE",
              "NODE",
              "EVIDENCE"),
          report.members().stream().map(it -> row(it, report)).toList());
    }
    line(text, "");
    line(text, "Gate:   " + gate(report));
    line(text, "Target: " + Verdict.target(report));
    if (!report.transitions().isEmpty()) {
      table(
          text,
          List.of("AGO", "REPLICA", "REASON", "MESSAGE"),
          report.transitions().stream()
              .limit(LAST_TRANSITIONS)
              .map(it -> row(it, report.at()))
              .toList());
    }
    return text.toString();
  }

  private static String gate(StatusReport report) {
    return report.gates().isEmpty()
        ? "unknown"
        : report.gates().stream()
            .map(it -> it.family().addressType() + " " + Words.of(it.mode()))
            .collect(Collectors.joining(", "));
  }

  private static List<String> row(Replica replica, Instant now) {
    return List.of(
        replica.name(),
        Words.of(replica.role()),
        Words.since(replica.started(), now).orElse(NONE),
        replica.version().orElse(NONE),
        replica.node().orElse(NONE));
  }

  private static List<String> row(MemberStatus member, StatusReport report) {
    Instant now = report.at();
    Optional<Probe> probe = member.probe();
    return List.of(
        member.address(),
        probe.map(it -> Words.of(it.state())).orElse(NONE),
        probe.flatMap(it -> Words.since(it.since(), now)).orElse(NONE),
        report.publishesOtherwise() ? Words.of(member.source()) : NONE,
        Words.published(member, now),
        probe.flatMap(Probe::latency).map(Words::latency).orElse(NONE),
        probe
            .flatMap(Probe::certificateEnds)
            .map(it -> Words.age(Duration.between(now, it)))
            .orElse(NONE),
        member.node().orElse(NONE),
        probe.filter(it -> it.state() != MemberHealth.State.READY).map(Probe::evidence).orElse(""));
  }

  private static List<String> row(Transition transition, Instant now) {
    return List.of(
        Words.age(Duration.between(transition.at(), now)),
        transition.replica(),
        transition.reason(),
        transition.message());
  }

  private static void line(StringBuilder text, String line) {
    text.append(Printable.line(line)).append('\n');
  }

  private static void table(StringBuilder text, List<String> heads, List<List<String>> rows) {
    List<StringBuilder> lines = new ArrayList<>();
    lines.add(new StringBuilder());
    rows.forEach(row -> lines.add(new StringBuilder()));
    for (int i = 0; i < heads.size(); i++) {
      int column = i;
      List<String> cells = rows.stream().map(row -> Printable.line(row.get(column))).toList();
      // A column in which nobody has anything is left out.
      if (cells.stream().anyMatch(cell -> !cell.isEmpty() && !cell.equals(NONE))) {
        append(lines, heads.get(i), cells);
      }
    }
    line(text, "");
    lines.forEach(line -> line(text, line.toString().stripTrailing()));
  }

  private static void append(List<StringBuilder> lines, String head, List<String> cells) {
    List<String> all = new ArrayList<>();
    all.add(head);
    all.addAll(cells);
    int width = all.stream().mapToInt(String::length).max().orElse(0);
    for (int i = 0; i < all.size(); i++) {
      String cell = all.get(i);
      lines.get(i).append(cell).append(" ".repeat(width - cell.length())).append(GAP);
    }
  }
}
