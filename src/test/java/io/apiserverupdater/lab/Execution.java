package io.apiserverupdater.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A command that has run to its end.
 *
 * @param command the command line, for messages
 * @param exitCode as the shell would report it: 128 + the signal for a killed process
 */
public record Execution(String command, int exitCode, String out, String err) {
  /** A private tmpfs, so leftovers of a killed JVM vanish with the universe. */
  private static final Path SCRATCH = Path.of("/run/lab");

  /** Runs a command with empty input; it is killed when it is not done in time. */
  public static Execution run(ProcessBuilder builder, Duration limit) {
    return run(builder, "", limit);
  }

  /** Runs a command that reads {@code input}. */
  public static Execution run(ProcessBuilder builder, String input, Duration limit) {
    String command = String.join(" ", builder.command());
    try {
      // Files instead of pipes: no thread is needed to keep a talkative command from blocking.
      Path in = Files.createTempFile(SCRATCH, "in", "");
      Path out = Files.createTempFile(SCRATCH, "out", "");
      Path err = Files.createTempFile(SCRATCH, "err", "");
      try {
        Files.writeString(in, input);
        Process process =
            builder
                .redirectInput(in.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
          process.destroyForcibly();
          throw new LabException(
              "not done after "
                  + limit.toSeconds()
                  + " s: "
                  + command
                  + "\n"
                  + Files.readString(out)
                  + Files.readString(err));
        }
        return new Execution(
            command, process.exitValue(), Files.readString(out), Files.readString(err));
      } finally {
        Files.deleteIfExists(in);
        Files.deleteIfExists(out);
        Files.deleteIfExists(err);
      }
    } catch (IOException e) {
      throw new LabException("cannot run " + command, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while running " + command, e);
    }
  }

  /** Runs a command in the current folder and environment, with empty input. */
  public static Execution run(Duration limit, String... command) {
    return run(new ProcessBuilder(command), limit);
  }

  /** This execution, if it ended with exit code 0; otherwise throws what the command said. */
  public Execution orThrow() {
    if (exitCode != 0) {
      throw new LabException("exit code " + exitCode + " of " + command + "\n" + out + err);
    }
    return this;
  }
}
