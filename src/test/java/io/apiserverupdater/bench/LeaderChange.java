package io.apiserverupdater.bench;

import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ObjectWatch;
import java.time.Duration;
import java.util.List;

/** The last holder's exit to the new holder's first write of the Lease, over 20 rounds. */
final class LeaderChange {
  private static final Duration SOON = Duration.ofSeconds(30);

  private LeaderChange() {}

  static List<Figure> measure(Lab lab, List<Replica> replicas) {
    Lease lease = new Lease(lab);
    Sample changes = new Sample();
    Sample exits = new Sample();
    for (int i = 0; i < 20; i++) {
      Replica old = lease.leader(replicas);
      try (ObjectWatch watch = lease.watch()) {
        long asked = System.nanoTime();
        old.pod().process().terminate();
        int code = old.pod().process().awaitExit(SOON);
        long exited = System.nanoTime();
        if (code != 0) {
          throw new IllegalStateException("exit code " + code + " after SIGTERM");
        }
        exits.add((exited - asked) / 1e6);
        changes.add(Math.max(0, (Lease.awaitOtherHolder(watch, old) - exited) / 1e6));
      }
      old.restart();
    }
    return List.of(
        new Figure("leader change after SIGTERM, p95 of 20", changes.percentile(0.95), "ms", 200),
        new Figure("SIGTERM to exit, slowest of 20", exits.max(), "ms", 1000));
  }
}
