package io.apiserverupdater.bench;

import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ObjectWatch;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** 1,000 changes in 2 s, from four writers. */
final class Burst {
  private static final Duration SOON = Duration.ofSeconds(30);

  private Burst() {}

  static List<Figure> measure(Lab lab) throws InterruptedException {
    List<Figure> figures = new ArrayList<>();
    Source source = new Source(lab);
    int changes = 1_000;
    Set<String> members = source.members();
    Instant before = Instant.now();
    long start = System.nanoTime();
    ExecutorService writers = Executors.newFixedThreadPool(4);
    for (int i = 0; i < changes; i++) {
      long due = start + i * 2_000_000L;
      String zone = "burst-" + i;
      writers.execute(
          () -> {
            LockSupport.parkNanos(due - System.nanoTime());
            source.patch(members, Optional.of(zone));
          });
    }
    writers.shutdown();
    boolean done = writers.awaitTermination(1, TimeUnit.MINUTES);
    double took = (System.nanoTime() - start) / 1e9;
    try (ObjectWatch watch = new Target(lab).watch()) {
      source.patch(members, Optional.of("last"));
      long acknowledged = System.nanoTime();
      long end = acknowledged + SOON.toNanos();
      long seen = 0;
      while (seen == 0 && System.nanoTime() < end) {
        Optional<ObjectWatch.Event> event = watch.next(Duration.ofNanos(end - System.nanoTime()));
        if (event.isPresent() && event.get().object().toString().contains("\"last\"")) {
          seen = event.get().seenNanos();
        }
      }
      figures.add(
          new Figure(
              "burst of 1,000 changes: last one to final state",
              done && seen != 0 ? (seen - acknowledged) / 1e6 : Double.MAX_VALUE,
              "ms",
              100));
    }
    figures.add(Figure.stated("burst: time the writers took", took, "s"));
    TimeUnit.SECONDS.sleep(1);
    long slices =
        lab.auditSince(before).stream()
            .filter(entry -> entry.user().equals(Replica.USER))
            .filter(entry -> entry.resource().equals("endpointslices") && entry.isWrite())
            .count();
    figures.add(Figure.stated("burst: writes of the target slice", (double) slices, ""));
    source.patch(members, Optional.empty());
    return figures;
  }
}
