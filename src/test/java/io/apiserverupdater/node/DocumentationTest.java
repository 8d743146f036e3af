package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The README is short, no link of a page is broken, and the version is that of the build. */
@Tag("component")
@Tag("quick")
class DocumentationTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final Pattern LINK =
      Pattern.compile("]\\((?!https?:)([^)\\s#]*)(?:#([^)\\s]+))?\\)");

  /** Where a name has the version in it, but for a chart's, which ChartTest looks at. */
  private static final Pattern VERSION =
      Pattern.compile("(?:apiserver-(?:updater|bootstrap)[:_-]|newTag: )(\\d+\\.\\d+\\.\\d+)");

  @Test
  void readmeInstallsBeforeLine60AndHasAtMost900Words() throws IOException {
    List<String> lines = Files.readAllLines(ROOT.resolve("README.md"));
    assertTrue(lines.subList(0, 59).contains("kubectl apply -k deploy/kustomize/base"));
    assertTrue(String.join(" ", lines).strip().split("\\s+", -1).length <= 900);
  }

  @Test
  void everyLinkLeadsToFileAndHeading() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path page : pages()) {
      Matcher link = LINK.matcher(withoutBlocks(page));
      while (link.find()) {
        Path file = link.group(1).isEmpty() ? page : page.resolveSibling(link.group(1)).normalize();
        if (!Files.exists(file) || (link.group(2) != null && !hasHeading(file, link.group(2)))) {
          broken.add(ROOT.relativize(page) + ": " + link.group());
        }
      }
    }
    assertEquals(List.of(), broken);
  }

  @Test
  void namesHaveTheVersionOfTheBuild() throws IOException {
    List<Path> files = new ArrayList<>(pages());
    files.add(ROOT.resolve("deploy/kustomize/example/kustomization.yaml"));
    String version = System.getProperty("build.version");
    int found = 0;
    List<String> others = new ArrayList<>();
    for (Path file : files) {
      Matcher name = VERSION.matcher(Files.readString(file));
      while (name.find()) {
        found++;
        if (!name.group(1).equals(version)) {
          others.add(ROOT.relativize(file) + ": " + name.group());
        }
      }
    }
    assertEquals(List.of(), others, () -> "the build is " + version);
    assertTrue(found > 20, "only " + found);
  }

  private static List<Path> pages() throws IOException {
    try (Stream<Path> top = Files.list(ROOT);
        Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
      return Stream.of(top, docs, Stream.of(ROOT.resolve("deploy/helm/README.md")))
          .flatMap(pages -> pages)
          .filter(file -> file.toString().endsWith(".md"))
          .collect(Collectors.toList());
    }
  }

  private static String withoutBlocks(Path page) throws IOException {
    return Files.readString(page).replaceAll("(?s)```.*?```", "");
  }

  /** As GitHub makes an anchor of a heading. */
  private static boolean hasHeading(Path page, String anchor) throws IOException {
    return withoutBlocks(page)
        .lines()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT))
        .map(line -> line.replaceAll("[^\\p{L}\\p{N}_\\- ]", "").replace(' ', '-'))
        .anyMatch(anchor::equals);
  }
}
