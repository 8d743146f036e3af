package io.apiserverupdater.updater.leaderelection;

/** Whether this process may write. Safe for use by several threads. */
public interface Leadership {

  /**
   * Whether the Lease is certainly ours at this moment. It turns false by the passing of time
   * alone, also in a process that was suspended.
   */
  boolean isCertain();

  /** For a single replica that takes part in no election. */
  static Leadership always() {
    return () -> true;
  }
}
