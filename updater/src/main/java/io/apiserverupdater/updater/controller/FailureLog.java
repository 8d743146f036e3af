package io.apiserverupdater.updater.controller;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells of failed writes: each reason once, and when writing works again. Thread-safe. */
final class FailureLog {
  private static final Logger log = LoggerFactory.getLogger(FailureLog.class);

  private final String remedy;
  private String last = "";

  /**
   * @param remedy stands behind each reason; may be empty
   */
  FailureLog(String remedy) {
    this.remedy = remedy;
  }

  /**
   * Tells of a failure, or that there is none.
   *
   * @param reason empty when there is none
   */
  synchronized void tell(String reason) {
    if (reason.equals(last)) {
      return;
    }
    if (reason.isEmpty()) {
      log.info("write=ok");
    } else {
      log.warn("write=failed reason=\"{}{}\"", reason, remedy);
    }
    last = reason;
  }

  /** What was true of an earlier turn as the leader need not be told again. */
  synchronized void forget() {
    last = "";
  }
}
