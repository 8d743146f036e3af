package io.apiserverupdater.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A page and its translation.
 *
 * @param original the page that is changed first
 */
record Translation(Page original, Page translated) {

  /** What is not in step, one line each, for a person who may not read the translation. */
  List<String> differences() {
    List<Page.Section> expected = original.sections();
    List<Page.Section> found = translated.sections();
    if (!levels(expected).equals(levels(found))) {
      return List.of(headings(expected, found));
    }
    return IntStream.range(0, expected.size())
        .mapToObj(index -> differences(expected.get(index), found.get(index)))
        .flatMap(List::stream)
        .toList();
  }

  private static List<Integer> levels(List<Page.Section> sections) {
    return sections.stream().map(Page.Section::level).collect(Collectors.toList());
  }

  /** Where a heading is missing, the sections after it differ too: the first one is the place. */
  private String headings(List<Page.Section> expected, List<Page.Section> found) {
    int common = Math.min(expected.size(), found.size());
    int first =
        IntStream.range(0, common)
            .filter(
                index ->
                    expected.get(index).level() != found.get(index).level()
                        || !differences(expected.get(index), found.get(index)).isEmpty())
            .findFirst()
            .orElse(common);
    return "%s has %d headings, %s has %d, or their levels differ; look at %s and %s"
        .formatted(
            translated.name(),
            found.size(),
            original.name(),
            expected.size(),
            at(found, first, translated),
            at(expected, first, original));
  }

  private static String at(List<Page.Section> sections, int index, Page page) {
    return index < sections.size()
        ? "%s of level %d".formatted(sections.get(index).at(page), sections.get(index).level())
        : "the end of " + page.name();
  }

  private List<String> differences(Page.Section expected, Page.Section found) {
    String where = found.at(translated);
    List<String> differences = new ArrayList<>();
    text(where, expected.prose(), found.prose(), differences);
    if (expected.blocks().size() != found.blocks().size()) {
      differences.add(
          "%s has %d blocks, %s has %d"
              .formatted(
                  where, found.blocks().size(), expected.at(original), expected.blocks().size()));
    } else {
      for (int i = 0; i < expected.blocks().size(); i++) {
        block(where, expected.blocks().get(i), found.blocks().get(i), differences);
      }
    }
    if (expected.rows().size() != found.rows().size()) {
      differences.add(
          "%s has %d lines of tables, %s has %d"
              .formatted(
                  where, found.rows().size(), expected.at(original), expected.rows().size()));
    } else {
      for (int i = 0; i < expected.rows().size(); i++) {
        Page.Text row = found.rows().get(i);
        text(where + ", row in line " + row.line(), expected.rows().get(i), row, differences);
      }
    }
    return differences;
  }

  private void block(
      String where, Page.Block expected, Page.Block found, List<String> differences) {
    int lines = Math.max(expected.lines().size(), found.lines().size());
    IntStream.range(0, lines)
        .filter(index -> !line(expected, index).equals(line(found, index)))
        .findFirst()
        .ifPresent(
            index ->
                differences.add(
                    "%s, block in line %d, is not that of %s:%d: it has \"%s\", expected \"%s\""
                        .formatted(
                            where,
                            found.line(),
                            original.name(),
                            expected.line(),
                            line(found, index),
                            line(expected, index))));
  }

  private static String line(Page.Block block, int index) {
    return index < block.lines().size() ? block.lines().get(index) : "(its end)";
  }

  private void text(String where, Page.Text expected, Page.Text found, List<String> differences) {
    set(where, "figures", expected.figures(), found.figures(), expected.line(), differences);
    set(where, "code", expected.code(), found.code(), expected.line(), differences);
  }

  private void set(
      String where,
      String kind,
      Set<String> expected,
      Set<String> found,
      int line,
      List<String> differences) {
    if (!expected.equals(found)) {
      differences.add(
          "%s lacks the %s %s of %s:%d, and has %s that are not there"
              .formatted(
                  where,
                  kind,
                  without(expected, found),
                  original.name(),
                  line,
                  without(found, expected)));
    }
  }

  private static Set<String> without(Set<String> all, Set<String> some) {
    Set<String> rest = new TreeSet<>(all);
    rest.removeAll(some);
    return rest;
  }
}
