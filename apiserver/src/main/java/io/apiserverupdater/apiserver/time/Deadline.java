package io.apiserverupdater.apiserver.time;

import java.time.Duration;

/** A moment on the monotonic clock by which something must be over. */
public final class Deadline {
  private static final long NANOS_PER_MILLI = 1_000_000;

  private final long end;

  private Deadline(long end) {
    this.end = end;
  }

  public static Deadline after(Duration duration) {
    return new Deadline(System.nanoTime() + duration.toNanos());
  }

  /** What is left in nanoseconds; 0 when it is over. */
  public long nanos() {
    return Math.max(0, end - System.nanoTime());
  }

  /** What is left; zero when it is over. */
  public Duration left() {
    return Duration.ofNanos(nanos());
  }

  /** What is left, rounded up, so that a wait of this length ends behind the deadline; 0: over. */
  public int millis() {
    return (int) Math.min(Integer.MAX_VALUE, (nanos() + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI);
  }
}
