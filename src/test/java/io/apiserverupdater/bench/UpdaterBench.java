package io.apiserverupdater.bench;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ObjectWatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * The updater's figures on a real control plane: three kube-apiservers, two replicas with exactly
 * the rights of the base manifests. Started by {@code ./bench updater}.
 */
public final class UpdaterBench {
  private static final String SOURCE =
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  private static final String TARGET =
      "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
  private static final String LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
  private static final String NAMED = "?fieldSelector=metadata.name%3D";
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final double MEBIBYTE = 1 << 20;

  private final Lab lab;
  private final Path launcher;
  private final Duration idle;
  private final List<Figure> figures = new ArrayList<>();
  private final Map<String, Integer> requestsPerMinute = new TreeMap<>();

  private UpdaterBench(Lab lab, Path launcher, Duration idle) {
    this.lab = lab;
    this.launcher = launcher;
    this.idle = idle;
  }

  /**
   * Measures, prints the table, writes it as JSON, and exits with 1 when a reach was missed.
   *
   * @param arguments the folder that the release archive was unpacked into, the JSON file to write,
   *     and how long "idle" is in seconds
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path release = Path.of(arguments[0]);
    List<Figure> figures;
    Map<String, Integer> requests;
    try (Lab lab = Lab.builder("bench").start()) {
      UpdaterBench bench =
          new UpdaterBench(
              lab,
              release.resolve("bin/updater"),
              Duration.ofSeconds(Long.parseLong(arguments[2])));
      bench.run();
      figures = new ArrayList<>(bench.figures);
      requests = bench.requestsPerMinute;
    }
    figures.add(
        Figure.stated(
            "size of updater.jar",
            Files.size(release.resolve("lib/updater.jar")) / MEBIBYTE,
            "MiB"));
    figures.forEach(figure -> System.out.println(figure.row()));
    requests.forEach(
        (request, count) -> System.out.println("  per minute  " + request + "  " + count));
    write(Path.of(arguments[1]), figures, requests);
    System.exit(figures.stream().allMatch(Figure::met) ? 0 : 1);
  }

  private void run() throws InterruptedException {
    lab.kubectl().run("apply", "-k", "deploy/kustomize/base").orThrow();
    say("start");
    starts();
    try (Replica first = Replica.start(lab, 1, launcher);
        Replica second = Replica.start(lab, 2, launcher)) {
      lab.awaitAddresses("kube-system", "apiserver-ipv4", Set.copyOf(sourceAddresses()), SOON);
      first.awaitElection(0);
      second.awaitElection(0);
      say("mirror latency, warm");
      mirrorLatency();
      say("burst");
      burst();
      say("steady state, idle for " + idle.toSeconds() + " s");
      steadyState(List.of(first, second));
      say("hand-over");
      handOver(List.of(first, second));
      say("take-over");
      takeOver(List.of(first, second));
    }
  }

  /** From exec to the arrival of the answer to the first list. */
  private void starts() {
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
    figures.add(
        new Figure(
            "start: exec to first successful read, median", starts.percentile(0.5), "ms", 500));
    figures.add(Figure.stated("start: slowest of " + starts.size(), starts.max(), "ms"));
  }

  /** Source write acknowledged to target write seen by a watcher. */
  private void mirrorLatency() throws InterruptedException {
    // The first changes warm the JVM's compiler; a replica that has run for a day is warm.
    mirror(200, 20);
    Sample warm = mirror(500, 100);
    figures.add(
        new Figure("mirror latency, warm, p50 of " + warm.size(), warm.percentile(0.5), "ms", 4));
    figures.add(
        new Figure("mirror latency, warm, p99 of " + warm.size(), warm.percentile(0.99), "ms", 10));
    figures.add(Figure.stated("mirror latency, warm, slowest", warm.max(), "ms"));
  }

  /**
   * Takes the last member out of the source and puts it back, again and again. The apiservers put
   * it back every few seconds themselves: where that came between, the change is not counted.
   */
  private Sample mirror(int changes, long everyMillis) throws InterruptedException {
    Sample latency = new Sample();
    Set<String> all = Set.copyOf(sourceAddresses());
    String last = all.stream().max(Comparator.naturalOrder()).orElseThrow();
    Set<String> fewer = new TreeSet<>(all);
    fewer.remove(last);
    try (ObjectWatch watch = lab.admin().watch(TARGET + NAMED + "apiserver-ipv4", "")) {
      String version = "";
      for (int i = 0; latency.size() < changes && i < changes * 2; i++) {
        Set<String> wanted = i % 2 == 0 ? fewer : all;
        JsonObject written = patchSource(wanted, Optional.empty());
        long acknowledged = System.nanoTime();
        String now = written.getAsJsonObject("metadata").get("resourceVersion").getAsString();
        if (!now.equals(version)) {
          version = now;
          Optional<Long> seen = awaitTarget(watch, wanted, Duration.ofMillis(500));
          seen.ifPresent(at -> latency.add((at - acknowledged) / 1e6));
        }
        TimeUnit.MILLISECONDS.sleep(everyMillis);
      }
    }
    patchSource(all, Optional.empty());
    return latency;
  }

  private static Optional<Long> awaitTarget(ObjectWatch watch, Set<String> wanted, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() < end) {
      Optional<ObjectWatch.Event> event = watch.next(Duration.ofNanos(end - System.nanoTime()));
      if (event.isPresent() && addresses(event.get().object()).equals(wanted)) {
        return Optional.of(event.get().seenNanos());
      }
    }
    return Optional.empty();
  }

  /** 1,000 changes in 2 s, from four writers. */
  private void burst() throws InterruptedException {
    int changes = 1_000;
    Set<String> members = Set.copyOf(sourceAddresses());
    Instant before = Instant.now();
    long start = System.nanoTime();
    ExecutorService writers = Executors.newFixedThreadPool(4);
    for (int i = 0; i < changes; i++) {
      long due = start + i * 2_000_000L;
      String zone = "burst-" + i;
      writers.execute(
          () -> {
            LockSupport.parkNanos(due - System.nanoTime());
            patchSource(members, Optional.of(zone));
          });
    }
    writers.shutdown();
    boolean done = writers.awaitTermination(1, TimeUnit.MINUTES);
    double took = (System.nanoTime() - start) / 1e9;
    try (ObjectWatch watch = lab.admin().watch(TARGET + NAMED + "apiserver-ipv4", "")) {
      patchSource(members, Optional.of("last"));
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
    patchSource(members, Optional.empty());
  }

  private void steadyState(List<Replica> replicas) throws InterruptedException {
    // What the burst left behind settles first.
    TimeUnit.SECONDS.sleep(5);
    // Steady is what has been running for a while: compiling what runs once a second takes minutes.
    TimeUnit.SECONDS.sleep(idle.toSeconds() * 2 / 3);
    Instant since = Instant.now();
    long start = System.nanoTime();
    List<Double> before = replicas.stream().map(Replica::cpuSeconds).toList();
    TimeUnit.SECONDS.sleep(idle.toSeconds() / 3);
    double seconds = (System.nanoTime() - start) / 1e9;
    String holder = holder();
    for (int i = 0; i < replicas.size(); i++) {
      Replica replica = replicas.get(i);
      String role = replica.isHolder(holder) ? "leader" : "standby";
      double cpu = (replica.cpuSeconds() - before.get(i)) / seconds * 1000;
      figures.add(new Figure("steady state, CPU of the " + role, cpu, "millicores", 5));
      figures.add(
          new Figure("steady state, RSS of the " + role, replica.residentMebibytes(), "MiB", 64));
      lab.auditSince(since).stream()
          .filter(replica::sent)
          // A watch is logged when it begins and when it ends.
          .filter(entry -> entry.stage().equals("ResponseComplete"))
          .forEach(
              entry ->
                  requestsPerMinute.merge(
                      role + " " + entry.verb() + " " + entry.resource(), 1, Integer::sum));
    }
    requestsPerMinute.replaceAll((request, count) -> (int) Math.round(count * 60 / seconds));
    Sample first = mirror(1, 0);
    figures.add(
        new Figure(
            "mirror latency, first change after " + idle.toSeconds() + " idle s",
            first.max(),
            "ms",
            25));
  }

  /** The last holder's exit to the new holder's first write of the Lease, over 20 rounds. */
  private void handOver(List<Replica> replicas) {
    Sample handOvers = new Sample();
    Sample exits = new Sample();
    for (int i = 0; i < 20; i++) {
      Replica old = leader(replicas);
      try (ObjectWatch watch = lab.admin().watch(LEASES + NAMED + "apiserver-updater", "")) {
        long asked = System.nanoTime();
        old.pod().process().terminate();
        int code = old.pod().process().awaitExit(SOON);
        long exited = System.nanoTime();
        if (code != 0) {
          throw new IllegalStateException("exit code " + code + " after SIGTERM");
        }
        exits.add((exited - asked) / 1e6);
        handOvers.add(Math.max(0, (awaitOtherHolder(watch, old) - exited) / 1e6));
      }
      restart(old);
    }
    figures.add(
        new Figure("hand-over after SIGTERM, p95 of 20", handOvers.percentile(0.95), "ms", 200));
    figures.add(new Figure("SIGTERM to exit, slowest of 20", exits.max(), "ms", 1000));
  }

  private void takeOver(List<Replica> replicas) {
    Sample takeOvers = new Sample();
    for (int i = 0; i < 5; i++) {
      Replica old = leader(replicas);
      try (ObjectWatch watch = lab.admin().watch(LEASES + NAMED + "apiserver-updater", "")) {
        long killed = System.nanoTime();
        old.pod().process().kill();
        takeOvers.add((awaitOtherHolder(watch, old) - killed) / 1e6);
      }
      restart(old);
    }
    // The default lease duration is 4 s.
    figures.add(new Figure("take-over after SIGKILL, slowest of 5", takeOvers.max(), "ms", 4_500));
  }

  private static void restart(Replica replica) {
    long before = replica.elections();
    replica.pod().restart();
    replica.awaitElection(before);
  }

  private Replica leader(List<Replica> replicas) {
    String holder = holder();
    return replicas.stream().filter(replica -> replica.isHolder(holder)).findFirst().orElseThrow();
  }

  private String holder() {
    return holder(lab.admin().get(LEASES + "/apiserver-updater"));
  }

  private static String holder(JsonObject lease) {
    JsonElement holder = lease.getAsJsonObject("spec").get("holderIdentity");
    return holder == null ? "" : holder.getAsString();
  }

  private static long awaitOtherHolder(ObjectWatch watch, Replica old) {
    long end = System.nanoTime() + SOON.toNanos();
    while (System.nanoTime() < end) {
      Optional<ObjectWatch.Event> event = watch.next(Duration.ofNanos(end - System.nanoTime()));
      if (event.isPresent()) {
        String holder = holder(event.get().object());
        if (!holder.isEmpty() && !old.isHolder(holder)) {
          return event.get().seenNanos();
        }
      }
    }
    throw new IllegalStateException("nobody took over within " + SOON);
  }

  private List<String> sourceAddresses() {
    return lab.controlPlanes().stream().map(member -> member.address()).toList();
  }

  private JsonObject patchSource(Set<String> addresses, Optional<String> zone) {
    JsonArray endpoints = new JsonArray();
    for (String address : new TreeSet<>(addresses)) {
      JsonArray one = new JsonArray();
      one.add(address);
      JsonObject conditions = new JsonObject();
      conditions.addProperty("ready", true);
      JsonObject endpoint = new JsonObject();
      endpoint.add("addresses", one);
      endpoint.add("conditions", conditions);
      zone.ifPresent(name -> endpoint.addProperty("zone", name));
      endpoints.add(endpoint);
    }
    JsonObject patch = new JsonObject();
    patch.add("endpoints", endpoints);
    return lab.admin().patch(SOURCE + "/kubernetes", patch.toString());
  }

  private static Set<String> addresses(JsonObject slice) {
    Set<String> addresses = new TreeSet<>();
    JsonElement endpoints = slice.get("endpoints");
    if (endpoints != null && endpoints.isJsonArray()) {
      endpoints
          .getAsJsonArray()
          .forEach(
              endpoint ->
                  endpoint
                      .getAsJsonObject()
                      .getAsJsonArray("addresses")
                      .forEach(address -> addresses.add(address.getAsString())));
    }
    return addresses;
  }

  private static void say(String what) {
    System.err.println("bench: " + what);
  }

  private static void write(Path file, List<Figure> figures, Map<String, Integer> requests)
      throws IOException {
    JsonObject root = new JsonObject();
    JsonArray rows = new JsonArray();
    figures.forEach(figure -> rows.add(figure.json()));
    root.add("figures", rows);
    JsonObject perMinute = new JsonObject();
    requests.forEach(perMinute::addProperty);
    root.add("requestsPerMinute", perMinute);
    JsonObject machine = new JsonObject();
    machine.addProperty("processors", Runtime.getRuntime().availableProcessors());
    machine.addProperty("java", System.getProperty("java.runtime.version"));
    try (Stream<String> lines = Files.lines(Path.of("/proc/version"))) {
      machine.addProperty("kernel", lines.findFirst().orElse("").split(" ", -1)[2]);
    }
    root.add("machine", machine);
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.writeString(
        file,
        new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(root) + "\n");
  }
}
