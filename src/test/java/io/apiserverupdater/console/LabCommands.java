package io.apiserverupdater.console;

import io.apiserverupdater.failover.FailoverCluster;
import io.apiserverupdater.failover.Fault;
import io.apiserverupdater.failover.Observation;
import io.apiserverupdater.failover.Updater;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.Worker;
import io.apiserverupdater.manifests.AlertRules;
import io.apiserverupdater.manifests.Dashboard;
import io.apiserverupdater.manifests.Prometheus;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The commands of {@code ./lab} on a running lab. Thread-safe: one acts at a time. */
final class LabCommands {
  private static final int OK = 0;
  private static final int FAILED = 1;
  private static final int WRONG = 2;

  /** So many times shorter is what an alert waits for. */
  private static final int HASTE = 15;

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

  private final FailoverCluster cluster;
  private final Map<String, Fault.Remedy> faults = new LinkedHashMap<>();
  private Optional<Prometheus> running = Optional.empty();
  private volatile long lastFault = System.nanoTime();
  private volatile String lastFaultName = "";

  LabCommands(FailoverCluster cluster) {
    this.cluster = cluster;
  }

  /** Carries a command out and says what it has done; returns the exit code. */
  int run(List<String> words, PrintWriter out) {
    try {
      return switch (words.get(0)) {
        case "fault" -> fault(words, out);
        case "heal" -> heal(out);
        case "measure" -> measure(words, out);
        case "status" -> status(out);
        case "prometheus" -> prometheus(out);
        case "alerts" -> alerts(out);
        case "dashboard" -> dashboard(words, out);
        case "kubeconfig" -> kubeconfig(out);
        case "down" -> OK;
        default -> {
          out.println("unknown command " + words.get(0));
          yield WRONG;
        }
      };
    } catch (LabException e) {
      out.println("failed: " + e.getMessage());
      return FAILED;
    }
  }

  private synchronized int fault(List<String> words, PrintWriter out) {
    Fault fault = words.size() > 1 ? Fault.of(words.get(1)).orElse(null) : null;
    if (fault == null) {
      out.println("expected the name of a fault; ./lab fault --list tells them");
      return WRONG;
    }
    List<ControlPlaneHost> all = cluster.lab().controlPlanes();
    String wanted = words.size() > 2 ? words.get(2) : all.get(all.size() - 1).name();
    ControlPlaneHost proposed =
        all.stream().filter(host -> host.name().equals(wanted)).findFirst().orElse(null);
    if (proposed == null) {
      out.println(
          "there is no control plane "
              + wanted
              + ", only "
              + all.stream().map(ControlPlaneHost::name).toList());
      return WRONG;
    }
    ControlPlaneHost target = fault.choose(cluster, proposed);
    String name = fault.label() + " " + target.name();
    if (faults.containsKey(name)) {
      out.println(name + " is there already; ./lab heal takes it back");
      return FAILED;
    }
    fault.prepare(cluster, target);
    lastFault = System.nanoTime();
    lastFaultName = name;
    faults.put(name, fault.inject(cluster, target));
    out.println(name + ": " + fault.description());
    return OK;
  }

  private synchronized int heal(PrintWriter out) {
    List<String> names = new ArrayList<>(faults.keySet());
    Collections.reverse(names);
    for (String name : names) {
      Fault.Remedy remedy = faults.remove(name);
      if (remedy != null) {
        remedy.heal();
      }
      out.println("healed " + name);
    }
    cluster.awaitWhole();
    out.println("all control planes are ready and published");
    return OK;
  }

  /** Not one at a time: faults are to come while it runs. */
  private int measure(List<String> words, PrintWriter out) {
    int seconds = words.size() > 1 ? Integer.parseInt(words.get(1)) : 20;
    long before = lastFault;
    try (Observation observation = Observation.start(cluster, "/version")) {
      for (Observation.Stream stream : observation.streams()) {
        stream.traffic().await("a first answer", all -> !all.isEmpty(), Duration.ofSeconds(20));
      }
      long begin = System.nanoTime();
      out.println(
          "a new connection every 25 ms from each worker through each Service, for "
              + seconds
              + " s; now is the time for ./lab fault NAME");
      boolean unusedDone = new CountDownLatch(1).await(seconds, TimeUnit.SECONDS);
      boolean hit = lastFault != before;
      long since = hit ? lastFault : begin;
      out.println(hit ? "since " + lastFaultName + ":" : "no fault came meanwhile:");
      for (Observation.Stream stream : observation.streams()) {
        List<Traffic.Sample> samples = stream.traffic().samplesSince(since);
        long failed = samples.stream().filter(sample -> !sample.ok()).count();
        out.printf(
            Locale.ROOT,
            "  %-10s from %s (%s): %d of %d requests failed, the last one at %.2f s; by %s%n",
            stream.service().label(),
            stream.client().host().name(),
            stream.client().kind(),
            failed,
            samples.size(),
            stream.traffic().outageSince(since).toMillis() / 1e3,
            stream.traffic().serversSince(since));
      }
      return OK;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return FAILED;
    }
  }

  private synchronized int status(PrintWriter out) {
    Set<String> ready =
        cluster.lab().controlPlanes().stream().anyMatch(ControlPlaneHost::reachable)
            ? cluster.readyAddresses()
            : Set.of();
    for (ControlPlaneHost host : cluster.lab().controlPlanes()) {
      out.printf(
          Locale.ROOT,
          "%-10s %-13s apiserver %s, %s%n",
          host.name(),
          host.address(),
          !host.process().alive() ? "dead" : host.reachable() ? "runs" : "runs, hit by a fault",
          ready.contains(host.address()) ? "in rotation" : "not in rotation");
    }
    for (Worker worker : cluster.lab().workers()) {
      out.printf(
          Locale.ROOT,
          "%-10s %-13s kube-proxy (%s) connected to %s%n",
          worker.name(),
          worker.host().address(),
          worker.mode().name().toLowerCase(Locale.ROOT),
          names(worker.proxyPeers()));
    }
    String holder = cluster.holder();
    for (Updater updater : cluster.updaters()) {
      out.printf(
          Locale.ROOT,
          "%-34s on %s %s%n",
          updater.name(),
          updater.worker().name(),
          !updater.pod().alive()
              ? "dead"
              : holder.startsWith(updater.name() + "_") ? "leads" : "stands by");
    }
    out.println(faults.isEmpty() ? "no faults" : "faults: " + String.join(", ", faults.keySet()));
    out.println("logs: " + cluster.lab().logs());
    return OK;
  }

  private Set<String> names(Set<String> addresses) {
    return cluster.lab().controlPlanes().stream()
        .filter(host -> addresses.contains(host.address()))
        .map(ControlPlaneHost::name)
        .collect(Collectors.toSet());
  }

  private synchronized int prometheus(PrintWriter out) {
    if (running.isPresent()) {
      out.println("Prometheus runs already");
      return FAILED;
    }
    Lab lab = cluster.lab();
    running =
        Optional.of(
            Prometheus.start(
                lab.projectRoot(),
                lab.work(),
                lab.logs().resolve("prometheus.log"),
                AlertRules.shipped(lab.projectRoot()).hastened(HASTE),
                cluster.updaters().stream()
                    .collect(Collectors.toMap(Updater::name, Updater::statusAddress))));
    out.println(
        "Prometheus scrapes both updaters. Where a rule says \"for: 15m\", it waits "
            + 15 * 60 / HASTE
            + " s here");
    return OK;
  }

  private static int noPrometheus(PrintWriter out) {
    out.println("no Prometheus runs; start it with ./lab prometheus");
    return WRONG;
  }

  private synchronized int alerts(PrintWriter out) {
    if (running.isEmpty()) {
      return noPrometheus(out);
    }
    String format = "%-8s  %-8s  %-8s  %s%n";
    out.printf(Locale.ROOT, format, "FIRED", "RESOLVED", "SEVERITY", "ALERT");
    for (Prometheus.Firing firing : running.get().history()) {
      Map<String, String> labels = new TreeMap<>(firing.labels());
      labels.keySet().removeAll(List.of("alertname", "severity"));
      out.printf(
          Locale.ROOT,
          format,
          TIME.format(firing.from()),
          firing.until().map(TIME::format).orElse("-"),
          firing.labels().getOrDefault("severity", ""),
          firing.labels().get("alertname") + (labels.isEmpty() ? "" : " " + labels));
    }
    return OK;
  }

  /** All panels, from the start of Prometheus until now. */
  private synchronized int dashboard(List<String> words, PrintWriter out) {
    if (running.isEmpty()) {
      return noPrometheus(out);
    }
    if (words.size() != 2) {
      out.println("expected the name of a file");
      return WRONG;
    }
    Prometheus prometheus = running.get();
    Dashboard dashboard = Dashboard.shipped(cluster.lab().projectRoot(), Prometheus.INTERVAL);
    Instant now = Instant.now();
    List<DashboardPicture.FilledPanel> panels =
        dashboard.panels().stream()
            .map(panel -> DashboardPicture.FilledPanel.of(panel, it -> prometheus.series(it, now)))
            .toList();
    String svg = DashboardPicture.svg(dashboard.title(), panels, prometheus.started(), now);
    Path file = Path.of(words.get(1));
    LabException.wrap("cannot write " + file, () -> Files.writeString(file, svg));
    out.println("the dashboard is in " + file);
    return OK;
  }

  private int kubeconfig(PrintWriter out) {
    Lab lab = cluster.lab();
    out.println(
        lab.kubeconfig(
            "person",
            "https://" + lab.controlPlane(1).address() + ":" + Lab.APISERVER_PORT,
            lab.adminToken()));
    return OK;
  }
}
