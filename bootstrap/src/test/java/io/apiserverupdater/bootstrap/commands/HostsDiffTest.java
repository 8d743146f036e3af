package io.apiserverupdater.bootstrap.commands;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class HostsDiffTest {
  private static String diff(String before, String after) {
    return HostsDiff.of("/etc/hosts", before.getBytes(ISO_8859_1), after.getBytes(ISO_8859_1));
  }

  private static final String HEADER = "--- /etc/hosts\n+++ /etc/hosts (new)\n";

  static List<Arguments> diffs() {
    return List.of(
        arguments("nothing differs", "a\nb\n", "a\nb\n", ""),
        arguments("nothing is there", "", "", ""),
        arguments(
            "a changed line among its neighbours",
            "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
            "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"),
        arguments(
            "changes that are far apart",
            "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
            "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
            "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n"),
        arguments(
            "changes that are near together",
            "1\n2\n3\n4\n",
            "x\n2\n3\ny\n",
            "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n-4\n+y\n"),
        arguments("a line added", "a\n", "a\nb\n", "@@ -1,1 +1,2 @@\n a\n+b\n"),
        arguments("the first line", "", "b\n", "@@ -0,0 +1,1 @@\n+b\n"),
        arguments("a line removed", "a\nb\n", "a\n", "@@ -1,2 +1,1 @@\n a\n-b\n"),
        arguments("the last line removed", "b\n", "", "@@ -1,1 +0,0 @@\n-b\n"),
        arguments(
            "no line break at the end",
            "a",
            "a\nb\n",
            "@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n"),
        arguments("repeated lines", "a\na\n", "a\na\na\n", "@@ -1,2 +1,3 @@\n a\n a\n+a\n"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("diffs")
  void showsWhatDiffers(String situation, String before, String after, String hunk) {
    assertEquals(hunk.isEmpty() ? "" : HEADER + hunk, diff(before, after), situation);
  }

  /** What the diff says, applied to the old version by the rules of patch(1), is the new one. */
  @Test
  void describesTheNewVersionWhateverItIs() {
    Random random = new Random(7);
    for (int i = 0; i < 2_000; i++) {
      String before = lines(random);
      String after = lines(random);
      assertEquals(after, patched(before, diff(before, after)), () -> before + "=>" + after);
    }
    String long1 = "same\n" + "a\n".repeat(500) + "end\n";
    String long2 = "same\n" + "b\n".repeat(600) + "end\n";
    assertEquals(long2, patched(long1, diff(long1, long2)));
  }

  private static String lines(Random random) {
    StringBuilder text = new StringBuilder();
    int count = random.nextInt(14);
    for (int i = 0; i < count; i++) {
      text.append((char) ('a' + random.nextInt(4))).append('\n');
    }
    return random.nextInt(3) == 0 ? text + "z" : text.toString();
  }

  private static String patched(String before, String diff) {
    String[] old = before.split("(?<=\n)", -1);
    StringBuilder out = new StringBuilder();
    int at = 0;
    for (String line : diff.split("(?<=\n)", -1)) {
      if (line.startsWith("@@ -")) {
        String[] range = line.substring(4, line.indexOf(' ', 4)).split(",", -1);
        int start = Integer.parseInt(range[0]);
        boolean empty = range.length > 1 && range[1].equals("0");
        while (at < (empty ? start : start - 1)) {
          out.append(old[at++]);
        }
      } else if (line.startsWith("\\")) {
        out.setLength(out.length() - (out.length() > 0 && lastWasShown ? 1 : 0));
      } else if (line.startsWith(" ")) {
        out.append(line.substring(1));
        at++;
        lastWasShown = true;
      } else if (line.startsWith("-") && !line.startsWith("--- /etc")) {
        assertEquals(old[at++].strip(), line.substring(1).strip());
        lastWasShown = false;
      } else if (line.startsWith("+") && !line.startsWith("+++ /etc")) {
        out.append(line.substring(1));
        lastWasShown = true;
      }
    }
    while (at < old.length) {
      out.append(old[at++]);
    }
    return out.toString();
  }

  /** Whether the last line that was read went into the new version. */
  private static boolean lastWasShown;
}
