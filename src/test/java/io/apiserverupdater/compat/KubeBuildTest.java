package io.apiserverupdater.compat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code src/test/kube/build}, with a go that builds nothing: each release has its own folder. */
@Tag("component")
@Tag("quick")
class KubeBuildTest {
  private static final Path KUBE = Path.of(System.getProperty("project.root"), "src/test/kube");

  /** What it builds says by which arguments. */
  private static final String GO =
      """
      #!/bin/sh
      case "$*" in
        "env GOVERSION") echo go1.99.0 ;;
        "env GOMODCACHE") echo "$MODULES" ;;
        "mod download k8s.io/kubernetes@v1.36.1" | "mod download k8s.io/kubernetes@v1.35.4") ;;
        "mod tidy") echo "checksums" >go.sum ;;
        "build "*)
          while [ "$1" != -o ]; do shift; done
          grep 'k8s.io/kubernetes v' go.mod >"$2" ;;
        *) echo "go: unexpected: $*" >&2; exit 1 ;;
      esac
      """;

  private static final String UPSTREAM =
      """
      module k8s.io/kubernetes

      go 1.26.0

      require (
      \tk8s.io/api v0.0.0
      \tk8s.io/klog/v2 v2.140.0
      )

      replace (
      \tk8s.io/api => ./staging/src/k8s.io/api
      \tk8s.io/cri-client => ./staging/src/k8s.io/cri-client
      )
      """;

  @TempDir Path folder;

  private record Build(int exitCode, Path made, String err) {}

  @BeforeEach
  void copyTheScripts() throws IOException {
    for (String file :
        List.of(
            "../cache.sh",
            "../go-modules.sh",
            "build",
            "version",
            "go.sum",
            "main.go",
            "pause/main.go",
            "traffic/main.go")) {
      Path copy = folder.resolve("kube").resolve(file).normalize();
      Files.createDirectories(copy.getParent());
      Files.copy(KUBE.resolve(file), copy);
      assertTrue(copy.toFile().setExecutable(Files.isExecutable(KUBE.resolve(file))));
    }
    Files.writeString(
        folder.resolve("kube/go.mod"),
        "module kube\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes v1.37.2\n");
    Path go = Files.createDirectory(folder.resolve("bin")).resolve("go");
    Files.writeString(go, GO);
    assertTrue(go.toFile().setExecutable(true));
    Path modules =
        Files.createDirectories(folder.resolve("modules/cache/download/k8s.io/kubernetes/@v"));
    Files.writeString(modules.resolve("v1.36.1.mod"), UPSTREAM);
    Files.writeString(modules.resolve("v1.35.4.mod"), UPSTREAM);
  }

  /** Of a release, or of the default if it is "". */
  private Build build(String release) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(folder.resolve("kube/build").toString());
    builder.environment().put("PATH", folder.resolve("bin") + ":" + System.getenv("PATH"));
    builder.environment().put("MODULES", folder.resolve("modules").toString());
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    builder.environment().put("LAB_KUBERNETES", release);
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Build(
        process.exitValue(), Path.of(Files.readString(out).strip()), Files.readString(err));
  }

  private static String built(Path made) throws IOException {
    return Files.readString(made.resolve("kube-apiserver")).strip();
  }

  @Test
  void eachReleaseHasItsOwnFolder() throws Exception {
    Path standard = build("").made();
    Path other = build("v1.36.1").made();
    Path third = build("v1.35.4").made();
    assertEquals("require k8s.io/kubernetes v1.37.2", built(standard));
    assertEquals("require k8s.io/kubernetes v1.36.1", built(other));
    assertEquals("require k8s.io/kubernetes v1.35.4", built(third));
    assertNotEquals(other, third);
    // By name too, and without a second build.
    assertEquals(new Build(0, standard, ""), build("v1.37.2"));
    assertEquals(new Build(0, standard, ""), build("1.37"));
    assertEquals(new Build(0, other, ""), build("v1.36.1"));
  }

  @Test
  void anotherReleaseHasTheModulesThatWereReleasedWithIt() throws Exception {
    assertEquals(
        """
        module apiserverupdater.example/kube

        go 1.26.0

        require k8s.io/kubernetes v1.36.1

        replace (
        \tk8s.io/api => k8s.io/api v0.36.1
        \tk8s.io/cri-client => k8s.io/cri-client v0.36.1
        )
        """,
        Files.readString(build("v1.36.1").made().resolve("module/go.mod")));
  }

  @Test
  void leavesNothingIfTheReleaseCannotBeHad() throws Exception {
    Build build = build("v1.36.9");
    assertEquals(1, build.exitCode());
    assertTrue(build.err().contains("go: unexpected: mod download"), build::err);
    try (var left = Files.list(folder.resolve("cache/apiserver-updater"))) {
      assertEquals(List.of(), left.filter(file -> !file.toString().endsWith(".lock")).toList());
    }
  }
}
