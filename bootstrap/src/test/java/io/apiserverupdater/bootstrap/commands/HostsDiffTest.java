package io.apiserverupdater.bootstrap.commands;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class HostsDiffTest {

  private static String diff(String before, String after) {
    return HostsDiff.of(
        "/etc/hosts",
        before.getBytes(StandardCharsets.ISO_8859_1),
        after.getBytes(StandardCharsets.ISO_8859_1));
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
}
