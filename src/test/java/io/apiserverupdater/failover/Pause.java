package io.apiserverupdater.failover;

import io.apiserverupdater.lab.LabException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Lets time pass while others act. */
final class Pause {
  private Pause() {}

  static void of(Duration length) {
    try {
      boolean unusedDone = new CountDownLatch(1).await(length.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while time was to pass", e);
    }
  }
}
