package io.apiserverupdater.compat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code src/test/kube/version}, with a go.mod and a go of its own. */
@Tag("component")
@Tag("quick")
class VersionScriptTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final String GO =
      """
      #!/bin/sh
      if [ -n "$BROKEN" ]; then
        echo "go: module lookup disabled" >&2
        exit 1
      fi
      case "$*" in
        "list -m -versions k8s.io/kubernetes")
          echo "k8s.io/kubernetes v1.29.9 v1.34.9 v1.34.10 v1.35.4 v1.37.2 v1.37.3 v1.38.0-beta.0 v1.38.0" ;;
        "list -m k8s.io/kubernetes@v1.35.4") echo "k8s.io/kubernetes v1.35.4" ;;
        *) exit 1 ;;
      esac
      """;
  private static final String THERE_ARE =
      """
      there are:
        1.34.9 1.34.10
        1.35.4
        1.37.2 1.37.3
        1.38.0
      """;

  @TempDir Path folder;

  private record Answer(int exitCode, String out, String err) {}

  @BeforeEach
  void copyTheScript() throws IOException {
    Files.copy(ROOT.resolve("src/test/kube/version"), folder.resolve("version"));
    goModRequires("require k8s.io/kubernetes v1.37.2\n");
    Path go = Files.createDirectory(folder.resolve("bin")).resolve("go");
    Files.writeString(go, GO);
    assertTrue(go.toFile().setExecutable(true));
  }

  private void goModRequires(String line) throws IOException {
    Files.writeString(
        folder.resolve("go.mod"),
        "module kube\n\ngo 1.26.0\n\n" + line + "\nreplace k8s.io/api => k8s.io/api v0.37.2\n");
  }

  private Answer version(Map<String, String> variables, String... arguments) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("bash", folder.resolve("version").toString());
    builder.command().addAll(List.of(arguments));
    builder.environment().put("PATH", folder.resolve("bin") + ":" + System.getenv("PATH"));
    builder.environment().putAll(variables);
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Answer(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @CsvSource({
    // go.mod's own, although there is a newer one.
    "'',      v1.37.2",
    "1.37,    v1.37.2",
    "v1.37.2, v1.37.2",
    // By number, not by letter.
    "1.34,    v1.34.10",
    "v1.35,   v1.35.4",
    "1.35.4,  v1.35.4",
    // Newer than go.mod's.
    "1.38,    v1.38.0"
  })
  void printsTheReleaseThatANameStandsFor(String name, String release) throws Exception {
    assertEquals(new Answer(0, release + "\n", ""), version(Map.of(), name));
  }

  @Test
  void readsARequirementInAList() throws Exception {
    goModRequires("require (\n\tk8s.io/component-base v0.36.3\n\tk8s.io/kubernetes v1.36.3\n)\n");
    assertEquals(new Answer(0, "v1.36.3\n", ""), version(Map.of()));
    assertEquals(new Answer(0, "1.33\n1.34\n1.35\n1.36\n", ""), version(Map.of(), "--supported"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"latest", "1", "2.0", "1.36.x", "1.38.0-beta.0", "1.36 ", "-1.36"})
  void refusesWhatIsNoRelease(String name) throws Exception {
    assertEquals(
        new Answer(
            2,
            "",
            "kube/version: \"%s\" is not a release of Kubernetes; expected one like 1.37.2, or a minor version like 1.37\n"
                .formatted(name)),
        version(Map.of(), name));
  }

  @Test
  void saysWhichReleasesThereAre() throws Exception {
    assertEquals(
        new Answer(
            2,
            "",
            "kube/version: there is no release 1.35.9 of Kubernetes among the Go modules; "
                + THERE_ARE),
        version(Map.of(), "1.35.9"));
    assertEquals(
        new Answer(
            2,
            "",
            "kube/version: there is no release 1.36 of Kubernetes among the Go modules; "
                + THERE_ARE),
        version(Map.of(), "1.36"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.29", "1.29.9"})
  void refusesOneThatIsTooOld(String name) throws Exception {
    assertEquals(
        new Answer(
            2,
            "",
            "kube/version: Kubernetes %s is older than what the lab builds, 1.34 or newer; "
                    .formatted(name)
                + THERE_ARE),
        version(Map.of(), name));
  }

  @Test
  void tellsAFaultOfGoFromAWrongName() throws Exception {
    Answer answer = version(Map.of("BROKEN", "1"), "1.35");
    assertEquals(1, answer.exitCode());
    assertTrue(answer.err().startsWith("go: module lookup disabled\n"), answer::err);
    assertFalse(answer.err().contains("there is no release"), answer::err);
    // go.mod's own needs no answer.
    assertEquals(new Answer(0, "v1.37.2\n", ""), version(Map.of("BROKEN", "1"), "1.37"));
  }
}
