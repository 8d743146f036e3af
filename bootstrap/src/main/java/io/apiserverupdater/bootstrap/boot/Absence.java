package io.apiserverupdater.bootstrap.boot;

import java.time.Duration;
import java.util.Optional;

/**
 * For how long the hosts file has been the same without our block. A program that rewrites it may
 * not have finished: to write now would lose what it has yet to write. Not thread-safe.
 */
final class Absence {
  static final Duration STEADY = Duration.ofSeconds(1);

  /** An empty file is one that was just cut, and at last one that somebody wanted empty. */
  static final Duration STEADY_IF_EMPTY = Duration.ofMinutes(1);

  private Optional<String> content = Optional.empty();
  private long sinceNanos;

  /**
   * Whether the file may be written.
   *
   * @param now its content while it has no block of ours, otherwise empty
   */
  boolean allowsWriting(Optional<String> now, long nanos) {
    if (!now.equals(content)) {
      content = now;
      sinceNanos = nanos;
    }
    return now.isEmpty() || nanos - sinceNanos >= steady(now.get()).toNanos();
  }

  private static Duration steady(String content) {
    return content.isBlank() ? STEADY_IF_EMPTY : STEADY;
  }
}
