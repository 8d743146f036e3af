package io.apiserverupdater.updater.metrics;

import io.apiserverupdater.updater.controller.EndpointsReconciler;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.Refusal;
import io.apiserverupdater.updater.kube.KubeCluster;
import io.apiserverupdater.updater.leaderelection.LeaderElector;
import io.apiserverupdater.updater.readiness.MemberProbing;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * What is asked of the parts at each scrape, on the scraper's thread.
 *
 * @param leads whether this replica may write
 * @param refused what is refused now
 * @param ready the address of each member that is probed, and whether it is ready
 * @param drained the address of each member that is drained, and until when
 * @param distrusted the address of each apiserver, and whether its word is doubted
 * @param sourceAge how long ago the source was known to be as it is mirrored
 */
public record UpdaterState(
    BooleanSupplier leads,
    Supplier<GateState> gate,
    Supplier<List<Refusal>> refused,
    Supplier<Map<String, Boolean>> ready,
    Supplier<Map<String, Instant>> drained,
    Supplier<Map<String, Boolean>> distrusted,
    Supplier<Duration> sourceAge) {

  /** That of a controller. */
  public static UpdaterState of(
      Optional<LeaderElector> elector,
      Optional<MemberProbing> probing,
      EndpointsReconciler reconciler,
      KubeCluster cluster) {
    return new UpdaterState(
        () -> elector.map(LeaderElector::isCertain).orElse(true),
        reconciler::gate,
        reconciler::refused,
        () -> probing.map(UpdaterState::ready).orElse(Map.of()),
        () -> drained(reconciler),
        () -> byText(cluster.distrusted()),
        cluster::sourceAge);
  }

  private static Map<String, Boolean> ready(MemberProbing probing) {
    return probing.members().stream()
        .collect(Collectors.toMap(Object::toString, member -> probing.of(member).isReady()));
  }

  private static Map<String, Instant> drained(EndpointsReconciler reconciler) {
    return reconciler.drained().entrySet().stream()
        .collect(Collectors.toMap(it -> it.getKey().toString(), Map.Entry::getValue));
  }

  /** A control plane that is also the configured server is one server in two roles. */
  static Map<String, Boolean> byText(Map<?, Boolean> servers) {
    Map<String, Boolean> byText = new TreeMap<>();
    servers.forEach((server, is) -> byText.merge(server.toString(), is, Boolean::logicalOr));
    return byText;
  }
}
