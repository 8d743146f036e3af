package io.apiserverupdater.component;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.UUID;

/**
 * Kills what the tests have started when their own process is gone, however that ended: a shutdown
 * hook does not run when Maven is stopped, for then this process is halted. A shell reads from us
 * until the kernel closes our end, and kills by a mark in the environment, which programs that were
 * started in turn have too.
 */
final class OrphanGuard {
  private static final String NAME = "UPDATER_TEST_RUN";
  private static final String MARK = UUID.randomUUID().toString();

  // Of a process group that is sent a signal it must outlive the others.
  private static final String WATCH =
      """
      trap '' HUP INT TERM
      while read -r line; do :; done
      for environ in $(grep -lsa "$0" /proc/[0-9]*/environ); do
        pid=${environ#/proc/}
        kill -KILL "${pid%/environ}"
      done
      """;

  /** Its input is open for as long as this process lives; nothing is written. */
  private static final Process GUARD = watch();

  private OrphanGuard() {}

  private static Process watch() {
    try {
      return new ProcessBuilder("sh", "-c", WATCH, NAME + "=" + MARK)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Has a program that is about to be started end with this process at the latest. */
  static void mark(Map<String, String> environment) {
    if (!GUARD.isAlive()) {
      throw new IllegalStateException("the guard has ended with " + GUARD.exitValue());
    }
    environment.put(NAME, MARK);
  }
}
