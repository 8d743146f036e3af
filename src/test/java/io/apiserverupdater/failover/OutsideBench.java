package io.apiserverupdater.failover;

import com.google.gson.JsonObject;
import io.apiserverupdater.bench.DocsTable;
import io.apiserverupdater.bench.Measurements;
import io.apiserverupdater.failover.MatrixRow.Claim;
import io.apiserverupdater.failover.Observation.Service;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.NodeSettings;
import io.apiserverupdater.lab.Worker;
import io.apiserverupdater.sandbox.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Measures what a host that is no node sees through external addresses that MetalLB announces in
 * layer 2: the {@code apiserver} Service as {@code docs/load-balancer.md} sets it up and, side by
 * side, a Service with a copy of the {@code kubernetes} Service's endpoints. The first faults of
 * the matrix, and the death of the node that announces both. Started by {@code ./bench outside}.
 */
public final class OutsideBench {
  private static final List<Row> ROWS =
      List.of(
          new Row(MatrixRow.SIGKILL, Claim.medianOutage(200), Claim.longestOutage(700)),
          new Row(MatrixRow.SIGTERM_DELAYED),
          new Row(MatrixRow.SIGTERM),
          new Row(MatrixRow.SIGSTOP),
          new Row(MatrixRow.BLACK_HOLE, Claim.medianOutage(1000), Claim.longestOutage(1500)),
          new Row(Optional.empty(), List.of()));

  /** MetalLB's speakers take a while to find that one of them is back. */
  private static final Duration REJOINED = Duration.ofMinutes(3);

  /**
   * What is done, and what is claimed of it.
   *
   * @param fault of the matrix; empty for the death of the node that announces the addresses
   */
  private record Row(Optional<MatrixRow> fault, List<Claim> claims) {
    Row(MatrixRow fault, Claim... claims) {
      this(Optional.of(fault), List.of(claims));
    }

    String label() {
      return fault.map(MatrixRow::label).orElse("announcer-down");
    }

    String title() {
      return fault.map(MatrixRow::title).orElse("link of the announcing node down");
    }

    String description() {
      return fault.map(row -> row.fault().description()).orElse(title());
    }
  }

  private final FailoverCluster cluster;
  private final ExternalAddresses outside;

  private OutsideBench(FailoverCluster cluster) {
    this.cluster = cluster;
    this.outside = ExternalAddresses.announce(cluster);
  }

  /**
   * Measures, writes the JSON and the page's table, and exits with 1 when a target was missed.
   *
   * @param arguments {@code --launcher=FILE}, {@code --output=FILE}, {@code --page=FILE}: where the
   *     table is, {@code --rounds=N}, {@code --rows=A,B,…}
   */
  public static void main(String[] arguments) throws IOException {
    Map<String, String> flags = FailoverBench.flags(arguments);
    int rounds = Integer.parseInt(flags.getOrDefault("rounds", "3"));
    Path output = Path.of(flags.getOrDefault("output", "docs/measurements/outside.json"));
    Path page = Path.of(flags.getOrDefault("page", ExternalAddresses.PAGE));
    List<String> updater = List.of(flags.getOrDefault("launcher", "bin/updater"));
    List<String> wanted = List.of(flags.getOrDefault("rows", "").split(",", -1));
    boolean met = true;
    try (FailoverCluster cluster =
        FailoverCluster.start(
            Lab.builder("outside-bench"), lab -> updater, NodeSettings.RECOMMENDED)) {
      OutsideBench bench = new OutsideBench(cluster);
      for (Row row : ROWS) {
        if (wanted.contains(row.label()) || wanted.equals(List.of(""))) {
          JsonObject entry =
              FailoverReport.entry(
                  row.title(), row.description(), row.claims(), bench.measure(row, rounds));
          publish(row.label(), entry, output, page);
          System.out.println(FailoverTable.text(row.label(), entry));
          met &= FailoverReport.met(entry);
        }
      }
    }
    System.exit(met ? 0 : 1);
  }

  /** Adds the row, or puts it in the place of its old figures. */
  private static void publish(String label, JsonObject entry, Path output, Path page)
      throws IOException {
    JsonObject rows = new JsonObject();
    if (Files.exists(output)) {
      rows = Json.parse(Files.readString(output)).getAsJsonObject("rows");
    }
    rows.add(label, entry);
    JsonObject root =
        Json.of("machine", Measurements.machine(), "rows", FailoverReport.inOrder(rows));
    Files.writeString(output, FailoverReport.compact(root));
    Files.writeString(page, page(Files.readString(page), root));
  }

  /** The page with the table of what was measured. */
  static String page(String page, JsonObject root) {
    return DocsTable.into(page, "measured", FailoverTable.outside(root));
  }

  private FailoverBench.Measured measure(Row row, int rounds) {
    String path = row.fault().map(it -> it.setting().path()).orElse("/version");
    try (Observation observation = outside.requests(path, Observation.Pace.MEASURED)) {
      Random random = new Random(row.label().hashCode());
      Optional<FaultTrial> trial =
          row.fault().map(it -> new FaultTrial(cluster, it, observation, random));
      return FailoverBench.measure(
          row.label(),
          rounds,
          number ->
              trial.map(it -> it.run(number)).orElseGet(() -> loseAnnouncer(observation, random)));
    }
  }

  private FaultTrial.Outcome loseAnnouncer(Observation observation, Random random) {
    cluster.awaitWhole();
    observation.awaitGood(outside.controlPlanes(), FailoverCluster.SOON);
    Worker announcer = announcer();
    Pause.of(Duration.ofMillis(200 + random.nextInt(1000)));
    double load = FaultTrial.load();
    Instant at = Instant.now();
    long fault = System.nanoTime();
    announcer.host().linkDown();
    Pause.of(Duration.ofSeconds(5));
    observation.awaitQuiet(Duration.ofSeconds(4), Duration.ofSeconds(60));
    long heal = System.nanoTime();
    announcer.host().linkUp();
    Deadline.in(REJOINED)
        .await(announcer.name() + " announces again", () -> announcers().equals(Set.of(announcer)));
    Pause.of(Duration.ofSeconds(5));
    Round round =
        new Round(
            announcer.name(),
            at,
            load,
            observation.ways(fault, heal),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            0,
            cluster.readyAddresses().size(),
            cluster.addresses().size(),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            observation.through(Service.APISERVER).stream()
                .mapToInt(stream -> stream.traffic().failuresSince(heal).size())
                .sum(),
            0,
            observation.unanswered(outside.controlPlanes(), fault, heal),
            OptionalDouble.empty(),
            (heal - fault) / 1e6);
    return new FaultTrial.Outcome(round, fault, heal, Map.of());
  }

  /** The worker that announces both addresses, once one does. */
  private Worker announcer() {
    Deadline.in(FailoverCluster.SOON)
        .await("one node for both addresses", () -> announcers().size() == 1);
    return announcers().iterator().next();
  }

  private Set<Worker> announcers() {
    return Arrays.stream(Service.values())
        .flatMap(service -> outside.announcer(service).stream())
        .collect(Collectors.toSet());
  }
}
