package io.apiserverupdater.node;

import io.apiserverupdater.lab.LabException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a translation of a page keeps: the levels of its headings, its blocks, and the figures and
 * the code in its text. The words between them are the translator's.
 *
 * @param name how a person finds it, such as docs/install.md
 */
record Page(String name, List<Section> sections) {
  private static final String FENCE = "```";
  private static final Pattern HEADING = Pattern.compile("(#+) (.*)");
  private static final Pattern COMMENT_OR_TARGET = Pattern.compile("<!--.*?-->|(?<=])\\([^)]*\\)");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  /** 0.15, 10.96.0.64 and 5,000; not the digits of IPv4, k3s and amd64. */
  private static final Pattern FIGURE =
      Pattern.compile("(?<![A-Za-z0-9.,])\\d+(?:[.,]\\d+)*(?![A-Za-z0-9])");

  private static final Pattern THOUSANDS = Pattern.compile("(?<=\\d),(?=\\d{3}(?!\\d))");

  /**
   * A heading and what follows it up to the next one.
   *
   * @param line of the heading, from 1
   * @param level 1 for the page's title
   * @param rows of its tables, each for itself: a figure that moves to another row is another one
   * @param prose everything else, the heading included
   */
  record Section(
      int line, int level, String title, List<Block> blocks, List<Text> rows, Text prose) {

    /** Where it is and what it is called. */
    String at(Page page) {
      return "%s:%d \"%s\"".formatted(page.name(), line, title);
    }
  }

  /**
   * A block between two fences.
   *
   * @param line of its first fence, from 1
   * @param lines from fence to fence, after the comment that says where it is run
   */
  record Block(int line, List<String> lines) {}

  /**
   * Figures and code, each once.
   *
   * @param line where it begins, from 1
   */
  record Text(int line, Set<String> figures, Set<String> code) {

    private static Text of(int line, String text) {
      String words = COMMENT_OR_TARGET.matcher(text).replaceAll(" ");
      Set<String> code = new TreeSet<>();
      Matcher span = CODE.matcher(words);
      while (span.find()) {
        code.add(span.group(1).strip().replaceAll("\\s+", " "));
      }
      Set<String> figures = new TreeSet<>();
      Matcher figure = FIGURE.matcher(CODE.matcher(words).replaceAll(" "));
      while (figure.find()) {
        figures.add(THOUSANDS.matcher(figure.group()).replaceAll(""));
      }
      return new Text(line, figures, code);
    }
  }

  static Page read(Path root, String name) {
    return of(
        name,
        LabException.wrap("cannot read " + name, () -> Files.readAllLines(root.resolve(name))));
  }

  static Page of(String name, List<String> lines) {
    List<Section> sections = new ArrayList<>();
    int first = 0;
    for (int i = 1; i <= lines.size(); i++) {
      if (i == lines.size() || isHeading(lines, i)) {
        sections.add(section(first, lines.subList(first, i)));
        first = i;
      }
    }
    return new Page(name, List.copyOf(sections));
  }

  /** A comment in a block begins like a heading. */
  private static boolean isHeading(List<String> lines, int index) {
    return HEADING.matcher(lines.get(index)).matches()
        && lines.subList(0, index).stream().filter(line -> line.startsWith(FENCE)).count() % 2 == 0;
  }

  private static Section section(int first, List<String> lines) {
    Matcher heading = HEADING.matcher(lines.get(0));
    if (!heading.matches()) {
      throw new LabException("line " + (first + 1) + " is no heading: " + lines.get(0));
    }
    List<Block> blocks = new ArrayList<>();
    List<Text> rows = new ArrayList<>();
    StringBuilder prose = new StringBuilder(heading.group(2));
    for (int i = 1; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.startsWith(FENCE)) {
        int begin = lines.get(i - 1).startsWith("<!--") ? i - 1 : i;
        int fence = i;
        i++;
        while (!lines.get(i).startsWith(FENCE)) {
          i++;
        }
        blocks.add(new Block(first + fence + 1, List.copyOf(lines.subList(begin, i))));
      } else if (line.startsWith("|")) {
        rows.add(Text.of(first + i + 1, line));
      } else {
        prose.append('\n').append(line);
      }
    }
    return new Section(
        first + 1,
        heading.group(1).length(),
        heading.group(2),
        blocks,
        rows,
        Text.of(first + 1, prose.toString()));
  }
}
