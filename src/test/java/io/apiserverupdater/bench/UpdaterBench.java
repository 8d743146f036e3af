package io.apiserverupdater.bench;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.UnpackedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The updater's figures on a real control plane: three kube-apiservers, two replicas with exactly
 * the rights of the base manifests. Started by {@code ./bench updater}.
 */
public final class UpdaterBench {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final double MEBIBYTE = 1 << 20;

  private UpdaterBench() {}

  /**
   * Measures, prints the table, writes it as JSON, and exits with 1 when a target was missed.
   *
   * @param arguments the folder that the release archive was unpacked into, the image's archive,
   *     the JSON file to write, and how long "idle" is in seconds
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path release = Path.of(arguments[0]);
    UnpackedImage image =
        UnpackedImage.of(Path.of(arguments[1]), release.resolve("image").toAbsolutePath());
    Duration idle = Duration.ofSeconds(Long.parseLong(arguments[3]));
    List<Figure> figures = new ArrayList<>();
    Map<String, Integer> requests;
    try (Lab lab = Lab.builder("bench").start()) {
      requests = measure(lab, release.resolve("bin/updater"), image, idle, figures);
    }
    figures.add(
        Figure.stated(
            "size of updater.jar",
            Files.size(release.resolve("lib/updater.jar")) / MEBIBYTE,
            "MiB"));
    figures.forEach(figure -> System.out.println(figure.row()));
    requests.forEach(
        (request, count) -> System.out.println("  per minute  " + request + "  " + count));
    write(Path.of(arguments[2]), figures, requests);
    System.exit(figures.stream().allMatch(Figure::met) ? 0 : 1);
  }

  /** Adds the figures; returns the requests per minute. */
  private static Map<String, Integer> measure(
      Lab lab, Path launcher, UnpackedImage image, Duration idle, List<Figure> figures)
      throws InterruptedException {
    lab.kubectl().run("apply", "-k", "deploy/kustomize/base").orThrow();
    say("start");
    figures.addAll(StartTime.measure(lab, image, launcher));
    try (Replica first = Replica.start(lab, 1, image);
        Replica second = Replica.start(lab, 2, image)) {
      List<Replica> replicas = List.of(first, second);
      new Target(lab).await(new Source(lab).members(), SOON);
      replicas.forEach(replica -> replica.awaitElection(0));
      say("mirror latency, warm");
      figures.addAll(new MirrorLatency(lab).measure());
      say("burst");
      figures.addAll(Burst.measure(lab));
      say("steady state, idle for " + idle.toSeconds() + " s");
      SteadyState steady = new SteadyState(lab, idle);
      figures.addAll(steady.measure(replicas));
      say("status");
      figures.addAll(StatusTime.measure(lab, replicas, launcher));
      say("leader change");
      figures.addAll(LeaderChange.measure(lab, replicas));
      say("takeover");
      figures.addAll(Takeover.measure(lab, replicas));
      return steady.requestsPerMinute();
    }
  }

  private static void say(String what) {
    System.err.println("bench: " + what);
  }

  private static void write(Path file, List<Figure> figures, Map<String, Integer> requests)
      throws IOException {
    JsonObject root = new JsonObject();
    root.add("figures", Measurements.json(figures));
    JsonObject perMinute = new JsonObject();
    requests.forEach(perMinute::addProperty);
    root.add("requestsPerMinute", perMinute);
    root.add("machine", Measurements.machine());
    Measurements.write(file, root);
  }
}
