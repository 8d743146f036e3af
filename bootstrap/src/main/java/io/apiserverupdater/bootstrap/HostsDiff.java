package io.apiserverupdater.bootstrap;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The difference of two hosts files as one hunk of a unified diff: our changes lie close together.
 */
final class HostsDiff {
  private static final int CONTEXT = 3;
  private static final String NO_BREAK = "\\ No newline at end of file";

  private HostsDiff() {}

  /**
   * Renders the difference; nothing when there is none. Bytes that are not ASCII are shown as they
   * would be in ISO 8859-1: a hosts file has no encoding.
   */
  static String of(String path, byte[] before, byte[] after) {
    List<String> old = lines(before);
    List<String> now = lines(after);
    int same = 0;
    while (same < old.size() && same < now.size() && old.get(same).equals(now.get(same))) {
      same++;
    }
    int tail = 0;
    while (tail < old.size() - same
        && tail < now.size() - same
        && old.get(old.size() - 1 - tail).equals(now.get(now.size() - 1 - tail))) {
      tail++;
    }
    if (same == old.size() && same == now.size()) {
      return "";
    }
    int start = Math.max(0, same - CONTEXT);
    int behind = Math.min(CONTEXT, tail);
    StringBuilder text = new StringBuilder();
    text.append("--- ").append(path).append("\n+++ ").append(path).append(" (new)\n@@ -");
    range(text, start, old.size() - tail + behind);
    text.append(" +");
    range(text, start, now.size() - tail + behind);
    text.append(" @@\n");
    append(text, ' ', old, start, same);
    append(text, '-', old, same, old.size() - tail);
    append(text, '+', now, same, now.size() - tail);
    append(text, ' ', old, old.size() - tail, old.size() - tail + behind);
    return text.toString();
  }

  private static void range(StringBuilder text, int from, int to) {
    // An empty range is told by the line before it.
    text.append(to == from ? from : from + 1).append(',').append(to - from);
  }

  private static void append(StringBuilder text, char mark, List<String> lines, int from, int to) {
    for (int i = from; i < to; i++) {
      String line = lines.get(i);
      text.append(mark).append(line);
      text.append(line.endsWith("\n") ? "" : "\n" + NO_BREAK + "\n");
    }
  }

  /** With their line breaks. */
  private static List<String> lines(byte[] content) {
    String text = new String(content, StandardCharsets.ISO_8859_1);
    List<String> lines = new ArrayList<>();
    int start = 0;
    while (start < text.length()) {
      int newline = text.indexOf('\n', start);
      int end = newline < 0 ? text.length() : newline + 1;
      lines.add(text.substring(start, end));
      start = end;
    }
    return lines;
  }
}
