package io.apiserverupdater.bootstrap.commands;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TerminationTest {
  /** A program that has something to end, and what it then says. */
  static final class Waiting {
    private Waiting() {}

    public static void main(String[] arguments) throws InterruptedException {
      Termination termination = Termination.interrupting(Thread.currentThread());
      try {
        System.out.println("waits");
        new CountDownLatch(1).await();
      } finally {
        System.out.println("steps back");
        termination.over();
      }
    }
  }

  private static String folder(Class<?> of) throws Exception {
    return Path.of(of.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  @Test
  void programThatIsToldToEndEndsWhatItIsAt() throws Exception {
    Process program =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                folder(Termination.class) + File.pathSeparator + folder(Waiting.class),
                Waiting.class.getName())
            .redirectErrorStream(true)
            .start();
    try (BufferedReader output = program.inputReader()) {
      assertEquals("waits", output.readLine());
      // That of the process itself would close its output too.
      assertTrue(program.toHandle().destroy());
      assertEquals("steps back", output.readLine());
      assertTrue(program.waitFor(30, TimeUnit.SECONDS));
      assertEquals(128 + 15, program.exitValue());
    } finally {
      program.destroyForcibly();
    }
  }
}
