package io.apiserverupdater.updater.metrics;

import io.apiserverupdater.updater.kube.access.ServerAddress;
import io.apiserverupdater.updater.kube.api.ApiObserver;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;

/** What the updater's own calls to the apiservers have come to. Thread-safe. */
final class ApiMetrics implements ApiObserver {
  private final Counter calls;
  private final Histogram durations;
  private final Counter watchRestarts;

  ApiMetrics(PrometheusRegistry registry) {
    this.calls =
        Counter.builder()
            .name("apiserver_updater_api_calls_total")
            .help("Calls to an apiserver, by how it answered.")
            .labelNames("address", "result")
            .withoutExemplars()
            .register(registry);
    this.durations =
        Histogram.builder()
            .name("apiserver_updater_api_call_duration_seconds")
            .help("How long a call to an apiserver took; for a watch, until it was open.")
            .labelNames("address")
            .classicOnly()
            .classicUpperBounds(0.005, 0.01, 0.025, 0.1, 0.5, 2)
            .withoutExemplars()
            .register(registry);
    this.watchRestarts =
        Counter.builder()
            .name("apiserver_updater_watch_restarts_total")
            .help("Restarts of watches, by how the watch ended.")
            .labelNames("resource", "end")
            .withoutExemplars()
            .register(registry);
  }

  @Override
  public void called(ServerAddress server, Result result, Duration took) {
    String address = server.toString();
    calls.labelValues(address, result.name().toLowerCase(Locale.ROOT)).inc();
    durations.labelValues(address).observe(ProcessMetrics.seconds(took));
  }

  @Override
  public void watchEnded(String resource, WatchEnd end) {
    watchRestarts.labelValues(resource, end.name().toLowerCase(Locale.ROOT)).inc();
  }

  /** Ends the series of all servers but these. */
  void retain(Set<String> addresses) {
    calls.removeIf(labels -> !addresses.contains(labels.get(0)));
    durations.removeIf(labels -> !addresses.contains(labels.get(0)));
  }
}
