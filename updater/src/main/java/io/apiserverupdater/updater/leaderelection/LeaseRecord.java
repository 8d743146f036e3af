package io.apiserverupdater.updater.leaderelection;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The contents of the Lease. Its times are what the holder's clock said: they are shown to people
 * and compared with themselves, never with a local clock.
 *
 * @param holder empty when nobody holds the Lease
 * @param duration how long the holder asks others to wait after its last renewal
 * @param transitions how often the holder has changed
 */
public record LeaseRecord(
    String holder,
    Duration duration,
    Optional<Instant> acquireTime,
    Optional<Instant> renewTime,
    int transitions) {

  /** A Lease without a spec: it exists and nobody holds it. */
  public static final LeaseRecord UNHELD =
      new LeaseRecord("", Duration.ZERO, Optional.empty(), Optional.empty(), 0);

  public boolean isHeldBy(String identity) {
    return holder.equals(identity);
  }

  public boolean isUnheld() {
    return holder.isEmpty();
  }
}
