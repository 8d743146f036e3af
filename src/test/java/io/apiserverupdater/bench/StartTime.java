package io.apiserverupdater.bench;

import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.PodProcess;
import io.apiserverupdater.lab.UnpackedImage;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/** From exec to the arrival of the answer to the first list. */
final class StartTime {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final int STARTS = 10;

  private StartTime() {}

  /** In a pod, and as a person starts it with the JDK of this machine. */
  static List<Figure> measure(Lab lab, UnpackedImage image, Path launcher) {
    Sample inPod = starts(lab, pod -> pod.image(image).run(SOON, "--once"));
    Sample byLauncher = starts(lab, pod -> pod.run(SOON, launcher.toString(), "--once"));
    return List.of(
        new Figure(
            "start: exec to first successful read, median", inPod.percentile(0.5), "ms", 500),
        Figure.stated("start: slowest of " + STARTS, inPod.max(), "ms"),
        Figure.stated("start by the launcher, median", byLauncher.percentile(0.5), "ms"));
  }

  private static Sample starts(Lab lab, Function<PodProcess.Builder, Execution> start) {
    Sample starts = new Sample();
    // The launcher's first start makes the class archive.
    for (int i = 0; i <= STARTS; i++) {
      Instant begin = Instant.now();
      start
          .apply(
              lab.pod(lab.worker(1), "starter")
                  .namespace("kube-system")
                  .serviceAccount("apiserver-updater"))
          .orThrow();
      Instant read =
          lab.auditSince(begin).stream()
              .filter(entry -> entry.user().equals(Replica.USER))
              .map(AuditEntry::completed)
              .min(Comparator.naturalOrder())
              .orElseThrow();
      if (i > 0) {
        starts.add(Duration.between(begin, read).toNanos() / 1e6);
      }
    }
    return starts;
  }
}
