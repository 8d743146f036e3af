package io.apiserverupdater.apiserver.probe;

/** Words of a server in our own sentences: no control characters, and not too many. */
final class Printable {
  private Printable() {}

  static String of(String text, int maxLength) {
    StringBuilder printable = new StringBuilder(Math.min(text.length(), maxLength) + 1);
    for (int i = 0; i < text.length() && i < maxLength; i++) {
      char c = text.charAt(i);
      printable.append(isPlain(c) ? c : '?');
    }
    return text.length() > maxLength ? printable.append('…').toString() : printable.toString();
  }

  private static boolean isPlain(char c) {
    return c < 0x80 ? c >= ' ' && c != 0x7F : Character.isLetterOrDigit(c);
  }
}
