package io.apiserverupdater.updater.leaderelection;

import java.time.Duration;

/** Whether this process may write. Safe for use by several threads. */
public interface Leadership {

  /**
   * For how long from this moment on the Lease is certainly ours, if it is not renewed; zero when
   * it is not. It turns zero by the passing of time alone, also in a process that was suspended.
   */
  Duration certainFor();

  /** Whether the Lease is certainly ours at this moment. */
  default boolean isCertain() {
    return !certainFor().isZero();
  }

  /** For a single replica that takes part in no election. */
  static Leadership always() {
    return () -> Duration.ofDays(1);
  }
}
