package io.apiserverupdater.bootstrap.commands;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class HostsDiffTest {

  private static String diff(String before, String after) {
    return HostsDiff.of(
        "/etc/hosts",
        before.getBytes(StandardCharsets.ISO_8859_1),
        after.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static final String HEADER = "--- /etc/hosts\n+++ /etc/hosts (new)\n";

  @Test
  void nothingIsShownWhenNothingDiffers() {
    assertEquals("", diff("a\nb\n", "a\nb\n"));
    assertEquals("", diff("", ""));
  }

  @Test
  void changedLineIsShownAmongItsNeighbours() {
    assertEquals(
        HEADER + "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n",
        diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"));
  }

  @Test
  void addedLinesAreShownBehindTheLastOnes() {
    assertEquals(HEADER + "@@ -1,1 +1,2 @@\n a\n+b\n", diff("a\n", "a\nb\n"));
    assertEquals(HEADER + "@@ -0,0 +1,1 @@\n+b\n", diff("", "b\n"));
  }

  @Test
  void removedLinesAreShown() {
    assertEquals(HEADER + "@@ -1,2 +1,1 @@\n a\n-b\n", diff("a\nb\n", "a\n"));
    assertEquals(HEADER + "@@ -1,1 +0,0 @@\n-b\n", diff("b\n", ""));
  }

  @Test
  void missingLineBreakAtTheEndIsSaid() {
    assertEquals(
        HEADER + "@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n",
        diff("a", "a\nb\n"));
  }

  @Test
  void repeatedLinesDoNotConfuseIt() {
    assertEquals(HEADER + "@@ -1,2 +1,3 @@\n a\n a\n+a\n", diff("a\na\n", "a\na\na\n"));
  }
}
