package io.apiserverupdater.updater.server;

import io.apiserverupdater.apiserver.printing.Printable;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A health answer, worded as the apiserver words its own (k8s.io/apiserver/pkg/server/healthz):
 * {@code ok} alone, or a line for each check when something fails or {@code ?verbose} is given.
 *
 * @param status 200, 404 or 500
 */
record HealthReport(int status, String text) {

  /**
   * @param path {@code livez} or {@code readyz}
   * @param exclude checks that are passed over
   */
  static HealthReport of(
      String path, List<HealthCheck> checks, Set<String> exclude, boolean verbose) {
    StringBuilder lines = new StringBuilder();
    boolean failed = false;
    for (HealthCheck check : checks) {
      if (exclude.contains(check.name())) {
        lines.append("[+]").append(check.name()).append(" excluded: ok\n");
        continue;
      }
      Optional<String> failure = check.failure().get();
      failed |= failure.isPresent();
      lines.append(
          failure
              .map(why -> "[-]" + check.name() + " failed: " + Printable.line(why) + "\n")
              .orElseGet(() -> well(check)));
    }
    if (failed) {
      return new HealthReport(500, lines + path + " check failed\n");
    }
    return new HealthReport(200, verbose ? lines + path + " check passed\n" : "ok");
  }

  private static String well(HealthCheck check) {
    String detail = Printable.line(check.detail().get());
    return "[+]" + check.name() + " ok" + (detail.isEmpty() ? "" : ": " + detail) + "\n";
  }
}
