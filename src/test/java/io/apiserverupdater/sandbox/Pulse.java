package io.apiserverupdater.sandbox;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/** Wakes those who wait for something in the cluster to become true. Thread-safe. */
final class Pulse {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition beaten = lock.newCondition();
  private long beats;

  /** Something changed. */
  void beat() {
    lock.lock();
    try {
      beats++;
      beaten.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until the condition holds; it is asked after each beat, and a last time at the end. */
  boolean await(BooleanSupplier condition, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (true) {
      long seen = beats();
      // Asked without the lock: the condition may itself read what beats this pulse.
      if (condition.getAsBoolean()) {
        return true;
      }
      lock.lock();
      try {
        while (beats == seen) {
          long left = deadline - System.nanoTime();
          if (left <= 0) {
            return false;
          }
          long remaining = beaten.awaitNanos(Math.min(left, TimeUnit.SECONDS.toNanos(1)));
          if (remaining <= 0) {
            break; // Ask again now and then: the condition may hang on something else.
          }
        }
      } finally {
        lock.unlock();
      }
    }
  }

  private long beats() {
    lock.lock();
    try {
      return beats;
    } finally {
      lock.unlock();
    }
  }
}
