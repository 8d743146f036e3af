package io.apiserverupdater.bench;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ObjectWatch;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/** Source write acknowledged to target write seen by a watcher. */
final class MirrorLatency {
  private final Source source;
  private final Target target;

  MirrorLatency(Lab lab) {
    this.source = new Source(lab);
    this.target = new Target(lab);
  }

  List<Figure> measure() throws InterruptedException {
    // The first changes warm the JVM's compiler; a replica that has run for a day is warm.
    mirror(200, 20);
    Sample warm = mirror(500, 100);
    Sample bare = target.writes(500, 100);
    return List.of(
        // The machine's speed varies: the same run's bare write is the measure.
        new Figure(
            "mirror latency, warm, p50 over a bare PUT's",
            warm.percentile(0.5) / bare.percentile(0.5),
            "",
            1.15),
        Figure.stated("mirror latency, warm, p50 of " + warm.size(), warm.percentile(0.5), "ms"),
        new Figure("mirror latency, warm, p99 of " + warm.size(), warm.percentile(0.99), "ms", 10),
        Figure.stated("mirror latency, warm, slowest", warm.max(), "ms"),
        Figure.stated(
            "of that the API's own: a bare PUT, sent to seen, p50", bare.percentile(0.5), "ms"),
        Figure.stated(
            "of that the API's own: a bare PUT, sent to seen, p99", bare.percentile(0.99), "ms"));
  }

  /**
   * Takes the last member out of the source and puts it back, again and again. The apiservers put
   * it back every few seconds themselves: where that came between, the change is not counted.
   */
  Sample mirror(int changes, long everyMillis) throws InterruptedException {
    Sample latency = new Sample();
    Set<String> all = source.members();
    String last = all.stream().max(Comparator.naturalOrder()).orElseThrow();
    Set<String> fewer = new TreeSet<>(all);
    fewer.remove(last);
    try (ObjectWatch watch = target.watch()) {
      String version = "";
      for (int i = 0; latency.size() < changes && i < changes * 2; i++) {
        Set<String> wanted = i % 2 == 0 ? fewer : all;
        JsonObject written = source.patch(wanted, Optional.empty());
        long acknowledged = System.nanoTime();
        String now = written.getAsJsonObject("metadata").get("resourceVersion").getAsString();
        if (!now.equals(version)) {
          version = now;
          Optional<Long> seen = Target.seen(watch, wanted, Duration.ofMillis(500));
          seen.ifPresent(at -> latency.add((at - acknowledged) / 1e6));
        }
        TimeUnit.MILLISECONDS.sleep(everyMillis);
      }
    }
    source.patch(all, Optional.empty());
    return latency;
  }
}
