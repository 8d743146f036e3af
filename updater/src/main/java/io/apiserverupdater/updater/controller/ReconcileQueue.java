package io.apiserverupdater.updater.controller;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A queue with room for one key. However often it is added while the worker is busy, the worker
 * finds it once; added while the worker works, it is found again.
 */
final class ReconcileQueue {
  private final LongSupplier monotonic;

  // Guarded by this.
  private boolean added;
  private boolean closed;
  private long retryAt = Long.MAX_VALUE;
  private boolean retryPending;

  ReconcileQueue(LongSupplier monotonic) {
    this.monotonic = monotonic;
  }

  synchronized void add() {
    added = true;
    notifyAll();
  }

  /** Adds the key at the given moment of the monotonic clock, unless it is planned for sooner. */
  synchronized void addBy(long moment) {
    if (!retryPending || retryAt - moment > 0) {
      retryAt = moment;
      retryPending = true;
      notifyAll();
    }
  }

  /**
   * Waits for the key, but not before the given moment of the monotonic clock.
   *
   * @return false when the queue is closed
   */
  synchronized boolean take(long notBefore) throws InterruptedException {
    while (!closed) {
      long now = monotonic.getAsLong();
      boolean due = added || (retryPending && retryAt - now <= 0);
      long hold = notBefore - now;
      if (due && hold <= 0) {
        added = false;
        retryPending = false;
        return true;
      }
      // While nothing is due, it looks up now and then, so that no lost signal lasts.
      long wait = due ? hold : retryPending ? retryAt - now : TimeUnit.MINUTES.toNanos(1);
      TimeUnit.NANOSECONDS.timedWait(this, wait);
    }
    return false;
  }

  synchronized void close() {
    closed = true;
    notifyAll();
  }
}
