package io.apiserverupdater.bench;

import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.CpuTime;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.PodProcess;
import io.apiserverupdater.lab.UnpackedImage;
import io.apiserverupdater.lab.Worker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** One replica of the updater in what looks like a pod, from the image that clusters run. */
record Replica(Worker worker, PodProcess pod) implements AutoCloseable {
  static final String USER = "system:serviceaccount:kube-system:apiserver-updater";

  static Replica start(Lab lab, int worker, UnpackedImage image) {
    Worker host = lab.worker(worker);
    return new Replica(
        host,
        lab.pod(host, "updater-" + worker)
            .namespace("kube-system")
            .serviceAccount("apiserver-updater")
            .image(image)
            .start());
  }

  boolean isHolder(String identity) {
    return identity.startsWith(pod.name() + "_");
  }

  boolean sent(AuditEntry entry) {
    return entry.user().equals(USER) && entry.sourceAddress().equals(worker.host().address());
  }

  /** How often it has said who holds the Lease, in this and its earlier lives. */
  long elections() {
    return pod.logLines().stream()
        .filter(line -> line.contains("holder=") || line.contains("leading=true"))
        .count();
  }

  /** Waits until it has said so more often than it had. */
  void awaitElection(long before) {
    Deadline.in(Duration.ofSeconds(20))
        .await(pod.name() + " leads or stands by", () -> elections() > before);
  }

  /** Starts it again after its end, and waits until it leads or stands by. */
  void restart() {
    long before = elections();
    pod.restart();
    awaitElection(before);
  }

  /** Resident memory in MiB. */
  double residentMebibytes() {
    try {
      return Files.readAllLines(Path.of("/proc/" + pod.pid() + "/status")).stream()
              .filter(line -> line.startsWith("VmRSS:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
              .findFirst()
              .orElseThrow()
          / 1024.0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** CPU time used so far, in seconds. */
  double cpuSeconds() {
    return CpuTime.seconds(pod.pid());
  }

  /** Of that, what the threads have used that probe the members, one each. */
  double probingCpuSeconds() {
    return CpuTime.seconds(pod.pid(), "probe-");
  }

  @Override
  public void close() {
    pod.close();
  }
}
