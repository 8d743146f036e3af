package io.apiserverupdater.updater;

import java.util.stream.Collectors;

/** What {@code --help} prints. */
final class Help {
  private static final int WIDTH = 80;
  private static final int INDENT = 10;

  private Help() {}

  static String text() {
    return """
        Keeps the endpoints of a Service without a selector in step with the control
        planes, so that every node reaches a live apiserver through that Service.

        Usage:
          updater [flags]              run as a controller, until SIGTERM
          updater --dry-run [flags]    print what would change; write nothing
          updater --once [flags]       bring the target in step once

        Flags:
        """
        + UpdaterConfig.FLAGS.stream().map(Help::describe).collect(Collectors.joining())
        + """

        Exit codes:
          running      0 stopped by SIGTERM or SIGINT, 2 wrong flags or configuration
          --dry-run    0 nothing to change, 1 changes, 2 error, 3 refused
          --once       0 done or nothing to do, 1 refused, 2 error
        """;
  }

  private static String describe(Flag flag) {
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
