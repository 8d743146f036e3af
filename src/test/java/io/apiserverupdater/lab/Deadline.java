package io.apiserverupdater.lab;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** A moment by which something must have happened. Thread-safe. */
public final class Deadline {
  private static final Duration POLL = Duration.ofMillis(10);

  private final long atNanos;
  private final Duration length;

  private Deadline(Duration length) {
    this.length = length;
    this.atNanos = System.nanoTime() + length.toNanos();
  }

  public static Deadline in(Duration length) {
    return new Deadline(length);
  }

  /** The time that is left, never negative. */
  public Duration left() {
    return Duration.ofNanos(Math.max(0, atNanos - System.nanoTime()));
  }

  public boolean passed() {
    return left().isZero();
  }

  /**
   * Returns as soon as {@code done} holds; looks every 10 ms.
   *
   * @param what the end of the sentence "waited for …"
   * @throws LabException when the deadline passes first
   */
  public void await(String what, BooleanSupplier done) {
    await(what, done, () -> "");
  }

  /** The same; {@code evidence} is added to the message of the failure. */
  public void await(String what, BooleanSupplier done, Supplier<String> evidence) {
    while (!done.getAsBoolean()) {
      if (passed()) {
        throw new LabException(
            "waited " + length.toMillis() + " ms for " + what + ", in vain. " + evidence.get());
      }
      if (Thread.currentThread().isInterrupted()) {
        throw new LabException("interrupted while waiting for " + what);
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
  }
}
