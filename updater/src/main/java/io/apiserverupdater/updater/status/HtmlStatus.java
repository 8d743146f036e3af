package io.apiserverupdater.updater.status;

import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.Member;
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
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A report as a page: one document without a script or anything from elsewhere, which is XML too.
 * What a state means is said by a sign and a word, not by colour alone.
 */
public final class HtmlStatus {
  private static final int REFRESH_SECONDS = 5;
  private static final int LAST_TRANSITIONS = 20;

  /** The query of the page that stays as it is: who reads slowly must not lose the place. */
  public static final String PAUSE = "pause";

  /** What the page may load: its own style and nothing else. */
  public static final String CONTENT_SECURITY_POLICY = PageStyle.CONTENT_SECURITY_POLICY;

  private HtmlStatus() {}

  /** How something is. */
  private enum Tone {
    OK("ok", "✓"),
    BAD("bad", "✗"),
    WARN("warn", "!"),
    NONE("none", "");

    private final String style;
    private final String sign;

    Tone(String style, String sign) {
      this.style = style;
      this.sign = sign;
    }
  }

  /**
   * A cell of a table.
   *
   * @param html what is in it; empty for nothing
   * @param style how it is set: {@code main} for what the row is about, {@code short} for one line
   */
  private record Cell(String html, String style) {
    private static Cell shortly(String html) {
      return new Cell(html, "short");
    }

    private static Cell text(String text) {
      return new Cell(escaped(text), "long");
    }
  }

  /**
   * The document.
   *
   * @param refresh whether it loads itself again every 5 s
   */
  public static String page(StatusReport report, boolean refresh) {
    List<String> findings = Findings.of(report);
    boolean well = findings.isEmpty();
    StringBuilder html = new StringBuilder(PageStyle.CSS.length() + 8192);
    html.append(
        """
        <!DOCTYPE html>
        <html lang="en" xmlns="http://www.w3.org/1999/xhtml">
        <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        """);
    if (refresh) {
      html.append("<meta http-equiv=\"refresh\" content=\"%d\" />\n".formatted(REFRESH_SECONDS));
    }
    html.append(
        "<title>%s %s: %s</title>\n"
            .formatted(
                well ? Tone.OK.sign : Tone.BAD.sign,
                escaped(report.target()),
                Verdict.of(findings)));
    html.append("<link rel=\"icon\" href=\"%s\" />\n".formatted(icon(well)));
    html.append("<style>").append(PageStyle.CSS).append("</style>\n</head>\n");
    html.append("<body>\n<div class=\"page\">\n");
    html.append(
        """
        <header>
        <h1>apiserver-updater</h1>
        <p class="dim"><span class="code">%s</span> from <span class="code">%s</span></p>
        </header>
        <main>
        """
            .formatted(escaped(report.target()), escaped(report.source())));
    verdict(html, findings);
    tiles(html, report);
    members(html, report);
    replicas(html, report);
    transitions(html, report);
    html.append("</main>\n");
    footer(html, report, refresh);
    return html.append("</div>\n</body>\n</html>\n").toString();
  }

  private static String icon(boolean well) {
    return "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
        + (well
            ? "%3Ccircle cx='8' cy='8' r='7' fill='%232da44e'/%3E"
            : "%3Cpath d='M8 1l7 14H1z' fill='%23cf222e'/%3E")
        + "%3C/svg%3E";
  }

  private static void verdict(StringBuilder html, List<String> findings) {
    Tone tone = findings.isEmpty() ? Tone.OK : Tone.BAD;
    String words = Verdict.of(findings);
    html.append(
        "<div class=\"verdict %s\">\n<p><span aria-hidden=\"true\">%s</span> %s</p>\n"
            .formatted(
                tone.style,
                tone.sign,
                words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1)));
    if (!findings.isEmpty()) {
      html.append("<ul>\n");
      findings.forEach(it -> html.append("<li>").append(escaped(it)).append("</li>\n"));
      html.append("</ul>\n");
    }
    html.append("</div>\n");
  }

  private static void tiles(StringBuilder html, StatusReport report) {
    html.append("<dl class=\"tiles\">\n");
    tile(
        html,
        "Leader",
        leader(report).map(HtmlStatus::escaped).orElse(pill(Tone.BAD, "none")),
        report
            .lease()
            .flatMap(LeaseHolder::since)
            .map(it -> "for " + Words.age(Duration.between(it, report.at())))
            .orElse(""));
    long judgedReady =
        report.members().stream()
            .filter(it -> it.probe().filter(HtmlStatus::isReady).isPresent())
            .count();
    long published =
        report.members().stream().filter(it -> it.published() == Listing.READY).count();
    boolean probed = report.members().stream().anyMatch(it -> it.probe().isPresent());
    tile(
        html,
        probed ? "Members ready by the probes" : "Members",
        probed
            ? judgedReady + " of " + report.members().size()
            : Integer.toString(report.members().size()),
        published + " published as ready");
    tile(
        html,
        "Gate",
        gates(report.gates()),
        report.gates().stream()
            .map(HtmlStatus::meaning)
            .distinct()
            .collect(Collectors.joining("; ")));
    boolean inStep = report.differences().isEmpty() && report.refusals().isEmpty();
    tile(
        html,
        "Target",
        inStep
            ? pill(Tone.OK, "in step")
            : pill(Tone.BAD, report.refusals().isEmpty() ? "differs" : "refused"),
        inStep ? "nothing to change" : "see above");
    html.append("</dl>\n");
  }

  private static Optional<String> leader(StatusReport report) {
    return report.replicas().stream()
        .filter(it -> it.role() == Role.LEADER)
        .map(Replica::name)
        .findFirst()
        .or(
            () ->
                report
                    .lease()
                    .map(lease -> StatusReport.name(lease.identity()))
                    .filter(name -> !name.isEmpty()));
  }

  private static String gates(List<Gate> gates) {
    return gates.isEmpty()
        ? pill(Tone.NONE, "unknown")
        : gates.stream()
            .map(
                gate ->
                    pill(
                        gate.mode() == GateState.Mode.NORMAL ? Tone.OK : Tone.WARN,
                        gate.family().addressType() + " " + Words.of(gate.mode())))
            .collect(Collectors.joining(" "));
  }

  private static String meaning(Gate gate) {
    return switch (gate.mode()) {
      case NORMAL -> "the probes decide";
      case FAIL_OPEN -> "all are published as ready";
      case HOLD -> "what is published stays";
    };
  }

  private static void tile(StringBuilder html, String name, String value, String more) {
    html.append("<div><dt>").append(name).append("</dt><dd>").append(value);
    if (!more.isEmpty()) {
      html.append(" <small>").append(more).append("</small>");
    }
    html.append("</dd></div>\n");
  }

  private static boolean isReady(Probe probe) {
    return probe.state() == MemberHealth.State.READY;
  }

  private static void members(StringBuilder html, StatusReport report) {
    List<List<Cell>> rows = new ArrayList<>();
    for (MemberStatus member : report.members()) {
      Optional<Probe> probe = member.probe();
      rows.add(
          List.of(
              code(member.address()),
              text(member.node()),
              Cell.shortly(probe.map(HtmlStatus::state).orElse("")),
              text(probe.flatMap(it -> Words.since(it.since(), report.at()))),
              Cell.shortly(report.publishesOtherwise() ? Words.of(member.source()) : ""),
              Cell.shortly(published(member, report.at())),
              text(probe.flatMap(Probe::latency).map(Words::latency)),
              certificate(probe.flatMap(Probe::certificateEnds), report.at()),
              Cell.text(probe.filter(it -> !isReady(it)).map(Probe::evidence).orElse(""))));
    }
    table(
        html,
        "Members",
        List.of(
            "Address",
            "Node",
            "Probes",
            "Since",
            "Source",
            "Published",
            "Latency",
            "Certificate",
            "Evidence"),
        rows);
  }

  private static String state(Probe probe) {
    Tone tone =
        switch (probe.state()) {
          case READY -> Tone.OK;
          case UNREADY -> Tone.BAD;
          case UNKNOWN -> Tone.WARN;
        };
    return pill(tone, Words.of(probe.state()));
  }

  private static String published(MemberStatus member, Instant now) {
    // What a person has asked for is no failure.
    Tone tone = member.drainedUntil().isPresent() ? Tone.WARN : tone(member.published());
    String pill = pill(tone, Words.of(member.published()));
    // On a line of its own: the table is wide, and the evidence needs the room.
    return Words.drained(member, now)
        .map(it -> "<span>" + pill + " <br />" + it + "</span>")
        .orElse(pill);
  }

  private static Tone tone(Listing listing) {
    return switch (listing) {
      case READY -> Tone.OK;
      case NOT_READY -> Tone.BAD;
      case ABSENT -> Tone.WARN;
      case UNKNOWN -> Tone.NONE;
    };
  }

  private static Cell certificate(Optional<Instant> end, Instant now) {
    return Cell.shortly(
        end.map(
                it -> {
                  Duration left = Duration.between(now, it);
                  if (left.isNegative()) {
                    return pill(Tone.BAD, "expired");
                  }
                  String words = Words.age(left);
                  return Member.certificateExpiresSoon(left) ? pill(Tone.WARN, words) : words;
                })
            .orElse(""));
  }

  private static void replicas(StringBuilder html, StatusReport report) {
    List<List<Cell>> rows = new ArrayList<>();
    for (Replica replica : report.replicas()) {
      rows.add(
          List.of(
              code(replica.name()),
              Cell.shortly(
                  switch (replica.role()) {
                    case LEADER -> "<strong>leader</strong>";
                    case STANDBY -> "standby";
                    case UNKNOWN -> pill(Tone.WARN, "unknown");
                  }),
              text(Words.since(replica.started(), report.at())),
              text(replica.version()),
              text(replica.node()),
              Cell.text(replica.silence().orElse(""))));
    }
    table(
        html,
        rows.size() == 1 ? "This replica" : "Replicas",
        List.of("Name", "Role", "Started", "Version", "Node", "Problem"),
        rows);
  }

  private static void transitions(StringBuilder html, StatusReport report) {
    List<List<Cell>> rows = new ArrayList<>();
    for (Transition transition : report.transitions().stream().limit(LAST_TRANSITIONS).toList()) {
      Instant at = transition.at().truncatedTo(ChronoUnit.SECONDS);
      rows.add(
          List.of(
              Cell.shortly(
                  "<time datetime=\"%1$s\" title=\"%1$s\">%2$s ago</time>"
                      .formatted(at, Words.age(Duration.between(at, report.at())))),
              Cell.shortly(pill(transition.warning() ? Tone.BAD : Tone.OK, transition.reason())),
              Cell.text(transition.message())));
    }
    table(html, "Last transitions", List.of("When", "Reason", "What happened"), rows);
  }

  private static Cell code(String text) {
    return new Cell("<span class=\"code\">" + escaped(text) + "</span>", "main");
  }

  private static Cell text(Optional<String> text) {
    return Cell.shortly(escaped(text.orElse("")));
  }

  private static String pill(Tone tone, String words) {
    String sign = tone.sign.isEmpty() ? "" : "<span aria-hidden=\"true\">" + tone.sign + "</span> ";
    return "<span class=\"pill " + tone.style + "\">" + sign + escaped(words) + "</span>";
  }

  /** On a narrow screen its rows are blocks, so the roles say that it is a table all the same. */
  private static void table(
      StringBuilder html, String title, List<String> heads, List<List<Cell>> rows) {
    String id = title.toLowerCase(Locale.ROOT).replace(' ', '-');
    html.append(
        "<section aria-labelledby=\"%1$s\">\n<h2 id=\"%1$s\">%2$s</h2>\n".formatted(id, title));
    if (rows.isEmpty()) {
      html.append("<p class=\"none\">None.</p>\n</section>\n");
      return;
    }
    // A column in which nobody has anything is left out.
    List<Integer> columns = new ArrayList<>();
    for (int i = 0; i < heads.size(); i++) {
      int column = i;
      if (rows.stream().anyMatch(row -> !row.get(column).html().isEmpty())) {
        columns.add(i);
      }
    }
    html.append("<table role=\"table\">\n<thead role=\"rowgroup\"><tr role=\"row\">");
    columns.forEach(
        i ->
            html.append("<th role=\"columnheader\" scope=\"col\">")
                .append(heads.get(i))
                .append("</th>"));
    html.append("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for (List<Cell> row : rows) {
      html.append("<tr role=\"row\">");
      for (int i : columns) {
        Cell cell = row.get(i);
        String style = cell.html().isEmpty() ? "empty" : cell.style();
        html.append(
            "<td role=\"cell\" class=\"%s\" data-label=\"%s\">".formatted(style, heads.get(i)));
        html.append(cell.html()).append("</td>");
      }
      html.append("</tr>\n");
    }
    html.append("</tbody>\n</table>\n</section>\n");
  }

  private static void footer(StringBuilder html, StatusReport report, boolean refresh) {
    Instant at = report.at().truncatedTo(ChronoUnit.SECONDS);
    html.append("<footer class=\"dim\">\n");
    html.append("<span>As of <time datetime=\"%1$s\">%1$s</time></span>\n".formatted(at));
    html.append(
        refresh
            ? "<span>Refreshes every %d s. <a href=\"?%s\">Pause</a></span>\n"
                .formatted(REFRESH_SECONDS, PAUSE)
            : "<span>Paused. <a href=\"?\">Refresh every %d s</a></span>\n"
                .formatted(REFRESH_SECONDS));
    html.append(
        """
        <a href="status.json">JSON</a>
        <a href="readyz?verbose">Health</a>
        <a href="metrics">Metrics</a>
        <span>What all replicas know: <code>kubectl apiserver-updater status</code></span>
        </footer>
        """);
  }

  /** Of the text of others, too: no character of it is markup, and none is forbidden in XML. */
  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    String shown = Printable.line(text);
    for (int c : shown.codePoints().toArray()) {
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.appendCodePoint(isOfXml(c) ? c : '\uFFFD');
      }
    }
    return escaped.toString();
  }

  /** XML 1.0, section 2.2; control characters are shown before. Half a pair is no character. */
  private static boolean isOfXml(int c) {
    return c != 0xFFFE && c != 0xFFFF && Character.getType(c) != Character.SURROGATE;
  }
}
