package io.apiserverupdater.failover;

import com.google.gson.JsonObject;
import io.apiserverupdater.bench.Measurements;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.CpuTime;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.NodeSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * What two replicas' probes cost each apiserver while nothing happens: requests on /readyz by the
 * apiserver's own count, and CPU time against that without updaters. Started by {@code ./bench
 * probeload}.
 */
public final class ProbeLoadBench {
  private static final Duration SETTLE = Duration.ofSeconds(20);
  private static final Duration SPAN = Duration.ofSeconds(60);
  private static final Pattern READYZ =
      Pattern.compile("(?m)^apiserver_request_total\\{[^}]*subresource=\"/readyz\"[^}]*} (\\S+)$");

  private ProbeLoadBench() {}

  /** Measures, prints, writes. Takes the updater's launcher and the JSON file to write. */
  public static void main(String[] arguments) throws IOException {
    JsonObject root = new JsonObject();
    root.addProperty("load", FaultTrial.load());
    try (FailoverCluster cluster =
        FailoverCluster.start(
            Lab.builder("probe-load"), lab -> List.of(arguments[0]), NodeSettings.UNTOUCHED)) {
      Pause.of(SETTLE);
      JsonObject with = span(cluster, "two updaters");
      cluster.updaters().forEach(Updater::kill);
      Pause.of(SETTLE);
      JsonObject without = span(cluster, "none");
      root.add("withTwoUpdaters", with);
      root.add("withoutUpdaters", without);
    }
    Measurements.write(Path.of(arguments[1]), root);
  }

  private static JsonObject span(FailoverCluster cluster, String updaters) {
    Map<String, Double> requests = new HashMap<>();
    Map<String, Double> cpu = new HashMap<>();
    long start = System.nanoTime();
    for (ControlPlaneHost host : cluster.lab().controlPlanes()) {
      requests.put(host.name(), readyzRequests(host));
      cpu.put(host.name(), CpuTime.seconds(host.process().pid()));
    }
    Pause.of(SPAN);
    double seconds = (System.nanoTime() - start) / 1e9;
    JsonObject result = new JsonObject();
    for (ControlPlaneHost host : cluster.lab().controlPlanes()) {
      double perSecond = (readyzRequests(host) - requests.getOrDefault(host.name(), 0.0)) / seconds;
      double millicores =
          (CpuTime.seconds(host.process().pid()) - cpu.getOrDefault(host.name(), 0.0))
              / seconds
              * 1000;
      System.out.printf(
          Locale.ROOT,
          "%s with %s: %.2f requests/s on /readyz, %.0f millicores in all%n",
          host.name(),
          updaters,
          perSecond,
          millicores);
      JsonObject one = new JsonObject();
      one.addProperty("readyzRequestsPerSecond", Math.round(perSecond * 100) / 100.0);
      one.addProperty("millicores", Math.round(millicores));
      result.add(host.name(), one);
    }
    return result;
  }

  /** As the apiserver counts them, whatever the answer. */
  private static double readyzRequests(ControlPlaneHost host) {
    return READYZ
        .matcher(host.admin().request("GET", "/metrics", "text/plain", "").text())
        .results()
        .map((MatchResult line) -> line.group(1))
        .mapToDouble(Double::parseDouble)
        .sum();
  }
}
