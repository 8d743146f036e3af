package io.apiserverupdater.updater.dryrun;

import com.github.difflib.UnifiedDiffUtils;
import com.github.difflib.patch.Patch;
import io.apiserverupdater.apiserver.printing.Printable;
import java.util.List;
import java.util.Optional;

/** A unified diff in the manner of kubectl diff: each object as a pair of files. */
public final class DiffRenderer {
  private static final int CONTEXT = 3;

  private static final String BOLD = "\u001b[1m";
  private static final String RED = "\u001b[31m";
  private static final String GREEN = "\u001b[32m";
  private static final String CYAN = "\u001b[36m";
  private static final String RESET = "\u001b[m";

  private DiffRenderer() {}

  /**
   * Renders a report; nothing when nothing differs.
   *
   * @param colours whether to colour the lines as git diff does
   */
  static String render(Report report, boolean colours) {
    StringBuilder text = new StringBuilder();
    for (Comparison comparison : report.comparisons()) {
      append(comparison, colours, text);
    }
    return text.toString();
  }

  private static void append(Comparison comparison, boolean colours, StringBuilder text) {
    String live = "LIVE/" + comparison.object().fileName();
    String merged = "MERGED/" + comparison.object().fileName();
    line("diff -u -N " + live + " " + merged, BOLD, colours, text);
    text.append(render(live, merged, comparison.liveText(), comparison.mergedText(), colours));
  }

  /**
   * Renders the difference of two files; nothing when nothing differs.
   *
   * @param before empty for a file that does not exist
   * @param after likewise
   * @param colours whether to colour the lines as git diff does
   */
  public static String render(
      String from, String to, Optional<String> before, Optional<String> after, boolean colours) {
    StringBuilder text = new StringBuilder();
    List<String> lines = lines(before);
    Patch<String> patch = LineDiff.of(lines, lines(after));
    int number = 0;
    for (String line : UnifiedDiffUtils.generateUnifiedDiff(from, to, lines, patch, CONTEXT)) {
      // By its place, not by its text: a removed line may look like a file's header.
      boolean header = number < 2;
      line(number == 2 ? range(line) : line, header ? BOLD : colour(line), colours, text);
      number++;
    }
    return text.toString();
  }

  /** The library counts from 1 in an empty file too; diff and patch from 0. */
  private static String range(String line) {
    return line.replace("@@ -1,0 ", "@@ -0,0 ").replace(" +1,0 @@", " +0,0 @@");
  }

  private static String colour(String line) {
    return switch (line.charAt(0)) {
      case '@' -> CYAN;
      case '-' -> RED;
      case '+' -> GREEN;
      default -> "";
    };
  }

  private static void line(String line, String colour, boolean colours, StringBuilder text) {
    String shown = Printable.line(line);
    if (colours && !colour.isEmpty()) {
      text.append(colour).append(shown).append(RESET);
    } else {
      text.append(shown);
    }
    text.append('\n');
  }

  private static List<String> lines(Optional<String> text) {
    return text.map(String::lines).map(lines -> lines.toList()).orElse(List.of());
  }
}
