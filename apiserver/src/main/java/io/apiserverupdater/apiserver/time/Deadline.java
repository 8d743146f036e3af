package io.apiserverupdater.apiserver.time;

import java.time.Duration;

/** A moment on the monotonic clock by which something must be over. */
public final class Deadline {
  private static final long NANOS_PER_MILLI = 1_000_000;

  private final long length;
  private final long end;

  private Deadline(long length, long end) {
    this.length = length;
    this.end = end;
  }

  public static Deadline after(Duration duration) {
    return new Deadline(duration.toNanos(), System.nanoTime() + duration.toNanos());
  }

  /** One that is so much later. */
  public Deadline plus(Duration more) {
    return new Deadline(length + more.toNanos(), end + more.toNanos());
  }

  /**
   * Whether it has been over for half of its length: whoever notices only now did not get to run.
   */
  public boolean isLongOver() {
    return System.nanoTime() - end > length / 2;
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
