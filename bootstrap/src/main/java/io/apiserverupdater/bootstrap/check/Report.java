package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.bootstrap.check.Finding.Level;
import java.util.List;

/** The findings as a person or a program reads them. */
public record Report(List<Finding> findings) {
  private static final int SUBJECT_WIDTH = 34;

  public Report {
    findings = List.copyOf(findings);
  }

  private int count(Level level) {
    int count = 0;
    for (Finding finding : findings) {
      count += finding.level() == level ? 1 : 0;
    }
    return count;
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
      String level = finding.level().toString();
      text.append(level).append(" ".repeat(6 - level.length()));
      text.append(finding.subject());
      text.append(" ".repeat(Math.max(1, SUBJECT_WIDTH - finding.subject().length())));
      text.append(finding.message()).append('\n');
      if (finding.advice().isPresent()) {
        text.append("      -> ").append(finding.advice().get()).append('\n');
      }
    }
    text.append(count(Level.OK)).append(" ok, ");
    text.append(count(Level.WARN)).append(" warn, ");
    text.append(count(Level.FAIL)).append(" fail\n");
    return text.toString();
  }

  /** The same as one JSON object. */
  public String json() {
    StringBuilder json = new StringBuilder("{\n  \"findings\": [");
    String separator = "\n";
    for (Finding finding : findings) {
      json.append(separator).append("    {\"level\": ");
      quote(json, finding.level().toString());
      json.append(", \"subject\": ");
      quote(json, finding.subject());
      json.append(", \"message\": ");
      quote(json, finding.message());
      if (finding.advice().isPresent()) {
        json.append(", \"advice\": ");
        quote(json, finding.advice().get());
      }
      json.append('}');
      separator = ",\n";
    }
    json.append("\n  ],\n  \"ok\": ").append(count(Level.OK));
    json.append(",\n  \"warn\": ").append(count(Level.WARN));
    json.append(",\n  \"fail\": ").append(count(Level.FAIL));
    return json.append("\n}\n").toString();
  }

  /** As RFC 8259, section 7 has it. */
  private static void quote(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ' || c == 0x7F || Character.isSurrogate(c)) {
        String hex = Integer.toHexString(c);
        json.append("\\u").append("0".repeat(4 - hex.length())).append(hex);
      } else {
        json.append(c);
      }
    }
    json.append('"');
  }
}
