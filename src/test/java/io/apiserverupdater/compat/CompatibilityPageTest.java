package io.apiserverupdater.compat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the pages say of Kubernetes' versions is what was run, and what the lab builds. */
@Tag("component")
@Tag("quick")
class CompatibilityPageTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));

  @Test
  void hasTheTableOfTheRunsThatAreKept() throws IOException {
    String page = Files.readString(ROOT.resolve("docs/compatibility.md"));
    assertEquals(CompatBench.page(page, LabKubernetes.read(ROOT), runs()), page);
  }

  @ParameterizedTest
  @ValueSource(strings = {"README.md", "README.zh-CN.md"})
  void readmeNamesTheVersionsThatWereTested(String page) throws IOException {
    String row = "| Kubernetes | " + String.join(", ", VersionTable.tested(runs())) + " |";
    assertTrue(
        Files.readAllLines(ROOT.resolve(page)).stream().anyMatch(line -> line.startsWith(row)),
        () -> page + " has no row that begins with " + row);
  }

  private static Map<String, VersionRun> runs() throws IOException {
    return CompatBench.read(ROOT.resolve("docs/measurements/compatibility.json"));
  }
}
