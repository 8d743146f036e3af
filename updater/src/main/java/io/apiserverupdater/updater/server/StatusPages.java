package io.apiserverupdater.updater.server;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is behind each path.
 *
 * @param checks all of them; those that are {@link HealthCheck#live} are behind {@code /livez}
 */
record StatusPages(List<HealthCheck> checks, MetricsPage metrics, List<Document> documents) {
  private static final String PLAIN = "text/plain; charset=utf-8";

  StatusPages {
    checks = List.copyOf(checks);
    documents = List.copyOf(documents);
  }

  /** An answer; HEAD gets it without the text. */
  record Page(int status, String contentType, Map<String, String> headers, String text) {
    Page(int status, String contentType, String text) {
      this(status, contentType, Map.of(), text);
    }
  }

  static Page error(int status, String text) {
    return new Page(status, PLAIN, text + "\n");
  }

  Page of(RequestHead head) {
    if (!head.method().equals("GET") && !head.method().equals("HEAD")) {
      return error(405, "expected GET or HEAD");
    }
    if (head.path().equals("/metrics")) {
      MetricsPage.Text text = metrics.of(head.accept());
      return new Page(200, text.contentType(), text.text());
    }
    for (Document document : documents) {
      if (document.path().equals(head.path())) {
        return new Page(
            200,
            document.contentType(),
            document.headers(),
            document.text().apply(head.parameters()));
      }
    }
    // /NAME, /NAME/ or /NAME/CHECK
    String[] steps = head.path().split("/", 3);
    String name = steps.length > 1 ? steps[1] : "";
    String check = steps.length > 2 ? steps[2].replaceAll("/$", "") : "";
    return switch (name) {
      case "livez", "healthz" ->
          health(name, check, checks.stream().filter(HealthCheck::live).toList(), head);
      case "readyz" -> health(name, check, checks, head);
      default -> error(404, "not found");
    };
  }

  private static Page health(
      String name, String wanted, List<HealthCheck> checks, RequestHead head) {
    List<HealthCheck> asked =
        wanted.isEmpty()
            ? checks
            : checks.stream().filter(check -> check.name().equals(wanted)).toList();
    if (asked.isEmpty() && !wanted.isEmpty()) {
      return error(404, "no check \"" + wanted + "\"");
    }
    boolean verbose =
        head.parameters().stream().anyMatch(p -> p.equals("verbose") || p.startsWith("verbose="));
    Set<String> exclude =
        head.parameters().stream()
            .filter(p -> p.startsWith("exclude="))
            .map(p -> p.substring("exclude=".length()))
            .collect(Collectors.toUnmodifiableSet());
    HealthReport report = HealthReport.of(name, asked, exclude, verbose);
    return new Page(report.status(), PLAIN, report.text());
  }
}
