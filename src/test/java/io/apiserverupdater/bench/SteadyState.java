package io.apiserverupdater.bench;

import io.apiserverupdater.lab.Lab;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** What two replicas cost when nothing happens. */
final class SteadyState {
  private final Lab lab;
  private final Duration idle;
  private final Map<String, Integer> requestsPerMinute = new TreeMap<>();

  SteadyState(Lab lab, Duration idle) {
    this.lab = lab;
    this.idle = idle;
  }

  List<Figure> measure(List<Replica> replicas) throws InterruptedException {
    List<Figure> figures = new ArrayList<>();
    // What the burst left behind settles first.
    TimeUnit.SECONDS.sleep(5);
    // Steady is what has been running for a while: compiling what runs once a second takes minutes.
    TimeUnit.SECONDS.sleep(idle.toSeconds() * 2 / 3);
    Instant since = Instant.now();
    long start = System.nanoTime();
    List<Double> before = replicas.stream().map(Replica::cpuSeconds).toList();
    List<Double> probingBefore = replicas.stream().map(Replica::probingCpuSeconds).toList();
    TimeUnit.SECONDS.sleep(idle.toSeconds() / 3);
    double seconds = (System.nanoTime() - start) / 1e9;
    String holder = new Lease(lab).holder();
    for (int i = 0; i < replicas.size(); i++) {
      Replica replica = replicas.get(i);
      boolean leads = replica.isHolder(holder);
      String role = leads ? "leader" : "standby";
      double cpu = (replica.cpuSeconds() - before.get(i)) / seconds * 1000;
      figures.add(new Figure("steady state, CPU of the " + role, cpu, "millicores", leads ? 6 : 4));
      double probing = (replica.probingCpuSeconds() - probingBefore.get(i)) / seconds * 1000;
      figures.add(
          Figure.stated(
              "of that its probes of " + lab.controlPlanes().size() + " members",
              probing,
              "millicores"));
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
    Sample first = new MirrorLatency(lab).mirror(1, 0);
    figures.add(
        new Figure(
            "mirror latency, first change after " + idle.toSeconds() + " idle s",
            first.max(),
            "ms",
            25));
    return figures;
  }

  /** The requests of each role, counted by the audit logs. */
  Map<String, Integer> requestsPerMinute() {
    return requestsPerMinute;
  }
}
