package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.bootstrap.check.Finding.Level;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/** The findings as a person or a program reads them. */
public record Report(List<Finding> findings) {
  public Report {
    findings = List.copyOf(findings);
  }

  private int count(Level level) {
    return (int) findings.stream().filter(finding -> finding.level() == level).count();
  }

  /** 0 when all is well, 1 with a warning, 2 with a failure. */
  public int exitCode() {
    if (count(Level.FAIL) > 0) {
      return 2;
    }
    return count(Level.WARN) > 0 ? 1 : 0;
  }

  /** A line for each finding, and one below it for what to do. */
  public String text() {
    StringBuilder text = new StringBuilder();
    for (Finding finding : findings) {
      text.append(
          "%-5s %-33s %s\n".formatted(finding.level(), finding.subject(), finding.message()));
      finding.advice().ifPresent(advice -> text.append("      -> " + advice + "\n"));
    }
    return text
        + "%d ok, %d warn, %d fail\n"
            .formatted(count(Level.OK), count(Level.WARN), count(Level.FAIL));
  }

  /** The same as one JSON object. */
  public String json() {
    return """
        {
          "findings": [
        %s
          ],
          "ok": %d,
          "warn": %d,
          "fail": %d
        }
        """
        .formatted(
            findings.stream().map(Report::json).collect(Collectors.joining(",\n")),
            count(Level.OK),
            count(Level.WARN),
            count(Level.FAIL));
  }

  private static String json(Finding finding) {
    String advice = finding.advice().map(it -> ", \"advice\": " + quoted(it)).orElse("");
    return "    {\"level\": %s, \"subject\": %s, \"message\": %s%s}"
        .formatted(
            quoted(finding.level().toString()),
            quoted(finding.subject()),
            quoted(finding.message()),
            advice);
  }

  /** As RFC 8259, section 7 has it. */
  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ' || c == 0x7F || Character.isSurrogate(c)) {
        json.append("\\u").append(HexFormat.of().toHexDigits(c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
