package io.apiserverupdater.updater;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/**
 * Puts the time, in UTC with milliseconds, in front of each line. slf4j-simple's own way to do so
 * loads the data of a thousand locales: 2 MiB that stay.
 */
final class StampedStream extends PrintStream {
  private final Clock clock;

  StampedStream(PrintStream target, Clock clock) {
    super(target, true, StandardCharsets.UTF_8);
    this.clock = clock;
  }

  @Override
  public void println(@Nullable String line) {
    super.println(stamp() + " " + line);
  }

  private String stamp() {
    LocalDateTime now = LocalDateTime.ofInstant(clock.instant(), ZoneOffset.UTC);
    StringBuilder text = new StringBuilder(24);
    append(text, now.getYear(), 4);
    append(text.append('-'), now.getMonthValue(), 2);
    append(text.append('-'), now.getDayOfMonth(), 2);
    append(text.append('T'), now.getHour(), 2);
    append(text.append(':'), now.getMinute(), 2);
    append(text.append(':'), now.getSecond(), 2);
    append(text.append('.'), now.getNano() / 1_000_000, 3);
    return text.append('Z').toString();
  }

  private static void append(StringBuilder text, int number, int digits) {
    String plain = Integer.toString(number);
    text.append("0".repeat(Math.max(0, digits - plain.length()))).append(plain);
  }
}
