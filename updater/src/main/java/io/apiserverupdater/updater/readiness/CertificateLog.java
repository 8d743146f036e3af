package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.events.EventReason;
import io.apiserverupdater.updater.events.EventRecorder;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells once a day which member's certificate expires soon. Thread-safe. */
final class CertificateLog {
  private static final Logger log = LoggerFactory.getLogger(CertificateLog.class);
  private static final long AGAIN_NANOS = Duration.ofDays(1).toNanos();

  private record Certificate(Member member, Instant end) {}

  private final EventRecorder events;
  private final Clock clock;
  private final LongSupplier monotonic;

  /** When each was told, in nanoseconds of the monotonic clock. Guarded by this. */
  private final Map<Certificate, Long> told = new HashMap<>();

  CertificateLog(EventRecorder events, Clock clock, LongSupplier monotonic) {
    this.events = events;
    this.clock = clock;
    this.monotonic = monotonic;
  }

  /**
   * Takes what a member shows.
   *
   * @param end until when its certificate is valid
   */
  synchronized void observe(Member member, Instant end) {
    Duration left = Duration.between(clock.instant(), end);
    if (!Member.certificateExpiresSoon(left)) {
      return;
    }
    long now = monotonic.getAsLong();
    told.values().removeIf(at -> now - at >= AGAIN_NANOS);
    if (told.putIfAbsent(new Certificate(member, end), now) == null) {
      log.warn("certificate=expiring address={} until={}", member, end);
      events.record(
          EventReason.CERTIFICATE_EXPIRING,
          member.toString(),
          "the certificate of %s %s at %s"
              .formatted(member, left.isNegative() ? "expired" : "expires", end));
    }
  }
}
