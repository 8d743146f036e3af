package io.apiserverupdater.apiserver.probe;

import java.time.Duration;

/** A moment on the monotonic clock by which something must be over. */
final class Deadline {
  private static final long NANOS_PER_MILLI = 1_000_000;

  private final long end;

  private Deadline(long end) {
    this.end = end;
  }

  static Deadline after(Duration duration) {
    return new Deadline(System.nanoTime() + duration.toNanos());
  }

  /** What is left, rounded up, so that a wait of this length ends behind the deadline; 0: over. */
  int remainingMillis() {
    long nanos = end - System.nanoTime();
    if (nanos <= 0) {
      return 0;
    }
    return (int) Math.min(Integer.MAX_VALUE, (nanos + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI);
  }
}
