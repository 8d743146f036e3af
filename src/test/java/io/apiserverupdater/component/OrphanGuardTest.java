package io.apiserverupdater.component;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class OrphanGuardTest {
  /** Starts a program, as a test starts the updater, and says which process that is. */
  static final class Starter {
    private Starter() {}

    public static void main(String[] arguments) throws Exception {
      // The shell runs it in a process of its own, as a launcher may.
      ProcessBuilder builder = new ProcessBuilder("sh", "-c", "sleep 300 & echo $!; wait");
      OrphanGuard.mark(builder.environment());
      int unusedCode = builder.redirectOutput(ProcessBuilder.Redirect.INHERIT).start().waitFor();
    }
  }

  @Test
  void whatATestHasStartedEndsWithTheProcessOfTheTests() throws Exception {
    Process tests =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Starter.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(tests.getInputStream(), StandardCharsets.UTF_8))) {
      ProcessHandle orphan = ProcessHandle.of(Long.parseLong(lines.readLine())).orElseThrow();
      try {
        assertTrue(orphan.isAlive());
        tests.destroyForcibly();
        ProcessHandle unusedEnd = orphan.onExit().get(20, TimeUnit.SECONDS);
      } finally {
        orphan.destroyForcibly();
      }
    } finally {
      tests.destroyForcibly();
    }
  }
}
