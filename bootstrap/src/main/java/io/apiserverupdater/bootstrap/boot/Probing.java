package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import java.time.Duration;
import java.util.Optional;

/** Probes that run beside each other, and the clock that goes with them. For one thread. */
public interface Probing {

  /** An answer that is not there this long after the probe's deadline does not come. */
  Duration GRACE = Duration.ofSeconds(1);

  /** An answer to a probe. */
  record Answer(ApiserverAddress address, ProbeResult result) {}

  /** The monotonic clock, in nanoseconds. */
  long now();

  /** Starts a probe. */
  void ask(ApiserverAddress address, Duration deadline);

  /** Probes and waits for the answer, beside the others: those are not answered meanwhile. */
  ProbeResult askNow(ApiserverAddress address, Duration deadline);

  /** The next answer; empty when none has come until a moment of the clock. */
  Optional<Answer> await(long untilNanos) throws InterruptedException;
}
