package io.apiserverupdater.updater.metrics;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.updater.readiness.MemberProbe;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** What the probes of each member have shown. Thread-safe. */
final class ProbeMetrics {
  private final LongSupplier monotonic;
  private final Histogram durations;
  private final Counter failures;
  private final Gauge certificateEnds;

  ProbeMetrics(PrometheusRegistry registry, LongSupplier monotonic) {
    this.monotonic = monotonic;
    this.durations =
        Histogram.builder()
            .name("apiserver_updater_probe_duration_seconds")
            .help("How long a probe of a member took, with its TLS handshake if there was one.")
            .labelNames("address")
            .classicOnly()
            .classicUpperBounds(0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.35, 1)
            .withoutExemplars()
            .register(registry);
    this.failures =
        Counter.builder()
            .name("apiserver_updater_probe_failures_total")
            .help("Failed probes of a member, by evidence.")
            .labelNames("address", "evidence")
            .withoutExemplars()
            .register(registry);
    this.certificateEnds =
        Gauge.builder()
            .name("apiserver_updater_member_certificate_expiration_timestamp_seconds")
            .help("When the certificate that a member last showed expires, in Unix time.")
            .labelNames("address")
            .withoutExemplars()
            .register(registry);
  }

  /** The probe, with its series: they end with it. */
  MemberProbe measured(ApiserverAddress address, MemberProbe probe) {
    return new MeasuredProbe(address.toString(), probe);
  }

  private void take(String address, ProbeResult result, long nanos) {
    if (result instanceof ProbeResult.Unreachable silence && silence.heldUp()) {
      // It tells of this process, not of the member.
      return;
    }
    durations.labelValues(address).observe((double) nanos / TimeUnit.SECONDS.toNanos(1));
    if (!(result instanceof ProbeResult.Ready)) {
      failures.labelValues(address, evidence(result)).inc();
    }
  }

  private static String evidence(ProbeResult result) {
    return result instanceof ProbeResult.Unreachable unreachable
        ? unreachable.reason().name().toLowerCase(Locale.ROOT)
        : "not_ready";
  }

  private void forget(String address) {
    durations.remove(address);
    certificateEnds.remove(address);
    failures.removeIf(labels -> labels.get(0).equals(address));
  }

  private final class MeasuredProbe implements MemberProbe {
    private final String address;
    private final MemberProbe probe;

    MeasuredProbe(String address, MemberProbe probe) {
      this.address = address;
      this.probe = probe;
    }

    @Override
    public ProbeResult ask(Duration timeout) {
      long begun = monotonic.getAsLong();
      ProbeResult result = probe.ask(timeout);
      take(address, result, monotonic.getAsLong() - begun);
      certificateEnd()
          .ifPresent(
              end -> certificateEnds.labelValues(address).set((double) end.getEpochSecond()));
      return result;
    }

    @Override
    public void awaitNext(Duration longest) throws InterruptedException {
      probe.awaitNext(longest);
    }

    @Override
    public Optional<Instant> certificateEnd() {
      return probe.certificateEnd();
    }

    /** The asking thread does this last, so no result comes after. */
    @Override
    public void close() {
      probe.close();
      forget(address);
    }
  }
}
