package io.apiserverupdater.apiserver.flags;

import java.util.List;

/** The part of a help text that explains the flags, for a terminal of 80 columns. */
public final class FlagHelp {
  private static final int WIDTH = 80;
  private static final int INDENT = 10;

  private FlagHelp() {}

  /** Each flag with its letter, argument and default, and below them what it is for. */
  public static String of(List<Flag<?>> flags) {
    StringBuilder text = new StringBuilder();
    flags.forEach(flag -> text.append(describe(flag)));
    return text.toString();
  }

  private static String describe(Flag<?> flag) {
    String letter = flag.letter().map(given -> "-" + given + ", ").orElse("    ");
    String argument = flag.isSwitch() ? "" : "=" + flag.argument();
    String byDefault = flag.defaultText().isEmpty() ? "" : " (default: " + flag.defaultText() + ")";
    return "  " + letter + "--" + flag.name() + argument + byDefault + "\n" + wrap(flag.help());
  }

  private static String wrap(String text) {
    StringBuilder lines = new StringBuilder();
    StringBuilder current = new StringBuilder(" ".repeat(INDENT));
    for (String word : text.split(" ", -1)) {
      if (current.length() + word.length() + 1 > WIDTH) {
        lines.append(current).append('\n');
        current = new StringBuilder(" ".repeat(INDENT));
      }
      current.append(current.length() == INDENT ? "" : " ").append(word);
    }
    return lines.append(current).append('\n').toString();
  }
}
