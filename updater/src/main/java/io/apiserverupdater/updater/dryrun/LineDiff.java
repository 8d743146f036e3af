package io.apiserverupdater.updater.dryrun;

import com.github.difflib.DiffUtils;
import com.github.difflib.algorithm.myers.MyersDiffWithLinearSpace;
import com.github.difflib.patch.AbstractDelta;
import com.github.difflib.patch.ChangeDelta;
import com.github.difflib.patch.Chunk;
import com.github.difflib.patch.Patch;
import java.util.BitSet;
import java.util.List;

/** The differences of two texts, laid out for a reader as diff and git lay them out. */
final class LineDiff {
  private LineDiff() {}

  static Patch<String> of(List<String> before, List<String> after) {
    BitSet removed = new BitSet();
    BitSet added = new BitSet();
    // The library's other algorithm needs memory with the square of the differences.
    for (AbstractDelta<String> delta :
        DiffUtils.diff(before, after, new MyersDiffWithLinearSpace<>()).getDeltas()) {
      mark(delta.getSource(), removed);
      mark(delta.getTarget(), added);
    }
    slideDown(before, removed);
    slideDown(after, added);
    return patch(before, removed, after, added);
  }

  private static void mark(Chunk<String> chunk, BitSet lines) {
    lines.set(chunk.getPosition(), chunk.getPosition() + chunk.size());
  }

  /**
   * Moves each run of marked lines down as long as the text without them stays the same: so a new
   * list element begins with its dash, and not in the middle of the element before it.
   */
  private static void slideDown(List<String> lines, BitSet marked) {
    int start = marked.nextSetBit(0);
    while (start >= 0) {
      int end = marked.nextClearBit(start);
      while (end < lines.size() && lines.get(start).equals(lines.get(end))) {
        marked.clear(start);
        marked.set(end);
        start++;
        end = marked.nextClearBit(end);
      }
      start = marked.nextSetBit(end);
    }
  }

  /** One change for each place, so that removed lines come before added ones. */
  private static Patch<String> patch(
      List<String> before, BitSet removed, List<String> after, BitSet added) {
    Patch<String> patch = new Patch<>();
    int from = 0;
    int to = 0;
    while (from < before.size() || to < after.size()) {
      int fromEnd = removed.nextClearBit(from);
      int toEnd = added.nextClearBit(to);
      if (fromEnd > from || toEnd > to) {
        patch.addDelta(
            new ChangeDelta<>(
                new Chunk<>(from, before.subList(from, fromEnd)),
                new Chunk<>(to, after.subList(to, toEnd))));
      }
      // The line after a change is in both texts.
      from = fromEnd + 1;
      to = toEnd + 1;
    }
    return patch;
  }
}
