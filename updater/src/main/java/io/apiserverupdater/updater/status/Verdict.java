package io.apiserverupdater.updater.status;

import java.util.List;

/** The report in a few words. */
final class Verdict {
  private Verdict() {}

  static String of(List<String> findings) {
    return switch (findings.size()) {
      case 0 -> "all is well";
      case 1 -> "1 thing to look at";
      default -> findings.size() + " things to look at";
    };
  }

  static String target(StatusReport report) {
    if (!report.refusals().isEmpty()) {
      return "refused: " + String.join("; ", report.refusals());
    }
    if (report.members().isEmpty()) {
      return "unknown";
    }
    return report.differences().isEmpty()
        ? "in step with the source"
        : "differs: " + String.join("; ", report.differences());
  }
}
