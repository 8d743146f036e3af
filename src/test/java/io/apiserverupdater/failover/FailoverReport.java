package io.apiserverupdater.failover;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.bench.Measurements;
import io.apiserverupdater.failover.Observation.Service;
import io.apiserverupdater.sandbox.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * The measured matrix as files: {@code failover.json} with every round, {@code failover.md} with
 * the table, and a picture for each row. A row that is measured again takes the place of its old
 * figures; the others stay.
 */
record FailoverReport(Path folder, JsonObject root) {
  static FailoverReport in(Path folder) throws IOException {
    Path file = folder.resolve("failover.json");
    Files.createDirectories(folder);
    return new FailoverReport(
        folder,
        Files.exists(file)
            ? JsonParser.parseString(Files.readString(file)).getAsJsonObject()
            : new JsonObject());
  }

  /** A row as it was measured just now. */
  record Entry(String text, boolean met) {}

  /** Adds the row, or puts it in the place of its old figures, and rewrites all files. */
  Entry add(String key, MatrixRow row, FailoverBench.Measured measured) throws IOException {
    JsonObject entry = entry(row.title(), row.fault().description(), row.claims(), measured);
    JsonObject rows = root.has("rows") ? root.getAsJsonObject("rows") : new JsonObject();
    rows.add(key, entry);
    root.add("machine", Measurements.machine());
    root.add("rows", inOrder(rows));
    Files.writeString(folder.resolve("failover.json"), compact(root));
    Files.writeString(folder.resolve("failover.md"), FailoverTable.markdown(root));
    Files.writeString(
        folder.resolve("failover-" + key + ".svg"),
        TimelinePlot.svg(row, typical(measured.outcomes())));
    return new Entry(FailoverTable.text(key, entry), met(entry));
  }

  /** Whether all that is claimed of a row holds. */
  static boolean met(JsonObject entry) {
    boolean met = true;
    for (JsonElement claim : entry.getAsJsonArray("claims")) {
      met &= claim.getAsJsonObject().get("met").getAsBoolean();
    }
    return met;
  }

  /** A line for each row and for each of its rounds. */
  static String compact(JsonObject root) {
    String json = new GsonBuilder().disableHtmlEscaping().create().toJson(root);
    return json.replaceAll("\"[a-z0-9-]+\":\\{\"title\"|\\{\"at\"", "\n$0") + "\n";
  }

  /** As in the matrix; what varies a row follows it. */
  static JsonObject inOrder(JsonObject rows) {
    List<String> labels = Arrays.stream(MatrixRow.values()).map(MatrixRow::label).toList();
    JsonObject sorted = new JsonObject();
    rows.keySet().stream()
        .sorted(
            Comparator.comparingInt((String key) -> place(labels, key)).thenComparing(key -> key))
        .forEach(key -> sorted.add(key, rows.get(key)));
    return sorted;
  }

  private static int place(List<String> labels, String key) {
    return labels.stream()
        .filter(key::startsWith)
        .max(Comparator.comparingInt(String::length))
        .map(labels::indexOf)
        .orElse(labels.size());
  }

  /** The round in the middle when all are sorted by the outage of our Service. */
  private static FaultTrial.Outcome typical(List<FaultTrial.Outcome> outcomes) {
    List<FaultTrial.Outcome> sorted =
        outcomes.stream()
            .sorted(
                Comparator.comparingDouble(
                    outcome -> outcome.round().outages(Service.APISERVER).max().orElse(0)))
            .toList();
    return sorted.get(sorted.size() / 2);
  }

  /** A row with its claims, what was seen through each Service, and every round. */
  static JsonObject entry(
      String title, String fault, List<MatrixRow.Claim> claimed, FailoverBench.Measured measured) {
    List<Round> rounds = measured.rounds();
    JsonObject entry = Json.of("title", title, "fault", fault, "discarded", measured.discarded());
    entry.addProperty("measuredAt", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    JsonArray claims = new JsonArray();
    for (MatrixRow.Claim claim : claimed) {
      double value = claim.value().applyAsDouble(rounds);
      JsonObject json = Json.of("name", claim.name(), "value", rounded(value));
      json.addProperty("unit", claim.unit());
      json.addProperty("target", claim.target());
      json.addProperty("met", value <= claim.target());
      claims.add(json);
    }
    entry.add("claims", claims);
    for (Service service : Service.values()) {
      double p50 = Quantile.of(MatrixRow.outages(rounds, service), 0.5);
      double longest = Quantile.of(MatrixRow.outages(rounds, service), 1);
      JsonObject summary =
          Json.of("outageP50Millis", rounded(p50), "outageMaxMillis", rounded(longest));
      summary.addProperty(
          "failures", rounds.stream().mapToInt(round -> round.failures(service)).sum());
      summary.addProperty("requests", ways(rounds, service).mapToInt(Round.Way::requests).sum());
      summary.addProperty(
          "slowestMillis",
          rounded(ways(rounds, service).mapToDouble(Round.Way::slowestMillis).max().orElse(0)));
      summary.addProperty(
          "cutByHealing", rounds.stream().anyMatch(round -> wasFailing(round, service)));
      entry.add(service.label(), summary);
    }
    entry.add("rounds", Json.array(rounds.stream().map(FailoverReport::json).toArray()));
    return entry;
  }

  private static Stream<Round.Way> ways(List<Round> rounds, Service service) {
    return rounds.stream()
        .flatMap(round -> round.ways().stream())
        .filter(way -> way.service() == service);
  }

  /** Whether requests still failed when the fault was healed, so that the outage is cut short. */
  private static boolean wasFailing(Round round, Service service) {
    return round.outages(service).anyMatch(outage -> outage > round.lastedMillis() - 500);
  }

  static JsonObject json(Round round) {
    String at = round.at().truncatedTo(ChronoUnit.MILLIS).toString();
    JsonObject json = Json.of("at", at, "target", round.target(), "load", round.load());
    for (Round.Way way : round.ways()) {
      JsonObject one =
          Json.of("outageMillis", rounded(way.outageMillis()), "failures", way.failures());
      one.addProperty("requests", way.requests());
      one.addProperty("slowestMillis", rounded(way.slowestMillis()));
      if (!way.lastFailure().isEmpty()) {
        one.addProperty("lastFailure", way.lastFailure());
      }
      json.add(way.service().label() + "-" + way.worker(), one);
    }
    put(json, "decidedMillis", round.decidedMillis());
    put(json, "writtenMillis", round.writtenMillis());
    json.addProperty("writes", round.writes());
    json.addProperty("leastReady", round.leastReady());
    json.addProperty("leastListed", round.leastListed());
    put(json, "listedMillis", round.listedMillis());
    put(json, "returnMillis", round.returnMillis());
    json.addProperty("failuresOnReturn", round.failuresOnReturn());
    json.addProperty("restarts", round.restarts());
    json.addProperty("stalls", round.stalls());
    put(json, "longestLossMillis", round.longestLoss());
    json.addProperty("lastedMillis", rounded(round.lastedMillis()));
    return json;
  }

  private static void put(JsonObject json, String key, OptionalDouble value) {
    value.ifPresent(found -> json.addProperty(key, rounded(found)));
  }

  /** To a tenth; what could not be measured is as bad as can be. */
  static double rounded(double value) {
    return Double.isNaN(value) ? Double.MAX_VALUE : Math.round(value * 10) / 10.0;
  }
}
