package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.state.Evidence;
import java.time.Duration;
import java.util.Optional;

/** What a race or a watch wants next. */
sealed interface RaceStep {

  /** Start a probe, and ask for the next step at once. */
  record Ask(ApiserverAddress address, Duration deadline) implements RaceStep {}

  /** Nothing until a probe is answered, or until this moment of the monotonic clock. */
  record Wait(long untilNanos) implements RaceStep {}

  /**
   * It is the one to use.
   *
   * @param evidence that it is ready, or at least alive
   */
  record Ready(ApiserverAddress address, Evidence evidence) implements RaceStep {
    Ready(ApiserverAddress address) {
      this(address, Evidence.READY);
    }
  }

  /**
   * The time is over.
   *
   * @param verified one that is not ready, and whose last answer proved that it is an apiserver
   */
  record Over(Optional<ApiserverAddress> verified) implements RaceStep {}
}
