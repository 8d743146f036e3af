package io.apiserverupdater.bench;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.PodObject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** How long a person waits who types {@code updater status}. */
final class StatusTime {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int RUNS = 10;

  private StatusTime() {}

  /** From exec to exit, with the replicas asked through the API server. */
  static List<Figure> measure(Lab lab, List<Replica> replicas, Path launcher) {
    replicas.forEach(
        replica -> PodObject.create(lab.admin(), replica.pod().name(), replica.worker()));
    Path kubeconfig =
        lab.kubeconfig(
            "person",
            "https://" + lab.controlPlane(1).address() + ":" + Lab.APISERVER_PORT,
            lab.adminToken());
    Sample runs = new Sample();
    // The launcher's first start makes the class archive.
    for (int i = 0; i <= RUNS; i++) {
      long begin = System.nanoTime();
      Execution status =
          Execution.run(
              LIMIT, launcher.toString(), "status", "--kubeconfig", kubeconfig.toString());
      double millis = (System.nanoTime() - begin) / 1e6;
      for (Replica replica : replicas) {
        if (!status.out().matches("(?s).*" + replica.pod().name() + " +(leader|standby) .*")) {
          throw new IllegalStateException("expected " + replica.pod().name() + ", found " + status);
        }
      }
      if (i > 0) {
        runs.add(millis);
      }
    }
    replicas.forEach(replica -> PodObject.delete(lab.admin(), replica.pod().name()));
    return List.of(
        new Figure("updater status by the launcher, median", runs.percentile(0.5), "ms", 600),
        Figure.stated("updater status by the launcher, slowest of " + RUNS, runs.max(), "ms"));
  }
}
