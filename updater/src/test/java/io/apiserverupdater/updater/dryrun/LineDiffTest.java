package io.apiserverupdater.updater.dryrun;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.github.difflib.patch.Patch;
import com.github.difflib.patch.PatchFailedException;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class LineDiffTest {

  @Test
  void leadsFromTheOneTextToTheOther() throws PatchFailedException {
    Random random = new Random(1);
    for (int round = 0; round < 20_000; round++) {
      List<String> before = lines(random);
      List<String> after = lines(random);
      Patch<String> patch = LineDiff.of(before, after);
      assertEquals(after, patch.applyTo(before), before + " to " + after);
      assertEquals(before, patch.restore(after), before + " from " + after);
    }
  }

  @Test
  void sameTextsHaveNoDifference() {
    assertEquals(List.of(), LineDiff.of(List.of("a", "b"), List.of("a", "b")).getDeltas());
  }

  /** Few different lines, so that they repeat. */
  private static List<String> lines(Random random) {
    return Stream.generate(() -> "abc".charAt(random.nextInt(3)))
        .limit(random.nextInt(9))
        .map(String::valueOf)
        .toList();
  }
}
