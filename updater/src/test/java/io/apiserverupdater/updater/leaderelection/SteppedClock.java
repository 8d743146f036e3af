package io.apiserverupdater.updater.leaderelection;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.function.LongSupplier;

/** A wall clock that goes with the stepped monotonic one, and is as wrong as it is told to be. */
final class SteppedClock extends Clock {
  private final LongSupplier monotonic;
  private final Duration error;

  SteppedClock(LongSupplier monotonic, Duration error) {
    this.monotonic = monotonic;
    this.error = error;
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    return this;
  }

  @Override
  public Instant instant() {
    return Instant.EPOCH.plusNanos(monotonic.getAsLong()).plus(error);
  }
}
