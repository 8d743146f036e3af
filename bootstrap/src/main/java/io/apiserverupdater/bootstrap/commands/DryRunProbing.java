package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.bootstrap.boot.Probing;
import java.time.Duration;
import java.util.Optional;

/** Real probes, but for the way through a rule that a dry run does not make: it counts as good. */
record DryRunProbing(Probing real) implements Probing {
  @Override
  public long now() {
    return real.now();
  }

  @Override
  public void ask(ApiserverAddress address, Duration deadline) {
    real.ask(address, deadline);
  }

  @Override
  public ProbeResult askNow(ApiserverAddress address, Duration deadline) {
    return new ProbeResult.Ready();
  }

  @Override
  public Optional<Answer> await(long untilNanos) throws InterruptedException {
    return real.await(untilNanos);
  }
}
