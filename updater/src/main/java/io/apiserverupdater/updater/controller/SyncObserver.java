package io.apiserverupdater.updater.controller;

import java.time.Duration;

/** Told how each sync has ended, on the reconciler's thread; returns at once. */
public interface SyncObserver {

  /** For who is not interested. */
  SyncObserver NONE =
      new SyncObserver() {
        @Override
        public void synced(Result result) {}

        @Override
        public void published(Duration sinceEvidence) {}
      };

  /** How a sync ended. */
  enum Result {
    /** Slices were written. */
    WRITTEN,
    /** The slices are as they should be. */
    UP_TO_DATE,
    /** A write did not succeed, or not in time. */
    FAILED,
    /** Nothing may be written. */
    REFUSED,
    /** Too little is known yet, or a repair waits for its turn. */
    WAITING,
    /** This replica does not lead. */
    STANDBY
  }

  /** A sync has ended. */
  void synced(Result result);

  /**
   * The slices that were written follow from a change of a member's health.
   *
   * @param sinceEvidence from the probe that showed it to the answer to the last write
   */
  void published(Duration sinceEvidence);
}
