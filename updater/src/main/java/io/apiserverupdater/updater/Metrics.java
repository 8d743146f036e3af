package io.apiserverupdater.updater;

import io.apiserverupdater.updater.controller.EndpointsReconciler;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.kube.KubeCluster;
import io.apiserverupdater.updater.leaderelection.LeaderElector;
import io.apiserverupdater.updater.readiness.MemberProbing;
import io.apiserverupdater.updater.server.Gauge;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What {@code /metrics} shows. */
final class Metrics {
  private Metrics() {}

  static List<Gauge> of(
      Optional<LeaderElector> elector,
      Optional<MemberProbing> probing,
      EndpointsReconciler reconciler,
      KubeCluster cluster) {
    return List.of(
        Gauge.single(
            "apiserver_updater_leader",
            "Whether this replica may write.",
            () -> elector.map(LeaderElector::isCertain).orElse(true)),
        Gauge.single(
            "apiserver_updater_fail_open",
            "Whether all members are published as ready because none is ready.",
            () -> reconciler.gate().isAny(GateState.Mode.FAIL_OPEN)),
        Gauge.single(
            "apiserver_updater_hold",
            "Whether the published state stays because no member answers this replica.",
            () -> reconciler.gate().isAny(GateState.Mode.HOLD)),
        new Gauge(
            "apiserver_updater_apiserver_distrusted",
            "Whether an apiserver refused what others accept, or could not be read, within 5 min.",
            () ->
                cluster.distrusted().entrySet().stream()
                    .map(
                        server ->
                            new Gauge.Sample(
                                Map.of("address", server.getKey().toString()),
                                server.getValue() ? 1 : 0))
                    .toList()),
        new Gauge(
            "apiserver_updater_member_ready",
            "Whether a member is ready by this replica's probes.",
            () ->
                probing.stream()
                    .flatMap(
                        probes ->
                            probes.members().stream()
                                .map(
                                    member ->
                                        new Gauge.Sample(
                                            Map.of("address", member.toString()),
                                            probes.of(member).isReady() ? 1 : 0)))
                    .toList()));
  }
}
