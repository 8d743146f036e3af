package io.apiserverupdater.apiserver.flags;

import java.time.Duration;
import java.util.Optional;

/** Durations as Go writes them, and so as all of Kubernetes does. */
public final class GoDuration {
  private static final int MOST_DIGITS = 9;

  private GoDuration() {}

  /**
   * Reads {@code 500ms}, {@code 4s}, {@code 2.5s}, {@code 1m30s}, or {@code 0} without a unit.
   *
   * @return empty when it is none of these, or holds more than nine digits in a row or 292 years
   */
  public static Optional<Duration> parse(String text) {
    if (text.equals("0")) {
      return Optional.of(Duration.ZERO);
    }
    Duration sum = Duration.ZERO;
    int at = 0;
    while (at < text.length()) {
      int end = endOfDigits(text, at);
      long whole = digits(text, at, end);
      long fraction = 0;
      long scale = 1;
      if (end < text.length() && text.charAt(end) == '.') {
        at = end + 1;
        end = endOfDigits(text, at);
        fraction = digits(text, at, end);
        for (int i = at; i < end; i++) {
          scale *= 10;
        }
      }
      int unit = end;
      while (end < text.length() && !isDigit(text.charAt(end))) {
        end++;
      }
      long nanos = nanosOf(text.substring(unit, end));
      if (whole < 0 || fraction < 0 || nanos == 0 || whole > Long.MAX_VALUE / nanos) {
        return Optional.empty();
      }
      sum = sum.plusNanos(whole * nanos).plusNanos(Math.round(nanos * ((double) fraction / scale)));
      at = end;
    }
    return text.isEmpty() ? Optional.empty() : Optional.of(sum);
  }

  /** In the largest unit that is enough: {@code 4500ms}, {@code 90s}, {@code 24h}. */
  public static String format(Duration duration) {
    long millis = duration.toMillis();
    if (millis == 0 || millis % 1_000 != 0) {
      return millis + "ms";
    }
    if (millis % 60_000 != 0) {
      return millis / 1_000 + "s";
    }
    return millis % 3_600_000 == 0 ? millis / 3_600_000 + "h" : millis / 60_000 + "m";
  }

  /** The number that these characters are; -1 when they are none, or too many. */
  static long digits(String text, int from, int to) {
    if (to == from || to - from > MOST_DIGITS || endOfDigits(text, from) != to) {
      return -1;
    }
    return Long.parseLong(text, from, to, 10);
  }

  private static int endOfDigits(String text, int from) {
    int end = from;
    while (end < text.length() && isDigit(text.charAt(end))) {
      end++;
    }
    return end;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static long nanosOf(String unit) {
    return switch (unit) {
      case "ms" -> 1_000_000L;
      case "s" -> 1_000_000_000L;
      case "m" -> 60_000_000_000L;
      case "h" -> 3_600_000_000_000L;
      default -> 0;
    };
  }
}
