package io.apiserverupdater.updater.metrics;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.updater.controller.EndpointsClient;
import io.apiserverupdater.updater.controller.SyncObserver;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.Refusal;
import io.apiserverupdater.updater.events.Event;
import io.apiserverupdater.updater.kube.api.ApiObserver;
import io.apiserverupdater.updater.readiness.MemberProbe;
import io.apiserverupdater.updater.server.MetricsPage;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.LongSupplier;

/**
 * All metrics of the updater. What happens is counted from the start; what is, is asked for at each
 * scrape from {@link #show} on. Thread-safe.
 */
public final class UpdaterMetrics {
  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final ExpositionFormatWriter text = PrometheusTextFormatWriter.create();
  private final ExpositionFormatWriter openMetrics = OpenMetricsTextFormatWriter.create();
  private final Clock clock;
  private final ProbeMetrics probes;
  private final ApiMetrics api;
  private final SyncMetrics syncs;

  /**
   * @param version of the updater
   * @param monotonic in nanoseconds
   * @param clock for timestamps
   */
  public UpdaterMetrics(String version, LongSupplier monotonic, Clock clock) {
    this.clock = clock;
    this.probes = new ProbeMetrics(registry, monotonic);
    this.api = new ApiMetrics(registry);
    this.syncs = new SyncMetrics(registry);
    ProcessMetrics.register(registry);
    Info.builder()
        .name("apiserver_updater_build_info")
        .help("Always 1; the version is in the label.")
        .labelNames("version")
        .register(registry)
        .setLabelValues(version);
  }

  /** The probe of a member, with what it shows counted until it is closed. */
  public MemberProbe measured(ApiserverAddress address, MemberProbe probe) {
    return probes.measured(address, probe);
  }

  /** The client, with its writes counted. */
  public EndpointsClient measured(EndpointsClient client) {
    return syncs.measured(client);
  }

  public ApiObserver calls() {
    return api;
  }

  public SyncObserver syncs() {
    return syncs;
  }

  /** Counts what has happened. */
  public void record(Event event) {
    syncs.record(event);
  }

  /**
   * Adds what there is to ask the parts for; once.
   *
   * @return all metrics, with their series of members and apiservers that have left ended
   */
  public MetricsPage show(UpdaterState state) {
    GaugeWithCallback.builder()
        .name("apiserver_updater_leader")
        .help("Whether this replica may write.")
        .callback(sample -> sample.call(number(state.leads().getAsBoolean())))
        .register(registry);
    GaugeWithCallback.builder()
        .name("apiserver_updater_fail_open")
        .help("Whether all members are published as ready because none is ready.")
        .callback(sample -> sample.call(number(state.gate().get().isAny(GateState.Mode.FAIL_OPEN))))
        .register(registry);
    GaugeWithCallback.builder()
        .name("apiserver_updater_hold")
        .help("Whether the published state stays because no member answers this replica.")
        .callback(sample -> sample.call(number(state.gate().get().isAny(GateState.Mode.HOLD))))
        .register(registry);
    GaugeWithCallback.builder()
        .name("apiserver_updater_refused")
        .help("1 for each reason for which the leader does not write something now.")
        .labelNames("reason")
        .callback(
            sample ->
                state.refused().get().stream()
                    .map(Refusal::reason)
                    .distinct()
                    .forEach(reason -> sample.call(1, reason)))
        .register(registry);
    GaugeWithCallback.builder()
        .name("apiserver_updater_member_ready")
        .help("Whether a member is ready by this replica's probes.")
        .labelNames("address")
        .callback(sample -> each(state.ready().get(), sample))
        .register(registry);
    GaugeWithCallback.builder()
        .name("apiserver_updater_member_drained_until_timestamp_seconds")
        .help("Until when a member is drained, in Unix time; only members that are have a series.")
        .labelNames("address")
        .callback(
            sample ->
                state
                    .drained()
                    .get()
                    .forEach(
                        (address, until) -> sample.call((double) until.getEpochSecond(), address)))
        .register(registry);
    GaugeWithCallback.builder()
        .name("apiserver_updater_apiserver_distrusted")
        .help(
            "Whether an apiserver refused what others accept, or could not be read, within 5 min.")
        .labelNames("address")
        .callback(sample -> each(state.distrusted().get(), sample))
        .register(registry);
    GaugeWithCallback.builder()
        .name("apiserver_updater_source_confirmed_timestamp_seconds")
        .help("When the mirrored source was last confirmed to be current, in Unix time.")
        .callback(
            sample ->
                sample.call(clock.instant().minus(state.sourceAge().get()).toEpochMilli() / 1000.0))
        .register(registry);
    return accept -> {
      api.retain(new TreeSet<>(state.distrusted().get().keySet()));
      return expose(accept);
    };
  }

  private static void each(Map<String, Boolean> values, GaugeWithCallback.Callback sample) {
    values.forEach((address, is) -> sample.call(number(is), address));
  }

  private static int number(boolean is) {
    return is ? 1 : 0;
  }

  private MetricsPage.Text expose(String accept) {
    ExpositionFormatWriter writer = openMetrics.accepts(accept) ? openMetrics : text;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(32 << 10);
    try {
      writer.write(bytes, registry.scrape());
    } catch (IOException e) {
      // Not in memory.
      throw new UncheckedIOException(e);
    }
    return new MetricsPage.Text(writer.getContentType(), bytes.toString(StandardCharsets.UTF_8));
  }
}
