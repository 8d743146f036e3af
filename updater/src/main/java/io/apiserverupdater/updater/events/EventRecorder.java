package io.apiserverupdater.updater.events;

/** Takes what happens. Safe for use by several threads; returns at once. */
@FunctionalInterface
public interface EventRecorder {

  /** For commands that look once. */
  EventRecorder NONE = (reason, about, message) -> {};

  /**
   * Records that something has happened just now.
   *
   * @param about the member, address family or refusal that it is about; empty for the replica
   * @param message one sentence, without secrets
   */
  void record(EventReason reason, String about, String message);
}
