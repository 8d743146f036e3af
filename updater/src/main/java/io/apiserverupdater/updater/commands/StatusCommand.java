package io.apiserverupdater.updater.commands;

import io.apiserverupdater.updater.configuration.StatusConfig;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.kube.ClusterReading;
import io.apiserverupdater.updater.kube.KubeCluster;
import io.apiserverupdater.updater.kube.ReplicaPods;
import io.apiserverupdater.updater.leaderelection.LeaseLock;
import io.apiserverupdater.updater.leaderelection.ObservedLease;
import io.apiserverupdater.updater.status.ClusterStatus;
import io.apiserverupdater.updater.status.JsonStatus;
import io.apiserverupdater.updater.status.StatusReport;
import io.apiserverupdater.updater.status.TextStatus;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** {@code status}: asks the API server and the replicas, and prints. */
public final class StatusCommand {
  private static final int WELL = 0;
  private static final int LOOK = 1;
  private static final int ERROR = 2;

  private static final Duration LEASE_TIMEOUT = Duration.ofSeconds(5);

  private final KubeCluster cluster;
  private final StatusConfig config;
  private final List<String> gaps = new ArrayList<>();

  private StatusCommand(KubeCluster cluster, StatusConfig config) {
    this.cluster = cluster;
    this.config = config;
  }

  /**
   * Prints the status.
   *
   * @return the exit code
   */
  public static int run(StatusConfig config, KubeCluster cluster, Clock clock) {
    ExecutorService threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "status");
              thread.setDaemon(true);
              return thread;
            });
    try (cluster) {
      return new StatusCommand(cluster, config).run(threads, clock);
    } finally {
      threads.shutdownNow();
    }
  }

  private int run(ExecutorService threads, Clock clock) {
    // The first call is alone: all others, at the same time, use the connection that it opens.
    ReplicaPods.Listing listing = cluster.replicaPods().list(config.target().target().namespace());
    CompletableFuture<ClusterReading> reading =
        CompletableFuture.supplyAsync(() -> cluster.readOnce(Optional.empty()), threads);
    CompletableFuture<LeaseLock.Outcome> lease =
        CompletableFuture.supplyAsync(() -> lease().read(LEASE_TIMEOUT), threads);
    List<CompletableFuture<ClusterStatus.Pod>> pods =
        pods(listing).stream()
            .map(pod -> CompletableFuture.supplyAsync(() -> ask(pod), threads))
            .toList();
    Optional<ObservedState> state = state(reading.join());
    boolean leaseRead = isRead(lease.join());
    if (state.isEmpty() && !leaseRead && listing instanceof ReplicaPods.Listing.Failed) {
      gaps.stream().distinct().forEach(gap -> System.err.println("error: " + gap));
      return ERROR;
    }
    StatusReport report =
        new ClusterStatus(
                new MirrorRule(config.target().source(), config.target().target(), false),
                state,
                leaseRead ? Optional.of(holder(lease().sight())) : Optional.empty(),
                pods.stream().map(CompletableFuture::join).toList(),
                gaps)
            .report(clock.instant());
    System.out.print(
        switch (config.output()) {
          case TEXT -> TextStatus.text(report);
          case JSON -> JsonStatus.text(report);
        });
    return report.isWell() ? WELL : LOOK;
  }

  private LeaseLock lease() {
    return cluster.lease().orElseThrow();
  }

  private List<ReplicaPods.Pod> pods(ReplicaPods.Listing listing) {
    if (listing instanceof ReplicaPods.Listing.Failed failed) {
      gaps.add("the replicas' pods cannot be listed: " + failed.why());
      return List.of();
    }
    List<ReplicaPods.Pod> pods = ((ReplicaPods.Listing.Listed) listing).pods();
    if (pods.isEmpty()) {
      gaps.add(
          "no replica was asked: there is no pod with the label %s in the namespace %s"
              .formatted(ReplicaPods.SELECTOR, config.target().target().namespace()));
    }
    return pods;
  }

  private ClusterStatus.Pod ask(ReplicaPods.Pod pod) {
    return new ClusterStatus.Pod(
        pod.name(),
        pod.node(),
        pod.waiting()
            .<ClusterStatus.Answer>map(ClusterStatus.Answer.Silent::new)
            .orElseGet(() -> answer(cluster.replicaPods().get(pod, JsonStatus.PATH))));
  }

  private static ClusterStatus.Answer answer(ReplicaPods.Page page) {
    if (page instanceof ReplicaPods.Page.Missing missing) {
      return new ClusterStatus.Answer.Silent(missing.why());
    }
    try {
      return new ClusterStatus.Answer.Heard(
          JsonStatus.read(((ReplicaPods.Page.Served) page).text()));
    } catch (JsonStatus.MalformedException e) {
      return new ClusterStatus.Answer.Silent(String.valueOf(e.getMessage()));
    }
  }

  private Optional<ObservedState> state(ClusterReading reading) {
    if (reading instanceof ClusterReading.Unreadable unreadable) {
      gaps.add("source and target cannot be compared: " + unreadable.why());
      return Optional.empty();
    }
    return Optional.of(((ClusterReading.Read) reading).state());
  }

  private boolean isRead(LeaseLock.Outcome outcome) {
    if (outcome instanceof LeaseLock.Outcome.Done) {
      return true;
    }
    gaps.add(
        "the Lease cannot be read: "
            + (outcome instanceof LeaseLock.Outcome.Rejected rejected
                ? rejected.reason()
                : outcome instanceof LeaseLock.Outcome.Failed failed ? failed.reason() : ""));
    return false;
  }

  private static StatusReport.LeaseHolder holder(LeaseLock.Sight sight) {
    return sight
        .observed()
        .map(ObservedLease::leaseRecord)
        .filter(lease -> !lease.isUnheld())
        .map(
            lease ->
                new StatusReport.LeaseHolder(
                    lease.holder(), lease.acquireTime(), lease.renewTime(), lease.duration()))
        .orElse(StatusReport.LeaseHolder.NOBODY);
  }
}
