package io.apiserverupdater.bench;

import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ObjectWatch;
import java.util.List;

/** From the SIGKILL of the leader to the first write of its successor. */
final class Takeover {
  private Takeover() {}

  static List<Figure> measure(Lab lab, List<Replica> replicas) {
    Lease lease = new Lease(lab);
    Sample takeovers = new Sample();
    for (int i = 0; i < 5; i++) {
      Replica old = lease.leader(replicas);
      try (ObjectWatch watch = lease.watch()) {
        long killed = System.nanoTime();
        old.pod().process().kill();
        takeovers.add((Lease.awaitOtherHolder(watch, old) - killed) / 1e6);
      }
      old.restart();
    }
    // The default lease duration is 4 s.
    return List.of(
        new Figure("takeover after SIGKILL, slowest of 5", takeovers.max(), "ms", 4_500));
  }
}
