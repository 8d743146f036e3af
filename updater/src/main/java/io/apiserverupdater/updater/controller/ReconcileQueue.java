package io.apiserverupdater.updater.controller;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * A queue with room for one key. However often it is added while the worker is busy, the worker
 * finds it once; added while the worker works, it is found again.
 */
final class ReconcileQueue {
  private final LongSupplier monotonic;
  private final ReentrantLock guard = new ReentrantLock();
  private final Condition changed = guard.newCondition();

  // Guarded by guard.
  private boolean added;
  private boolean closed;
  private long retryAt = Long.MAX_VALUE;
  private boolean retryPending;

  ReconcileQueue(LongSupplier monotonic) {
    this.monotonic = monotonic;
  }

  void add() {
    guard.lock();
    try {
      added = true;
      changed.signalAll();
    } finally {
      guard.unlock();
    }
  }

  /** Adds the key at the given moment of the monotonic clock, unless it is planned for sooner. */
  void addBy(long moment) {
    guard.lock();
    try {
      if (!retryPending || retryAt - moment > 0) {
        retryAt = moment;
        retryPending = true;
        changed.signalAll();
      }
    } finally {
      guard.unlock();
    }
  }

  /**
   * Waits for the key, but not before the given moment of the monotonic clock.
   *
   * @return false when the queue is closed
   */
  boolean take(long notBefore) throws InterruptedException {
    guard.lock();
    try {
      while (!closed) {
        long now = monotonic.getAsLong();
        boolean due = added || (retryPending && retryAt - now <= 0);
        long hold = notBefore - now;
        if (due && hold <= 0) {
          added = false;
          retryPending = false;
          return true;
        }
        if (due) {
          changed.awaitNanos(hold);
        } else if (retryPending) {
          changed.awaitNanos(Math.max(1, retryAt - now));
        } else {
          // Nothing is due: looks up now and then, so that no lost signal lasts.
          changed.await(1, TimeUnit.MINUTES);
        }
      }
      return false;
    } finally {
      guard.unlock();
    }
  }

  void close() {
    guard.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      guard.unlock();
    }
  }
}
