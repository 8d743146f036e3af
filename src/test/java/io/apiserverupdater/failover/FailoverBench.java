package io.apiserverupdater.failover;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.NodeSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * Measures the fault matrix: each fault many times, what both clients see through the {@code
 * apiserver} Service and, side by side, through the {@code kubernetes} Service. Started by {@code
 * ./bench failover}.
 */
public final class FailoverBench {
  /**
   * So many rounds last until the {@code kubernetes} Service is well again, in spite of a window.
   */
  private static final int WHOLE_ROUNDS = 2;

  private static final String RECOMMENDED = "recommended";

  private FailoverBench() {}

  /**
   * Measures, writes the table, the JSON and a picture for each row, and exits with 1 when a target
   * was missed.
   *
   * @param arguments {@code --launcher=FILE}, {@code --output=FOLDER}, {@code --rounds=N}, {@code
   *     --rows=A,B,…}, {@code --control-planes=N}, {@code --nodes=recommended|pings|untouched},
   *     {@code --window=SECONDS}: when a fault is healed, from the third round on, although
   *     requests still fail through the {@code kubernetes} Service
   */
  public static void main(String[] arguments) throws IOException {
    Map<String, String> flags = flags(arguments);
    int rounds = Integer.parseInt(flags.getOrDefault("rounds", "10"));
    int controlPlanes = Integer.parseInt(flags.getOrDefault("control-planes", "3"));
    String nodes = flags.getOrDefault("nodes", RECOMMENDED);
    Duration window = Duration.ofSeconds(Integer.parseInt(flags.getOrDefault("window", "600")));
    List<MatrixRow> rows = rows(flags.getOrDefault("rows", ""));
    FailoverReport report =
        FailoverReport.in(Path.of(flags.getOrDefault("output", "docs/measurements")));
    Function<MatrixRow, String> key =
        row ->
            row.label()
                + (controlPlanes == 3 ? "" : "-of-" + controlPlanes)
                + (nodes.equals(RECOMMENDED) ? "" : "-nodes-" + nodes);

    boolean met = true;
    try (FailoverCluster cluster =
        FailoverCluster.start(
            Lab.builder("failover-bench").controlPlanes(controlPlanes),
            lab -> List.of(flags.getOrDefault("launcher", "bin/updater")),
            settings(nodes))) {
      for (MatrixRow row : rows) {
        Measured measured = measure(cluster, row, rounds, window);
        FailoverReport.Entry entry = report.add(key.apply(row), row, measured);
        System.out.println(entry.text());
        met &= entry.met();
      }
    }
    System.exit(met ? 0 : 1);
  }

  /** Each {@code --NAME=VALUE}. */
  static Map<String, String> flags(String... arguments) {
    return Arrays.stream(arguments)
        .map(argument -> argument.substring(2).split("=", 2))
        .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1]));
  }

  private static NodeSettings settings(String nodes) {
    return switch (nodes) {
      case RECOMMENDED -> NodeSettings.RECOMMENDED;
      case "pings" -> NodeSettings.PINGS;
      case "untouched" -> NodeSettings.UNTOUCHED;
      default ->
          throw new IllegalArgumentException(
              "--nodes=" + nodes + "; there are recommended, pings and untouched");
    };
  }

  private static List<MatrixRow> rows(String names) {
    if (names.isEmpty()) {
      return List.of(MatrixRow.values());
    }
    List<MatrixRow> rows = new ArrayList<>();
    for (String name : names.split(",", -1)) {
      rows.add(
          MatrixRow.of(name)
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "no row "
                              + name
                              + "; there are "
                              + Arrays.stream(MatrixRow.values()).map(MatrixRow::label).toList())));
    }
    return rows;
  }

  /**
   * The rounds of a row.
   *
   * @param discarded how many were thrown away and repeated, because the machine stalled
   */
  record Measured(List<FaultTrial.Outcome> outcomes, int discarded) {
    List<Round> rounds() {
      return outcomes.stream().map(FaultTrial.Outcome::round).toList();
    }
  }

  private static Measured measure(
      FailoverCluster cluster, MatrixRow row, int rounds, Duration window) {
    try (Observation observation = Observation.start(cluster, row.setting().path())) {
      Random random = new Random(row.label().hashCode());
      FaultTrial whole = new FaultTrial(cluster, row, observation, random);
      FaultTrial cut = new FaultTrial(cluster, row, observation, random, window);
      return measure(
          row.label(), rounds, number -> (number < WHOLE_ROUNDS ? whole : cut).run(number));
    }
  }

  /**
   * Measures so many rounds, and repeats those in which the machine stalled.
   *
   * @param trial is given the number of the round, from 0
   */
  static Measured measure(String label, int rounds, IntFunction<FaultTrial.Outcome> trial) {
    List<FaultTrial.Outcome> outcomes = new ArrayList<>();
    int discarded = 0;
    while (outcomes.size() < rounds) {
      FaultTrial.Outcome outcome = trial.apply(outcomes.size());
      System.err.println(
          "bench: " + label + " " + (outcomes.size() + 1) + ": " + line(outcome.round()));
      if (outcome.round().stalls() == 0) {
        outcomes.add(outcome);
      } else if (++discarded > rounds) {
        throw new IllegalStateException("the machine stalled in " + discarded + " rounds");
      }
    }
    return new Measured(outcomes, discarded);
  }

  /** Where the time went, for a person who watches. */
  private static String line(Round round) {
    JsonObject json = FailoverReport.json(round);
    json.remove("at");
    return new Gson().toJson(json);
  }
}
