package io.apiserverupdater.compat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code ./check}, on a machine that can run the real tier; what it calls does nothing here. */
@Tag("component")
@Tag("quick")
class CheckScriptTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final List<String> CALLED =
      List.of(
          "src/test/kube/build",
          "src/test/kube/version",
          "src/test/helm/build",
          "src/test/prometheus/build",
          "src/test/metallb/build",
          "src/test/node/build",
          "src/test/debian11/build",
          "src/test/arm64/build",
          "src/test/crane/build",
          "release");

  @TempDir Path folder;

  private record Answer(int exitCode, String said) {}

  @BeforeEach
  void copyTheScript() throws IOException {
    Files.copy(ROOT.resolve("check"), folder.resolve("check"));
    for (String program : CALLED) {
      write(program, "");
    }
    Path runtime = folder.resolve("deploy/runtime.sh");
    Files.createDirectories(runtime.getParent());
    Files.copy(ROOT.resolve("deploy/runtime.sh"), runtime);
    write("src/test/lab-namespace", "echo lab: $* >&2");
    Files.writeString(
        folder.resolve("src/test/toolchain.sh"),
        Files.readString(ROOT.resolve("src/test/toolchain.sh"))
            + """
            need_java() { :; }
            prepare_real() { why=$LACKS; }
            maven() { :; }
            build_packages() { :; }
            """);
  }

  private void write(String program, String text) throws IOException {
    Path file = folder.resolve(program);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/sh\n" + text + "\n");
    assertTrue(file.toFile().setExecutable(true));
  }

  private Answer check(String lacks, String... flags) throws Exception {
    List<String> command = new ArrayList<>(List.of("bash", folder.resolve("check").toString()));
    command.addAll(List.of(flags));
    Path said = folder.resolve("said");
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LACKS", lacks);
    Process process = builder.redirectOutput(said.toFile()).start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Answer(process.exitValue(), Files.readString(said));
  }

  @Test
  void runsAllOfTheRealTier() throws Exception {
    Answer answer = check("", "--real");
    assertEquals(0, answer.exitCode(), answer::said);
    assertTrue(answer.said().contains("lab: mvn "), answer::said);
    assertTrue(answer.said().contains("-Dtier=real "), answer::said);
    assertTrue(!answer.said().contains("excludedGroups"), answer::said);
  }

  @Test
  void skipsTheRealTierUnlessItIsAskedFor() throws Exception {
    Answer skipped = check("it needs Go");
    assertEquals(0, skipped.exitCode(), skipped::said);
    assertTrue(skipped.said().contains("real: SKIPPED: it needs Go"), skipped::said);
    Answer refused = check("it needs Go", "--real");
    assertEquals(1, refused.exitCode(), refused::said);
    assertTrue(refused.said().contains("no tier ran"), refused::said);
  }

  /** What cannot be had is left out, and said; with --real that is a failure. */
  @ParameterizedTest
  @CsvSource({
    "src/test/debian11/build, Debian 11: SKIPPED, debian11",
    "src/test/arm64/build,    'arm64, release: SKIPPED', arm64"
  })
  void leavesOutAPartUnlessAllIsAskedFor(String builds, String said, String group)
      throws Exception {
    write(builds, "exit 1");
    Answer skipped = check("");
    assertEquals(0, skipped.exitCode(), skipped::said);
    assertTrue(skipped.said().contains(said), skipped::said);
    assertTrue(skipped.said().contains("-DexcludedGroups=" + group + " "), skipped::said);
    Answer refused = check("", "--real");
    assertEquals(1, refused.exitCode(), refused::said);
    assertTrue(refused.said().contains("FAILED"), refused::said);
    assertTrue(!refused.said().contains("lab: "), refused::said);
  }
}
