package io.apiserverupdater.apiserver.flags;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as Go writes them, and so as all of Kubernetes does. */
public final class GoDuration {
  /** One number and its unit; of digits at most nine in a row. */
  private static final Pattern TERM = Pattern.compile("([0-9]{1,9})(?:\\.([0-9]{1,9}))?(ms|s|m|h)");

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
    Matcher term = TERM.matcher(text);
    while (term.lookingAt()) {
      long unit = nanosOf(term.group(3));
      long whole = Long.parseLong(term.group(1));
      if (whole > Long.MAX_VALUE / unit) {
        return Optional.empty();
      }
      String digits = Optional.ofNullable(term.group(2)).orElse("0");
      double fraction = Long.parseLong(digits) / Math.pow(10, digits.length());
      sum = sum.plusNanos(whole * unit).plusNanos(Math.round(unit * fraction));
      term.region(term.end(), text.length());
    }
    boolean all = !text.isEmpty() && term.regionStart() == text.length();
    return all ? Optional.of(sum) : Optional.empty();
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

  private static long nanosOf(String unit) {
    return switch (unit) {
      case "ms" -> 1_000_000L;
      case "s" -> 1_000_000_000L;
      case "m" -> 60_000_000_000L;
      default -> 3_600_000_000_000L;
    };
  }
}
