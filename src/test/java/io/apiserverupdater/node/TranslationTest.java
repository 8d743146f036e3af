package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The Chinese pages are in step with the English ones. Their blocks, and the comments that say
 * where each is run, are the same: so what {@link InstallGuideTest}, {@link KubeadmNewClusterTest}
 * and {@link KubeadmRunningClusterTest} run of docs/install.md, they run of its translation too.
 */
@Tag("component")
@Tag("quick")
class TranslationTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final List<String> PAGE =
      List.of(
          "# Install",
          "Wait 1.5 s, as [ADR 0015](adr/0015-hosts-or-nft.md) says. IPv4 needs `nft`.",
          "",
          "## Nodes",
          "<!-- run: node -->",
          "```",
          "# a comment",
          "reboot",
          "```",
          "",
          "| row | 0.01 s |",
          "| row | 5,000 |");

  @Test
  void chinesePagesAreInStepWithTheEnglishOnes() throws IOException {
    List<String> differences = new ArrayList<>();
    for (String chinese : chinesePages()) {
      String english = chinese.replace("docs/zh/", "docs/").replace(".zh-CN.md", ".md");
      differences.addAll(
          new Translation(Page.read(ROOT, english), Page.read(ROOT, chinese)).differences());
      language(english, "English | [简体中文](" + link(english, chinese) + ")", differences);
      language(chinese, "[English](" + link(chinese, english) + ") | 简体中文", differences);
    }
    assertEquals("", String.join("\n", differences));
  }

  private static List<String> chinesePages() throws IOException {
    try (Stream<Path> pages = Files.list(ROOT.resolve("docs/zh"))) {
      List<String> found =
          Stream.concat(Stream.of(ROOT.resolve("README.zh-CN.md")), pages)
              .map(page -> ROOT.relativize(page).toString())
              .sorted()
              .collect(Collectors.toList());
      assertTrue(
          found.containsAll(List.of("README.zh-CN.md", "docs/zh/faq.md", "docs/zh/install.md")),
          found::toString);
      return found;
    }
  }

  private static String link(String from, String to) {
    return Path.of(from).resolveSibling("").relativize(Path.of(to)).toString();
  }

  private static void language(String page, String expected, List<String> differences)
      throws IOException {
    List<String> lines = Files.readAllLines(ROOT.resolve(page));
    if (!lines.get(2).equals(expected)) {
      differences.add("%s:3 is \"%s\", expected \"%s\"".formatted(page, lines.get(2), expected));
    }
  }

  @Test
  void wordsAreTheTranslators() {
    assertEquals(
        List.of(),
        differences("as [ADR 0015](adr/0015-hosts-or-nft.md) says.", "见 [ADR 0015](../x9.md)。"));
    assertEquals(List.of(), differences("5,000", "5000 "));
  }

  @Test
  void tellsTheHeadingOfAnotherLevelAndTheOneThatIsMissing() {
    assertEquals(
        List.of(
            "zh has 2 headings, en has 2, or their levels differ; look at zh:4 \"Nodes\" of level 3"
                + " and en:4 \"Nodes\" of level 2"),
        differences("## Nodes", "### Nodes"));
    assertEquals(
        List.of(
            "zh has 1 headings, en has 2, or their levels differ; look at zh:1 \"Install\" of level"
                + " 1 and en:1 \"Install\" of level 1"),
        differences("## Nodes", "Nodes"));
  }

  @Test
  void tellsTheLineOfABlock() {
    assertEquals(
        List.of(
            "zh:4 \"Nodes\", block in line 6, is not that of en:6: it has \"halt\", expected"
                + " \"reboot\""),
        differences("reboot", "halt"));
    assertEquals(
        List.of(
            "zh:4 \"Nodes\", block in line 6, is not that of en:6: it has \"<!-- run: worker -->\","
                + " expected \"<!-- run: node -->\""),
        differences("run: node", "run: worker"));
    assertEquals(
        List.of("zh:4 \"Nodes\" has 2 blocks, en:4 \"Nodes\" has 1"),
        differences("| row | 5,000 |", "| row | 5,000 |\n```\nhalt\n```"));
  }

  @Test
  void tellsTheFigureTheCodeAndTheRow() {
    assertEquals(
        List.of(
            "zh:1 \"Install\" lacks the figures [1.5] of en:1, and has [15] that are not there"),
        differences("1.5", "15"));
    assertEquals(
        List.of("zh:1 \"Install\" lacks the code [nft] of en:1, and has [] that are not there"),
        differences("`nft`", "nft"));
    assertEquals(
        List.of(
            "zh:4 \"Nodes\", row in line 11 lacks the figures [0.01] of en:11, and has [0.1] that"
                + " are not there"),
        differences("0.01", "0.1"));
    assertEquals(
        List.of("zh:4 \"Nodes\" has 1 lines of tables, en:4 \"Nodes\" has 2"),
        differences("| row | 5,000 |", ""));
  }

  /** Between the page and itself, with one change. */
  private static List<String> differences(String before, String after) {
    String changed = String.join("\n", PAGE).replace(before, after);
    return new Translation(Page.of("en", PAGE), Page.of("zh", List.of(changed.split("\n", -1))))
        .differences();
  }
}
