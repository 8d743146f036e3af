package io.apiserverupdater.compat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.apiserverupdater.bench.DocsTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From the reports of the core tests to the table. */
@Tag("component")
@Tag("quick")
class VersionTableTest {
  private static final LocalDate DAY = LocalDate.of(2026, 11, 30);
  private static final ClassResult PASSED = new ClassResult("RightsTest", 3, 0, List.of());

  @TempDir Path folder;

  private static VersionRun run(String release, ClassResult... classes) {
    return new VersionRun(release, "3.7.0", DAY, List.of(classes));
  }

  @Test
  void testedIsWhatRanWhollyAndPassed() {
    VersionRun run = run("v1.37.2", PASSED, new ClassResult("TargetTest", 7, 0, List.of()));
    assertEquals(State.TESTED, run.state());
    assertEquals("10 passed", run.tests());
  }

  @Test
  void expectedIsWhatDidNotRunWholly() {
    VersionRun missing = run("v1.37.2", PASSED, ClassResult.notRun("TargetTest"));
    assertEquals(State.EXPECTED, missing.state());
    assertEquals("3 passed; not run or not all of it: `TargetTest`", missing.tests());
    VersionRun skipped = run("v1.37.2", PASSED, new ClassResult("TargetTest", 6, 1, List.of()));
    assertEquals(State.EXPECTED, skipped.state());
    assertEquals("9 passed; not run or not all of it: `TargetTest`", skipped.tests());
    assertEquals(State.EXPECTED, run("v1.37.2").state());
  }

  @Test
  void notIsWhereATestFailed() {
    VersionRun run =
        run(
            "v1.37.2",
            PASSED,
            new ClassResult("TargetTest", 5, 0, List.of("mirrors", "")),
            ClassResult.notRun("BootRuleTest"));
    assertEquals(State.NOT, run.state());
    assertEquals(
        "8 passed; failed: `TargetTest.mirrors`, `TargetTest`;"
            + " not run or not all of it: `BootRuleTest`",
        run.tests());
  }

  @Test
  void hasARowForEachVersionThatIsSupportedOrWasRun() {
    assertEquals(
        """
        | Kubernetes | state | core tests | run on | day |
        |---|---|---|---|---|
        | 1.37, the default | tested | 3 passed | 1.37.2, etcd 3.7.0 | 2026-11-30 |
        | 1.36 | expected | not run | – | – |
        | 1.9 | tested | 3 passed | 1.9.11, etcd 3.7.0 | 2026-11-30 |
        """,
        VersionTable.markdown(
            "v1.37.2",
            List.of("1.36", "1.37"),
            Map.of("1.9", run("v1.9.11", PASSED), "1.37", run("v1.37.2", PASSED))));
  }

  @Test
  void testedVersionsAreListedFromTheNewestOn() {
    assertEquals(
        List.of("1.37", "1.9"),
        VersionTable.tested(
            Map.of(
                "1.9", run("v1.9.11", PASSED),
                "1.37", run("v1.37.2", PASSED),
                "1.36", run("v1.36.3", ClassResult.notRun("TargetTest")))));
  }

  @Test
  void takesThePlaceOfTheOldTable() {
    String page = "before\n<!-- versions -->\n| old |\n<!-- /versions -->\nafter\n";
    assertEquals(
        "before\n<!-- versions -->\n| new |\n<!-- /versions -->\nafter\n",
        DocsTable.into(page, "versions", "| new |\n"));
    assertThrows(
        IllegalArgumentException.class, () -> DocsTable.into("before\n", "versions", "| new |\n"));
  }

  @Test
  void runsAreKept() throws IOException {
    Path file = folder.resolve("compatibility.json");
    assertEquals(Map.of(), CompatBench.read(file));
    Map<String, VersionRun> runs =
        Map.of(
            "1.37", run("v1.37.2", new ClassResult("TargetTest", 5, 1, List.of("mirrors"))),
            "1.36", run("v1.36.3", PASSED, ClassResult.notRun("TargetTest")));
    CompatBench.write(file, runs);
    assertEquals(runs, CompatBench.read(file));
  }

  @Test
  void readsReports() throws IOException {
    Path report = folder.resolve("TEST-io.apiserverupdater.real.TargetTest.xml");
    Files.writeString(
        report,
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuite name="io.apiserverupdater.real.TargetTest" tests="5">
          <properties><property name="failure" value="error"/></properties>
          <testcase name="mirrors" classname="io.apiserverupdater.real.TargetTest" time="1.5"/>
          <testcase name="survives(Row)[1]"><system-out>failure</system-out></testcase>
          <testcase name="survives(Row)[2]"><failure message="m" type="t">trace</failure></testcase>
          <testcase name=""><error message="m" type="t">trace</error></testcase>
          <testcase name="skips"><skipped/></testcase>
        </testsuite>
        """);
    Files.setLastModifiedTime(report, FileTime.from(Instant.parse("2026-11-30T23:59:59Z")));
    Files.writeString(folder.resolve("TEST-io.apiserverupdater.real.OtherTargetTest.xml"), "<a/>");
    Files.writeString(folder.resolve("io.apiserverupdater.real.TargetTest.txt"), "no XML");
    TestReports reports = new TestReports(folder);
    assertEquals(
        new ClassResult("TargetTest", 2, 1, List.of("survives(Row)[2]", "")),
        reports.of("TargetTest"));
    assertEquals(ClassResult.notRun("RightsTest"), reports.of("RightsTest"));
    assertEquals(Optional.of(DAY), reports.day(List.of("TargetTest", "RightsTest")));
    assertEquals(Optional.empty(), reports.day(List.of("RightsTest")));
  }
}
