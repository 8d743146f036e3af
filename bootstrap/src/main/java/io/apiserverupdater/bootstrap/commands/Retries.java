package io.apiserverupdater.bootstrap.commands;

import java.time.Duration;
import java.util.Optional;

/**
 * Whether a command that has failed is tried again, and whether that is told. systemd can start a
 * unit again ({@code Restart=}), but before version 244 it refuses a oneshot unit that asks for it.
 * Not thread-safe.
 */
public final class Retries {
  /** After this time the same failure is told again. */
  static final Duration REMINDER = Duration.ofMinutes(10);

  private static final int OK = 0;
  private static final int INVALID = 2;

  private Optional<Ended> told = Optional.empty();
  private long toldNanos;

  /**
   * How an attempt has ended.
   *
   * @param error why, for a person; empty where nothing failed, or where it has been told already
   */
  public record Ended(int exitCode, Optional<String> error) {}

  /** What follows. */
  public sealed interface Step {
    /** The program ends with the exit code of this attempt. */
    record Finish() implements Step {}

    /**
     * The next attempt, with the configuration as it is then.
     *
     * @param tells whether to tell; not when the same was told a short time ago
     */
    record TryAgain(Duration after, boolean tells) implements Step {}
  }

  /**
   * What follows an attempt. A wrong configuration is for a person to correct, so that is final.
   *
   * @param interval between two attempts; empty for one attempt only
   * @param nowNanos the monotonic clock
   */
  public Step after(Ended ended, Optional<Duration> interval, long nowNanos) {
    if (interval.isEmpty() || ended.exitCode() == OK || ended.exitCode() == INVALID) {
      return new Step.Finish();
    }
    boolean tells = !told.equals(Optional.of(ended)) || nowNanos - toldNanos >= REMINDER.toNanos();
    if (tells) {
      told = Optional.of(ended);
      toldNanos = nowNanos;
    }
    return new Step.TryAgain(interval.get(), tells);
  }
}
