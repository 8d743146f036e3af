package io.apiserverupdater.real;

import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.PodProcess;
import io.apiserverupdater.lab.Worker;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** One replica of the updater on a worker. Used by one test thread at a time. */
final class Replica {
  private static final int LIMIT_MILLIS = 2_000;

  private final Worker worker;
  private final PodProcess pod;

  Replica(Worker worker, PodProcess pod) {
    this.worker = worker;
    this.pod = pod;
  }

  /**
   * What {@code /livez} or {@code /readyz} says.
   *
   * @param status 0 when nobody answered
   */
  record Health(int status, String text) {}

  Worker worker() {
    return worker;
  }

  PodProcess pod() {
    return pod;
  }

  /** Whether an identity in the Lease is this replica's, in this or an earlier life of its pod. */
  boolean isNamed(String identity) {
    return identity.startsWith(pod.name() + "_");
  }

  /** Whether it sent a request; replicas are told apart by their workers. */
  boolean sent(AuditEntry entry) {
    return entry.user().equals(UpdaterCluster.USER)
        && entry.sourceAddress().equals(worker.host().address());
  }

  /** Asks a path of its status server. */
  Health health(String path) {
    try {
      HttpURLConnection connection =
          (HttpURLConnection)
              URI.create("http://" + worker.host().address() + ":8080" + path)
                  .toURL()
                  .openConnection();
      connection.setConnectTimeout(LIMIT_MILLIS);
      connection.setReadTimeout(LIMIT_MILLIS);
      try {
        int status = connection.getResponseCode();
        InputStream body = connection.getErrorStream();
        try (InputStream in = body == null ? connection.getInputStream() : body) {
          return new Health(status, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
      } finally {
        connection.disconnect();
      }
    } catch (IOException e) {
      return new Health(0, e.toString());
    }
  }

  /** Waits for a status of {@code /readyz} and returns what else it says. */
  String awaitReadyz(int status, Duration limit) {
    Deadline.in(limit)
        .await(
            status + " on /readyz of " + pod.name(),
            () -> health("/readyz").status() == status,
            () -> health("/readyz") + "\n" + pod.process().logTail());
    return health("/readyz").text();
  }

  /** SIGTERM; returns the exit code. */
  int stop(Duration limit) {
    pod.process().terminate();
    return pod.process().awaitExit(limit);
  }
}
