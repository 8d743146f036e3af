package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.LabException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The .deb on a Debian that has no Java: what is in it. */
@Tag("real")
@Timeout(180)
class PackageTest {
  private static final Path DEB = Path.of(System.getProperty("bootstrap.deb"));
  private static final Path PROJECT = Path.of(System.getProperty("project.root"));
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final String PROGRAM = "apiserver-bootstrap";
  private static final String RUNTIME = "/usr/lib/apiserver-bootstrap/runtime";
  private static final String CONFIGURATION = NodePackage.CONFIGURATION;
  private static final List<String> UNITS =
      List.of(
          "apiserver-bootstrap.service",
          "apiserver-bootstrap-handover.service",
          "apiserver-bootstrap-refresh.service");

  @TempDir Path folder;
  private BareNode node;

  @BeforeEach
  void makeNode() {
    node = BareNode.create(PROJECT, folder.resolve("node"));
  }

  @AfterEach
  void deleteNode() {
    node.close();
  }

  @Test
  void runsOnADebianWithoutJava() {
    assertFalse(Files.exists(node.disk().path("/usr/bin/java")));
    String said = node.install(DEB);
    assertTrue(said.contains("CONTROL_PLANE"), said);
    Execution help = node.run(PROGRAM, "--help").orThrow();
    assertTrue(help.out().contains("Usage:"), help.out());
    assertEquals("", help.err());
    assertTrue(node.run(PROGRAM, "--version").out().matches("apiserver-bootstrap \\d.*\n"));
    Execution check = node.run(PROGRAM, "check");
    assertEquals(2, check.exitCode(), check.out() + check.err());
    assertTrue(check.out().lines().anyMatch(line -> line.startsWith("fail")), check.out());
    assertEquals("", check.err());
  }

  @Test
  void passesWhatDebianAsksOfAPackage() {
    Execution lintian = Execution.run(LIMIT, "lintian", "--fail-on", "error", DEB.toString());
    assertEquals(0, lintian.exitCode(), lintian.out() + lintian.err());
  }

  /** Not what the machine has that built it, which may be newer. */
  @Test
  void asksForTheGlibcThatItsFilesNeed() {
    String unusedWords = node.install(DEB);
    ElfNeeds needs = ElfNeeds.of(node.disk().path(RUNTIME));
    assertEquals(
        needs.debDepends(),
        Execution.run(LIMIT, "dpkg-deb", "--field", DEB.toString(), "Depends")
            .orThrow()
            .out()
            .strip());
    String libc = needs.libcFloor();
    System.out.println("figure: floor: glibc " + libc);
    String check = "/usr/lib/apiserver-bootstrap/runs-here";
    node.run(check).orThrow();
    for (String other : List.of("glibc 2.4", "none")) {
      node.disk().write("/old/getconf", "#!/bin/sh\necho " + other + "\n");
      node.run("chmod", "755", "/old/getconf").orThrow();
      Execution refused = node.run("sh", "-c", "PATH=/old:$PATH " + check);
      assertEquals(1, refused.exitCode(), refused::toString);
      assertTrue(refused.err().contains("needs glibc " + libc + " or newer"), refused.err());
    }
  }

  @Test
  void staysWithinFiftyMebibytes() {
    String kibibytes =
        Execution.run(LIMIT, "dpkg-deb", "--field", DEB.toString(), "Installed-Size")
            .orThrow()
            .out();
    assertTrue(Integer.parseInt(kibibytes.strip()) <= 50 * 1024, kibibytes);
    System.out.println("figure: installed size: " + kibibytes.strip() + " KiB");
  }

  /** Nearly all classes come parsed from the archive; what does not is made at run time. */
  @Test
  void takesItsClassesFromTheArchive() {
    String unusedWords = node.install(DEB);
    String loaded =
        node.run(
                RUNTIME + "/bin/java",
                "-Xshare:on",
                "-XX:+UseSerialGC",
                "-Xlog:class+load:file=/tmp/classes",
                "-cp",
                "/usr/lib/apiserver-bootstrap/no-class-path",
                "io.apiserverupdater.bootstrap.Main",
                "status")
            .orThrow()
            .err();
    assertEquals("", loaded);
    List<String> classes =
        node.disk().text("/tmp/classes").lines().filter(line -> line.contains("source:")).toList();
    long archived = classes.stream().filter(line -> line.endsWith("shared objects file")).count();
    assertTrue(archived >= classes.size() * 0.95, () -> archived + " of " + classes.size());
    assertTrue(
        classes.stream()
            .filter(line -> line.contains("io.apiserverupdater."))
            .filter(line -> !line.contains("$$Lambda"))
            .allMatch(line -> line.endsWith("shared objects file")),
        classes::toString);
  }

  @Test
  void isTheSameTreeAsTheTarball() {
    Path tarball = DEB.resolveSibling("apiserver-bootstrap.tar.gz");
    assertEquals(
        Execution.run(LIMIT, "tar", "--list", "--file", tarball.toString()).orThrow().out(),
        NodePackage.files(DEB));
  }

  /**
   * Two at a time, since a build must not depend on what else the machine does; and at paths of
   * different lengths.
   */
  @Test
  void isTheSameWhenItIsBuiltAgain() {
    List<Long> differences =
        Stream.of("first", "second-" + "-".repeat(40))
            .parallel()
            .map(this::firstDifferenceOfAnotherBuild)
            .toList();
    assertEquals(List.of(-1L, -1L), differences);
  }

  private long firstDifferenceOfAnotherBuild(String name) {
    Path target =
        BuildCopy.of(PROJECT, folder.resolve(name)).nodePackage(System.getProperty("runtime.jdk"));
    return LabException.wrap(
        "cannot compare what is in " + target,
        () ->
            Files.mismatch(
                DEB.resolveSibling("apiserver-bootstrap.tar.gz"),
                target.resolve("apiserver-bootstrap.tar.gz")));
  }

  @Test
  void describesEachFlagInTheManual() {
    String unusedWords = node.install(DEB);
    String help = node.run(PROGRAM, "--help").orThrow().out();
    Path page = node.disk().path("/usr/share/man/man8/apiserver-bootstrap.8.gz");
    String manual =
        Execution.run(LIMIT, "zcat", page.toString()).orThrow().out().replace("\\-", "-");
    TreeSet<String> missing = new TreeSet<>();
    Matcher flags = Pattern.compile("(?m)^ +(?:-. *, )? *(--[a-z-]+)").matcher(help);
    int found = 0;
    while (flags.find()) {
      found++;
      if (!manual.contains(flags.group(1))) {
        missing.add(flags.group(1));
      }
    }
    assertTrue(found > 15, help);
    assertEquals(new TreeSet<String>(), missing);
  }

  @Test
  void bringsTheCompletionFileOfEachShell() {
    String unusedWords = node.install(DEB);
    Map.of(
            "bash", "bash-completion/completions/apiserver-bootstrap",
            "zsh", "zsh/vendor-completions/_apiserver-bootstrap",
            "fish", "fish/vendor_completions.d/apiserver-bootstrap.fish")
        .forEach(
            (shell, file) ->
                assertEquals(
                    node.run(PROGRAM, "completion", shell).orThrow().out(),
                    node.disk().text("/usr/share/" + file)));
  }

  @Test
  void bringsUnitsThatSystemdAcceptsAndFindsWellEnclosed() {
    String unusedWords = node.install(DEB);
    for (String unit : UNITS) {
      Execution verified = node.run("systemd-analyze", "verify", "--man=no", unit);
      assertEquals(0, verified.exitCode(), verified.out() + verified.err());
      assertFalse(verified.err().contains("apiserver-bootstrap"), verified.err());
      String security =
          node.run("systemd-analyze", "security", "--offline=true", "--threshold=25", unit)
              .orThrow()
              .out();
      System.out.println("figure: " + security.lines().reduce((a, b) -> b).orElse(""));
    }
  }

  @Test
  void doesNothingUntilItIsConfigured() {
    String unusedWords = node.install(DEB);
    assertEquals(List.of(1, 1, 1), conditions());
    String hosts = node.hosts();
    assertEquals(List.of(0, 0, 0), exitCodes("ExecStart="));
    assertEquals(hosts, node.hosts());
    configure("CONTROL_PLAN = 10.0.0.1\n");
    assertEquals(List.of(2, 2, 2), exitCodes("ExecStart="));
    configure("CONTROL_PLANE=10.0.0.1\n");
    assertEquals(List.of(0, 0, 0), conditions());
    for (String configured :
        List.of(
            " control-plane = 10.0.0.1\n",
            "\uFEFFCONTROL_PLANE = 10.0.0.1\n",
            "CONTROL_PLANE = nonsense!\n",
            "CONTROL_PLAN = 10.0.0.1\n")) {
      configure(configured);
      assertEquals(List.of(0, 0, 0), conditions(), configured);
    }
    configure("\uFEFF# CONTROL_PLANE = 10.0.0.1\nHOSTNAME = a.example\n");
    assertEquals(List.of(1, 1, 1), conditions());
  }

  /** The exit codes of what each unit asks before it starts, where systemd knows how to ask. */
  private List<Integer> conditions() {
    return exitCodes("ExecCondition=");
  }

  private List<Integer> exitCodes(String setting) {
    return UNITS.stream()
        .map(
            unit ->
                node.disk()
                    .text("/usr/lib/systemd/system/" + unit)
                    .lines()
                    .filter(line -> line.startsWith(setting))
                    .map(line -> line.substring(setting.length()))
                    .map(command -> node.run("sh", "-c", command).exitCode())
                    .findFirst()
                    .orElseThrow())
        .toList();
  }

  private void configure(String configuration) {
    node.disk().write(CONFIGURATION, configuration);
  }
}
