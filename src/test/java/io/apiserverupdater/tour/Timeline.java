package io.apiserverupdater.tour;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Tells what happens, line by line, as it happens. Used by one thread. */
final class Timeline {
  private static final String BOLD = "1";
  private static final String DIM = "2";
  private static final String CYAN = "36";
  private static final String GREEN = "32";

  private final PrintStream out;
  private final boolean colours;
  private final LongSupplier nanoTime;
  private final long start;
  private final List<Entry> entries = new ArrayList<>();
  private final List<Figure> figures = new ArrayList<>();
  private String act = "";

  /**
   * @param nanoTime as {@link System#nanoTime}
   */
  Timeline(PrintStream out, boolean colours, LongSupplier nanoTime) {
    this.out = out;
    this.colours = colours;
    this.nanoTime = nanoTime;
    this.start = nanoTime.getAsLong();
  }

  /** A line, and how long it took, where that was measured. */
  record Entry(String act, Duration at, String actor, String what, Optional<Duration> measured) {}

  /** A line of the summary. */
  record Figure(String name, Duration value, String note) {}

  /** What was told so far. */
  List<Entry> entries() {
    return List.copyOf(entries);
  }

  /** What the summary will say. */
  List<Figure> figures() {
    return List.copyOf(figures);
  }

  void title(String text) {
    out.println(painted(BOLD, text));
    out.flush();
  }

  /** A new act begins. */
  void act(String title) {
    act = title;
    out.println();
    out.println(painted(BOLD, title));
    out.flush();
  }

  void say(String actor, String what) {
    tell(actor, what, Optional.empty());
  }

  /** Says it with the time that it took. */
  void say(String actor, String what, Duration measured) {
    tell(actor, what, Optional.of(measured));
  }

  /** Something to be kept for the summary. */
  void figure(String name, Duration value, String note) {
    figures.add(new Figure(name, value, note));
  }

  private void tell(String actor, String what, Optional<Duration> measured) {
    Entry entry =
        new Entry(act, Duration.ofNanos(nanoTime.getAsLong() - start), actor, what, measured);
    entries.add(entry);
    out.println(
        painted(DIM, String.format(Locale.ROOT, "%6.1f s", entry.at().toMillis() / 1000.0))
            + "  "
            + painted(CYAN, "%-10s".formatted(actor))
            + "  "
            + what
            + measured.map(took -> "  " + painted(GREEN, "[" + show(took) + "]")).orElse(""));
    out.flush();
  }

  /** Text as another program printed it. */
  void quote(String text) {
    text.lines().forEach(line -> out.println(" ".repeat(12) + painted(DIM, "| ") + line));
    out.flush();
  }

  /** Text as it is, to be copied. */
  void plain(String text) {
    out.println(text);
    out.flush();
  }

  /** The table of all figures. */
  void summary() {
    act("Measured");
    int width = figures.stream().mapToInt(f -> f.name().length()).max().orElse(0);
    for (Figure figure : figures) {
      String value = "%9s".formatted(show(figure.value()));
      out.println(
          ("  %-" + width + "s  ").formatted(figure.name())
              + painted(GREEN, value)
              + (figure.note().isEmpty() ? "" : "  " + figure.note()));
    }
    out.flush();
  }

  /** Milliseconds below a second, else seconds; three digits at most. */
  static String show(Duration duration) {
    double millis = duration.toNanos() / 1e6;
    if (millis < 9.95) {
      return String.format(Locale.ROOT, "%.1f ms", millis);
    }
    return millis < 999.5
        ? String.format(Locale.ROOT, "%.0f ms", millis)
        : String.format(Locale.ROOT, "%.2f s", millis / 1000);
  }

  private String painted(String style, String text) {
    return colours ? "\u001b[" + style + "m" + text + "\u001b[0m" : text;
  }
}
