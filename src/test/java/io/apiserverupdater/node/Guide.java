package io.apiserverupdater.node;

import io.apiserverupdater.lab.LabException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The command blocks of a page of the documentation, in their order. A comment in the line above
 * each says where it is run, or why it is not.
 */
record Guide(List<Block> blocks) {
  private static final String FENCE = "```";
  private static final String RUN = "<!-- run: ";
  private static final String NOT_RUN = "<!-- not run: ";
  private static final String END = " -->";

  /**
   * A block.
   *
   * @param line of its first line, from 1
   * @param where it is run; empty when it is not
   */
  record Block(int line, String where, String text) {}

  /** The blocks that are run in that place. */
  List<Block> blocks(String where) {
    return blocks.stream().filter(block -> block.where().equals(where)).toList();
  }

  /** Reads a page; a block without such a comment is an error. */
  static Guide read(Path page) {
    List<String> lines;
    lines = LabException.wrap("cannot read " + page, () -> Files.readAllLines(page));
    List<Block> blocks = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).startsWith(FENCE)) {
        continue;
      }
      String mark = i == 0 ? "" : lines.get(i - 1);
      boolean runs = mark.startsWith(RUN) && mark.endsWith(END);
      boolean excused = mark.startsWith(NOT_RUN) && mark.endsWith(END);
      if (!runs && !excused) {
        throw new LabException(page + ":" + (i + 1) + ": nothing says where this block is run");
      }
      int first = i + 1;
      i = first;
      while (!lines.get(i).startsWith(FENCE)) {
        i++;
      }
      blocks.add(
          new Block(
              first + 1,
              runs ? mark.substring(RUN.length(), mark.length() - END.length()) : "",
              String.join("\n", lines.subList(first, i)) + "\n"));
    }
    return new Guide(List.copyOf(blocks));
  }
}
