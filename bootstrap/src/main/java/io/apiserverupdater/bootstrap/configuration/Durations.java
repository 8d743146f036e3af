package io.apiserverupdater.bootstrap.configuration;

import java.time.Duration;
import java.util.Optional;

/** Durations in whole milliseconds, as Go writes them. */
final class Durations {
  private static final long MOST_MILLIS = Duration.ofHours(24).toMillis();

  private Durations() {}

  /**
   * Reads {@code 500ms}, {@code 4s}, {@code 1m30s}, or {@code 0} without a unit.
   *
   * @return empty when it is none, or more than 24 hours
   */
  static Optional<Duration> parse(String text) {
    if (text.equals("0")) {
      return Optional.of(Duration.ZERO);
    }
    long millis = 0;
    int at = 0;
    while (at < text.length()) {
      int digits = at;
      long number = 0;
      while (at < text.length() && isDigit(text.charAt(at)) && at - digits < 9) {
        number = number * 10 + text.charAt(at++) - '0';
      }
      int unit = at;
      while (at < text.length() && !isDigit(text.charAt(at))) {
        at++;
      }
      long factor = millisOf(text.substring(unit, at));
      if (digits == unit || factor == 0) {
        return Optional.empty();
      }
      millis += number * factor;
      if (millis > MOST_MILLIS) {
        return Optional.empty();
      }
    }
    return text.isEmpty() ? Optional.empty() : Optional.of(Duration.ofMillis(millis));
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static long millisOf(String unit) {
    return switch (unit) {
      case "ms" -> 1;
      case "s" -> 1_000;
      case "m" -> 60_000;
      case "h" -> 3_600_000;
      default -> 0;
    };
  }
}
