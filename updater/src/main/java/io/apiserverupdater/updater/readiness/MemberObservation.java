package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.updater.endpoints.MemberHealth;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What is known of one member, for people: more than a decision needs.
 *
 * @param since when its state last changed, in nanoseconds of the monotonic clock; empty while it
 *     is unknown
 * @param latency how long the last probe took, with connecting where that was needed; empty when it
 *     brought no answer
 * @param certificateEnds when the certificate expires that it showed last; empty when none was seen
 */
public record MemberObservation(
    MemberHealth health,
    Optional<Long> since,
    Optional<Duration> latency,
    Optional<Instant> certificateEnds) {

  static final MemberObservation NONE =
      new MemberObservation(
          MemberHealth.UNKNOWN, Optional.empty(), Optional.empty(), Optional.empty());
}
