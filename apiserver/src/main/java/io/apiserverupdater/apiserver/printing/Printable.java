package io.apiserverupdater.apiserver.printing;

/**
 * Text that a log or a terminal shows and does not obey. Servers, files and pods have a say in what
 * is printed: a line feed would make further log lines of it, an escape sequence would write over
 * what a terminal shows, and a bidirectional control would turn its order round. Each such
 * character is shown as JSON has it, as in <code>&#92;u001b</code>, so JSON stays JSON.
 */
public final class Printable {
  private Printable() {}

  /** One line. */
  public static String line(String text) {
    return shown(text, false);
  }

  /** One line, of so many characters of the text at most. */
  public static String line(String text, int maxLength) {
    return text.length() > maxLength ? line(text.substring(0, maxLength)) + "…" : line(text);
  }

  /** Text of several lines, whose line feeds are the caller's own. */
  public static String text(String text) {
    return shown(text, true);
  }

  private static String shown(String text, boolean lineFeeds) {
    StringBuilder shown = new StringBuilder(text.length());
    int c;
    for (int i = 0; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      if (c == '\t' || (c == '\n' && lineFeeds) || !isControl(c)) {
        shown.appendCodePoint(c);
      } else {
        for (char unit : Character.toChars(c)) {
          shown.append("\\u%04x".formatted((int) unit));
        }
      }
    }
    return shown.toString();
  }

  /** By the Unicode categories Cc, Cf, Zl and Zp. */
  private static boolean isControl(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}
