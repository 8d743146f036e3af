package io.apiserverupdater.bootstrap.commands;

import com.github.difflib.DiffUtils;
import com.github.difflib.UnifiedDiffUtils;
import com.github.difflib.patch.Patch;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Two versions of a hosts file, as {@code diff -u} shows them. */
final class HostsDiff {
  private static final int CONTEXT = 3;

  private HostsDiff() {}

  /**
   * Renders the difference; nothing when there is none. Bytes that are not ASCII are shown as they
   * would be in ISO 8859-1: a hosts file has no encoding.
   */
  static String of(String file, byte[] before, byte[] after) {
    List<String> old = lines(before);
    Patch<String> patch = DiffUtils.diff(old, lines(after));
    StringBuilder out = new StringBuilder();
    int headers = 2;
    for (String line :
        UnifiedDiffUtils.generateUnifiedDiff(file, file + " (new)", old, patch, CONTEXT)) {
      if (headers-- > 0 || line.startsWith("@@ ")) {
        // The library counts from 1 in an empty file too; diff and patch from 0.
        out.append(line.replace("@@ -1,0 ", "@@ -0,0 ").replace(" +1,0 @@", " +0,0 @@"));
        out.append('\n');
      } else {
        out.append(line).append(line.endsWith("\n") ? "" : "\n\\ No newline at end of file\n");
      }
    }
    return out.toString();
  }

  /** Each line with its break: a missing one at the end is a difference. */
  private static List<String> lines(byte[] content) {
    String text = new String(content, StandardCharsets.ISO_8859_1);
    return text.isEmpty() ? List.of() : List.of(text.split("(?<=\n)"));
  }
}
