package io.apiserverupdater.updater.metrics;

import io.apiserverupdater.updater.controller.EndpointsClient;
import io.apiserverupdater.updater.controller.SyncObserver;
import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.events.Event;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What the reconciler and the election have done. Thread-safe. */
final class SyncMetrics implements SyncObserver {
  private static final String SLICE = "EndpointSlice";
  private static final String ENDPOINTS = "Endpoints";

  private final Counter syncs;
  private final Counter writes;
  private final Histogram evidenceToWrite;
  private final Counter refusals;
  private final Counter transitions;

  SyncMetrics(PrometheusRegistry registry) {
    this.syncs =
        Counter.builder()
            .name("apiserver_updater_syncs_total")
            .help("Comparisons of the target with the source, by result.")
            .labelNames("result")
            .withoutExemplars()
            .register(registry);
    this.writes =
        Counter.builder()
            .name("apiserver_updater_writes_total")
            .help("Writes to the target, by kind of object and result.")
            .labelNames("object", "result")
            .withoutExemplars()
            .register(registry);
    this.evidenceToWrite =
        Histogram.builder()
            .name("apiserver_updater_evidence_to_write_seconds")
            .help("From the probe that changed a member's state to the answer to the write.")
            .classicOnly()
            .classicUpperBounds(0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2, 10)
            .withoutExemplars()
            .register(registry);
    this.refusals =
        Counter.builder()
            .name("apiserver_updater_refusals_total")
            .help("Refusals that began, by reason.")
            .labelNames("reason")
            .withoutExemplars()
            .register(registry);
    this.transitions =
        Counter.builder()
            .name("apiserver_updater_leadership_transitions_total")
            .help("How often this replica became the leader, or lost the certainty of being it.")
            .labelNames("to")
            .withoutExemplars()
            .register(registry);
    // What has not happened yet is zero, not absent: a rate needs a beginning.
    for (Result result : Result.values()) {
      syncs.initLabelValues(word(result));
    }
    for (String object : List.of(SLICE, ENDPOINTS)) {
      for (String result : List.of("written", "conflict", "failed", "rejected")) {
        writes.initLabelValues(object, result);
      }
    }
    transitions.initLabelValues("leader");
    transitions.initLabelValues("standby");
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public void synced(Result result) {
    syncs.labelValues(word(result)).inc();
  }

  @Override
  public void published(Duration sinceEvidence) {
    evidenceToWrite.observe(ProcessMetrics.seconds(sinceEvidence));
  }

  void record(Event event) {
    switch (event.reason()) {
      case LEADER_ELECTED -> transitions.labelValues("leader").inc();
      case LEADER_LOST -> transitions.labelValues("standby").inc();
      case REFUSED -> refusals.labelValues(event.about()).inc();
      default -> {}
    }
  }

  /** The client, with its writes counted. */
  EndpointsClient measured(EndpointsClient client) {
    return new EndpointsClient() {
      @Override
      public Optional<ObservedState> observed() {
        return client.observed();
      }

      @Override
      public WriteResult apply(Change change, Duration timeout) {
        WriteResult result = client.apply(change, timeout);
        writes.labelValues(change.isOfSlice() ? SLICE : ENDPOINTS, word(result)).inc();
        return result;
      }

      @Override
      public void reread() {
        client.reread();
      }

      @Override
      public void onChange(Runnable listener) {
        client.onChange(listener);
      }
    };
  }

  private static String word(EndpointsClient.WriteResult result) {
    if (result instanceof EndpointsClient.WriteResult.Written) {
      return "written";
    }
    if (result instanceof EndpointsClient.WriteResult.Conflict) {
      return "conflict";
    }
    return result instanceof EndpointsClient.WriteResult.Rejected ? "rejected" : "failed";
  }
}
