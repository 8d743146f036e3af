package io.apiserverupdater.bootstrap.hosts;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Two versions of a hosts file, as {@code diff -u} shows them. */
public final class HostsDiff {
  private static final int CONTEXT = 3;

  /**
   * How far to look for where two versions agree again; beyond it all the rest counts as changed.
   */
  private static final int LOOKAHEAD = 200;

  private final List<String> old;
  private final List<String> young;
  private final StringBuilder out = new StringBuilder();

  /**
   * Lines {@code oldStart} to {@code oldEnd} became {@code start} to {@code end}; ends excluded.
   */
  private record Edit(int oldStart, int oldEnd, int start, int end) {}

  private HostsDiff(List<String> old, List<String> young) {
    this.old = old;
    this.young = young;
  }

  /**
   * Renders the difference; nothing when there is none. Bytes that are not ASCII are shown as they
   * would be in ISO 8859-1: a hosts file has no encoding.
   */
  public static String of(String file, byte[] before, byte[] after) {
    HostsDiff diff = new HostsDiff(lines(before), lines(after));
    List<Edit> edits = diff.edits();
    if (edits.isEmpty()) {
      return "";
    }
    diff.out
        .append("--- ")
        .append(file)
        .append('\n')
        .append("+++ ")
        .append(file)
        .append(" (new)\n");
    int first = 0;
    for (int i = 1; i <= edits.size(); i++) {
      boolean apart =
          i == edits.size() || edits.get(i).oldStart() - edits.get(i - 1).oldEnd() > 2 * CONTEXT;
      if (apart) {
        diff.hunk(edits.subList(first, i));
        first = i;
      }
    }
    return diff.out.toString();
  }

  /** Each line with its break: a missing one at the end is a difference. */
  private static List<String> lines(byte[] content) {
    String text = new String(content, StandardCharsets.ISO_8859_1);
    List<String> lines = new ArrayList<>();
    int start = 0;
    while (start < text.length()) {
      int end = text.indexOf('\n', start);
      end = end < 0 ? text.length() : end + 1;
      lines.add(text.substring(start, end));
      start = end;
    }
    return lines;
  }

  private List<Edit> edits() {
    List<Edit> edits = new ArrayList<>();
    int i = 0;
    int j = 0;
    while (i < old.size() || j < young.size()) {
      if (i < old.size() && j < young.size() && old.get(i).equals(young.get(j))) {
        i++;
        j++;
        continue;
      }
      int oldStart = i;
      int start = j;
      int[] skipped = nextAgreement(i, j);
      i += skipped[0];
      j += skipped[1];
      edits.add(new Edit(oldStart, i, start, j));
    }
    return edits;
  }

  /** How many lines to skip on each side, as few as possible, until the versions agree again. */
  private int[] nextAgreement(int i, int j) {
    int oldLeft = old.size() - i;
    int left = young.size() - j;
    for (int sum = 1; sum <= LOOKAHEAD; sum++) {
      for (int skip = Math.max(0, sum - left); skip <= Math.min(sum, oldLeft); skip++) {
        int other = sum - skip;
        boolean bothEnd = skip == oldLeft && other == left;
        boolean agree =
            skip < oldLeft && other < left && old.get(i + skip).equals(young.get(j + other));
        if (bothEnd || agree) {
          return new int[] {skip, other};
        }
      }
    }
    return new int[] {oldLeft, left};
  }

  private void hunk(List<Edit> edits) {
    Edit first = edits.get(0);
    Edit last = edits.get(edits.size() - 1);
    int before = Math.min(CONTEXT, first.oldStart());
    int behind = Math.min(CONTEXT, old.size() - last.oldEnd());
    out.append("@@ -");
    range(first.oldStart() - before, last.oldEnd() + behind);
    out.append(" +");
    range(first.start() - before, last.end() + behind);
    out.append(" @@\n");
    int i = first.oldStart() - before;
    for (Edit edit : edits) {
      show(' ', old, i, edit.oldStart());
      show('-', old, edit.oldStart(), edit.oldEnd());
      show('+', young, edit.start(), edit.end());
      i = edit.oldEnd();
    }
    show(' ', old, i, last.oldEnd() + behind);
  }

  /** Counted from 1; an empty range is told by the line before it. */
  private void range(int start, int end) {
    out.append(end == start ? start : start + 1).append(',').append(end - start);
  }

  private void show(char sign, List<String> lines, int start, int end) {
    for (String line : lines.subList(start, end)) {
      out.append(sign).append(line);
      if (!line.endsWith("\n")) {
        out.append("\n\\ No newline at end of file\n");
      }
    }
  }
}
