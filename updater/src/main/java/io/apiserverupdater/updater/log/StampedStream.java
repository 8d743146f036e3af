package io.apiserverupdater.updater.log;

import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.apiserver.printing.PrintableStream;
import java.io.PrintStream;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * Puts the time, in UTC with milliseconds, in front of each line. slf4j-simple's own way to do so
 * loads the data of a thousand locales: 2 MiB that stay.
 */
public final class StampedStream extends PrintableStream {
  private final Clock clock;

  public StampedStream(PrintStream target, Clock clock) {
    super(target);
    this.clock = clock;
  }

  @Override
  public void println(@Nullable String line) {
    super.println(stamp(clock) + " " + Printable.line(String.valueOf(line)));
  }

  static String stamp(Clock clock) {
    // Whole seconds would be shorter: one nanosecond more has all nine digits written.
    Instant millis = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    String text = LocalDateTime.ofInstant(millis.plusNanos(1), ZoneOffset.UTC).toString();
    return text.substring(0, text.length() - 6) + "Z";
  }
}
