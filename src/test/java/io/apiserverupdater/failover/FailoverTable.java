package io.apiserverupdater.failover;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.failover.Observation.Service;
import io.apiserverupdater.sandbox.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The table of all rows that were measured, in two forms. */
final class FailoverTable {
  private static final String HEAD =
      """
      # Measured failover

      Two workers (kube-proxy in nftables and in iptables mode) open new TLS connections, one every
      25 ms, through the `apiserver` Service and, in the same rounds, through the `kubernetes` Service.
      The outage is the time from the fault to the start of the last request that failed. A request
      fails if it is refused, cut, or not answered within 2 s. p50 and max are over all rounds and both
      workers; "at least" means that requests still failed when the fault was healed. "Slowest" is the
      slowest successful request through the `apiserver` Service: a value of 1 s means that a repeated
      SYN reached another control plane. A round in which a live control plane did not answer at its own
      address either is a stall of the machine: it is discarded and repeated. `./bench failover` creates
      this page, the plots, and [failover.json](failover.json) with every round.

      The nodes have the first three recommended [settings](../operate.md#settings-of-the-nodes); the row
      `sigterm-delayed` has all four. Rows with `-nodes-pings` have kube-proxy's HTTP/2 timeouts only,
      rows with `-nodes-untouched` no settings. Rows with `-of-5` and `-of-7` have that many control
      planes instead of three.

      | row | fault | target | measured | slowest | the `kubernetes` Service: p50, max | rounds | load |
      |---|---|---|---|---|---|---|---|
      """;

  private FailoverTable() {}

  static String markdown(JsonObject root) {
    StringBuilder text = new StringBuilder(HEAD);
    for (Map.Entry<String, JsonElement> row : root.getAsJsonObject("rows").entrySet()) {
      JsonObject entry = row.getValue().getAsJsonObject();
      text.append(
          "| [%1$s](failover-%1$s.svg) | %2$s | %3$s | %4$s | %5$s | %6$s | %7$s | %8$s |\n"
              .formatted(
                  row.getKey(),
                  Json.text(entry, "title"),
                  String.join("; ", targets(entry)),
                  String.join("; ", measured(entry)),
                  slowest(entry.getAsJsonObject("apiserver")),
                  outage(entry.getAsJsonObject("kubernetes")),
                  rounds(entry),
                  loads(entry)));
    }
    JsonObject machine = root.getAsJsonObject("machine");
    return text.append(
            """

            Machine: %s processors, Linux %s, Java %s.
            Load is the one-minute load average when the fault began, as a range over the rounds. \
            Everything,
            including the control planes and the clients, runs on this one machine.
            """
                .formatted(
                    Json.text(machine, "processors"),
                    Json.text(machine, "kernel"),
                    Json.text(machine, "java")))
        .toString();
  }

  /** What a host outside sees through external addresses; see {@link OutsideBench}. */
  static String outside(JsonObject root) {
    StringBuilder text =
        new StringBuilder(
            """
            | fault | target | this project | copied endpoints | rounds |
            |---|---|---|---|---|
            """);
    for (JsonElement row : root.getAsJsonObject("rows").asMap().values()) {
      JsonObject entry = row.getAsJsonObject();
      text.append(
          "| %s | %s | %s%s | %s | %s |\n"
              .formatted(
                  Json.text(entry, "title"),
                  String.join("; ", targets(entry)),
                  outage(entry.getAsJsonObject(Service.APISERVER.label())),
                  FailoverReport.met(entry) ? "" : " **missed**",
                  outage(entry.getAsJsonObject(Service.KUBERNETES.label())),
                  rounds(entry)));
    }
    return text.toString();
  }

  static String text(String key, JsonObject entry) {
    StringBuilder text =
        new StringBuilder(
            "%s: %s; the kubernetes Service %s; rounds %s; load %s"
                .formatted(
                    key,
                    outage(entry.getAsJsonObject("apiserver")),
                    outage(entry.getAsJsonObject("kubernetes")),
                    rounds(entry),
                    loads(entry)));
    for (JsonElement claim : entry.getAsJsonArray("claims")) {
      JsonObject one = claim.getAsJsonObject();
      String missed = one.get("met").getAsBoolean() ? "" : "MISSED";
      text.append(
          "%n  %-40s %12s   target %-10s %s"
              .formatted(
                  Json.text(one, "name"), amount(one, "value"), amount(one, "target"), missed));
    }
    return text.toString();
  }

  private static List<String> targets(JsonObject entry) {
    List<String> targets = new ArrayList<>();
    for (JsonElement claim : entry.getAsJsonArray("claims")) {
      JsonObject one = claim.getAsJsonObject();
      double target = one.get("target").getAsDouble();
      targets.add(Json.text(one, "name") + (target == 0 ? ": 0" : " ≤ " + amount(one, "target")));
    }
    return targets;
  }

  private static List<String> measured(JsonObject entry) {
    List<String> values = new ArrayList<>();
    for (JsonElement claim : entry.getAsJsonArray("claims")) {
      JsonObject one = claim.getAsJsonObject();
      values.add(amount(one, "value") + (one.get("met").getAsBoolean() ? "" : " **missed**"));
    }
    if (values.isEmpty()) {
      values.add("outage " + outage(entry.getAsJsonObject("apiserver")));
    }
    return values;
  }

  private static String outage(JsonObject summary) {
    return "%s%s, %s (%s of %s failed)"
        .formatted(
            summary.get("cutByHealing").getAsBoolean() ? "at least " : "",
            amount(summary.get("outageP50Millis").getAsDouble(), "ms"),
            amount(summary.get("outageMaxMillis").getAsDouble(), "ms"),
            Json.text(summary, "failures"),
            Json.text(summary, "requests"));
  }

  /** Rows of before this was measured have none. */
  private static String slowest(JsonObject summary) {
    return summary.has("slowestMillis")
        ? amount(summary.get("slowestMillis").getAsDouble(), "ms")
        : "–";
  }

  /** Rows of before this was told have no number of discarded ones. */
  private static String rounds(JsonObject entry) {
    int discarded = entry.has("discarded") ? entry.get("discarded").getAsInt() : 0;
    return entry.getAsJsonArray("rounds").size()
        + (discarded == 0 ? "" : " (and " + discarded + " discarded)");
  }

  private static String loads(JsonObject entry) {
    List<Double> loads = new ArrayList<>();
    entry
        .getAsJsonArray("rounds")
        .forEach(round -> loads.add(round.getAsJsonObject().get("load").getAsDouble()));
    return String.format(
        Locale.ROOT,
        "%.1f–%.1f",
        loads.stream().min(Double::compare).orElse(0.0),
        loads.stream().max(Double::compare).orElse(0.0));
  }

  private static String amount(JsonObject claim, String field) {
    return amount(claim.get(field).getAsDouble(), Json.text(claim, "unit"));
  }

  private static String amount(double value, String unit) {
    if (value == Double.MAX_VALUE) {
      return "none";
    }
    if (unit.equals("ms") && value >= 1000) {
      return String.format(Locale.ROOT, "%.1f s", value / 1000);
    }
    String number =
        value == Math.rint(value) || value >= 100
            ? String.format(Locale.ROOT, "%.0f", value)
            : String.format(Locale.ROOT, "%.1f", value);
    return unit.isEmpty() ? number : number + " " + unit;
  }
}
