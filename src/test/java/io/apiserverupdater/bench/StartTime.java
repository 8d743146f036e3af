package io.apiserverupdater.bench;

import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;

/** From exec to the arrival of the answer to the first list. */
final class StartTime {
  private static final Duration SOON = Duration.ofSeconds(30);

  private StartTime() {}

  static List<Figure> measure(Lab lab, Path launcher) {
    Sample starts = new Sample();
    for (int i = 0; i <= 10; i++) {
      Instant begin = Instant.now();
      Execution run =
          lab.pod(lab.worker(1), "starter")
              .namespace("kube-system")
              .serviceAccount("apiserver-updater")
              .run(SOON, launcher.toString(), "--once");
      run.orThrow();
      List<AuditEntry> reads =
          lab.auditSince(begin).stream()
              .filter(entry -> entry.user().equals(Replica.USER))
              .sorted(Comparator.comparing(AuditEntry::completed))
              .toList();
      // The first one makes the class archive.
      if (i > 0 && !reads.isEmpty()) {
        starts.add(Duration.between(begin, reads.get(0).completed()).toNanos() / 1e6);
      }
    }
    return List.of(
        new Figure(
            "start: exec to first successful read, median", starts.percentile(0.5), "ms", 500),
        Figure.stated("start: slowest of " + starts.size(), starts.max(), "ms"));
  }
}
