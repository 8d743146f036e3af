package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which JDK {@code ./release} takes, and what it says of the glibc that its files need. */
@Tag("component")
@Tag("quick")
class ReleaseJdkTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));

  @TempDir Path folder;

  /** By deploy/runtime.sh, on a machine whose JDKs are in {@code folder}. */
  private String ask(Map<String, String> variables, String function, String argument)
      throws Exception {
    Path out = folder.resolve("out");
    ProcessBuilder builder =
        new ProcessBuilder(
            "bash",
            "-euo",
            "pipefail",
            "-c",
            ". deploy/runtime.sh && \"$@\"",
            "bash",
            function,
            argument);
    builder.environment().remove("JAVA_HOME");
    builder.environment().putAll(variables);
    Process process =
        builder
            .directory(ROOT.toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), () -> text(out));
    return text(out).strip();
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What can be seen of a JDK from outside. */
  private Path jdk(String name, String version, String architecture) throws IOException {
    Path jdk = folder.resolve("jvm").resolve(name);
    Files.createDirectories(jdk.resolve("bin"));
    for (String program : List.of("jlink", "javac")) {
      Path file = Files.writeString(jdk.resolve("bin").resolve(program), "#!/bin/sh\n");
      assertTrue(file.toFile().setExecutable(true));
    }
    Files.createDirectories(jdk.resolve("jmods"));
    Files.writeString(jdk.resolve("jmods/java.base.jmod"), "");
    Files.writeString(
        jdk.resolve("release"),
        "JAVA_VERSION=\"%s\"\nOS_ARCH=\"%s\"\n".formatted(version, architecture));
    return jdk;
  }

  /** The JDK for a release on this machine, where Debian's is in PATH. */
  private String releaseJdk(Map<String, String> variables) throws Exception {
    Path debian = jdk("java-17-openjdk-amd64", "17.0.9", "x86_64");
    Map<String, String> all = new HashMap<>(variables);
    all.put("PATH", debian.resolve("bin") + ":" + System.getenv("PATH"));
    return ask(all, "release_jdk", folder.resolve("jvm").toString());
  }

  @Test
  void takesTemurin17() throws Exception {
    Path temurin = jdk("temurin-17-jdk-amd64", "17.0.9", "x86_64");
    assertEquals(temurin.toString(), releaseJdk(Map.of()));
  }

  @Test
  void takesTheJdkThatIsAskedFor() throws Exception {
    jdk("temurin-17-jdk-amd64", "17.0.9", "x86_64");
    assertEquals("/some/jdk", releaseJdk(Map.of("JAVA_HOME", "/some/jdk")));
  }

  @Test
  void takesTheJdkInPathWhereThereIsNoSuitableTemurin() throws Exception {
    String debian = folder.resolve("jvm/java-17-openjdk-amd64").toString();
    assertEquals(debian, releaseJdk(Map.of()));
    // Larger, of another machine, and only a part of one.
    jdk("temurin-25-jdk-amd64", "25.0.3", "x86_64");
    jdk("temurin-17-jdk-arm64", "17.0.9", "aarch64");
    Path incomplete = jdk("temurin-17-jdk-amd64", "17.0.9", "x86_64");
    Files.delete(incomplete.resolve("jmods/java.base.jmod"));
    assertEquals(debian, releaseJdk(Map.of()));
  }

  @ParameterizedTest
  @ValueSource(strings = {", 2.34 on amd64, 2.9 on arm64", ", 2.9 on amd64, 2.29 on arm64"})
  void saysWhatToDoAboutAFloorThatIsTooNew(String floors) throws Exception {
    String advice = ask(Map.of(), "floor_advice", floors);
    assertTrue(advice.contains(" is newer than 2.28"), advice);
    assertTrue(advice.contains("Build with Temurin 17, in JAVA_HOME"), advice);
  }

  @ParameterizedTest
  @ValueSource(strings = {", 2.28 on amd64, 2.17 on arm64", ", 2.9 on amd64, 2.3.4 on arm64"})
  void isContentWithAFloorOfOldSystems(String floors) throws Exception {
    assertEquals("", ask(Map.of(), "floor_advice", floors));
  }
}
