package io.apiserverupdater.failover;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.apiserverupdater.bench.Measurements;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabProcess;
import io.apiserverupdater.lab.NodeSettings;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.Worker;
import io.apiserverupdater.sandbox.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * How evenly clients sit on the control planes after one of them was gone, with and without {@code
 * --goaway-chance} on the apiservers. Started by {@code ./bench goaway}.
 *
 * <p>An apiserver draws for each request whether to send its client away. What counts is therefore
 * how many requests a client has made since, not how long it took.
 */
public final class GoawayBench {
  private static final int CLIENTS = 60;
  private static final List<String> CHANCES = List.of("0", "0.001", "0.01");

  /** After which it is counted where the clients are; docs/drain.md says how long nodes need. */
  private static final List<Integer> REQUESTS = List.of(0, 30, 400, 1000);

  private static final Duration LONGEST = Duration.ofMinutes(5);

  private GoawayBench() {}

  /** Measures, prints, writes. Takes the updater's launcher and the JSON file to write. */
  public static void main(String[] arguments) throws IOException {
    JsonArray trials = new JsonArray();
    try (FailoverCluster cluster =
        FailoverCluster.start(
            Lab.builder("goaway"), lab -> List.of(arguments[0]), NodeSettings.UNTOUCHED)) {
      for (String chance : CHANCES) {
        List<ControlPlaneHost> all = cluster.lab().controlPlanes();
        all.forEach(host -> host.restartWith("--goaway-chance=" + chance));
        for (ControlPlaneHost target : all) {
          JsonObject trial = Json.of("goawayChance", chance, "target", target.name());
          trial.addProperty("load", FaultTrial.load());
          trial.add("rounds", trial(cluster, target));
          System.out.println(trial);
          trials.add(trial);
        }
      }
    }
    Measurements.write(
        Path.of(arguments[1]),
        Json.of("clients", CLIENTS, "trials", trials, "machine", Measurements.machine()));
  }

  /** Where the clients are: before the target is killed, while it is gone, after it is back. */
  private static JsonArray trial(FailoverCluster cluster, ControlPlaneHost target) {
    cluster.awaitWhole();
    Worker worker = cluster.clients().get(0);
    Set<String> names = new TreeSet<>();
    cluster.lab().controlPlanes().forEach(host -> names.add(host.name()));
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            LongLivedClients.class.getName(),
            String.valueOf(CLIENTS),
            "https://" + Lab.APISERVER_SERVICE_ADDRESS + ":" + Lab.APISERVER_PORT + "/version",
            cluster.lab().pki().caFile().toString(),
            cluster.lab().proxyToken());
    String program = "clients-" + target.process().pid();
    JsonArray rounds = new JsonArray();
    try (Traffic traffic = worker.traffic(FailoverCluster.apiserverService("/readyz"))) {
      traffic.awaitOnly(names, 40, FailoverCluster.SOON);
      try (LabProcess clients = worker.host().start(program, command, Map.of())) {
        rounds.add(round(clients, "before", 1));
        target.kill();
        names.remove(target.name());
        traffic.awaitOnly(names, 40, FailoverCluster.SOON);
        rounds.add(round(clients, "without it", made(clients) + 2));
        target.restart();
        names.add(target.name());
        traffic.awaitOnly(names, 40, FailoverCluster.SOON);
        int returned = made(clients);
        for (int requests : REQUESTS) {
          rounds.add(round(clients, "after " + requests, returned + requests));
        }
      }
    }
    return rounds;
  }

  private static JsonObject round(LabProcess clients, String when, int number) {
    String start = "{\"requests\":" + number + ",";
    clients.awaitLog("round " + number, line -> line.startsWith(start), LONGEST);
    JsonObject round =
        Json.parse(
            clients.logLines().stream().filter(line -> line.startsWith(start)).findFirst().get());
    round.addProperty("when", when);
    return round;
  }

  /** How many requests each client has made. */
  private static int made(LabProcess clients) {
    return (int) clients.logLines().stream().filter(line -> line.startsWith("{")).count();
  }
}
