package io.apiserverupdater.tour;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A process of this machine; its output goes to files. Thread-safe. */
record Program(Process process, List<String> command, Path out, Path err) implements AutoCloseable {
  private static final Duration DEATH = Duration.ofSeconds(5);

  /** A program that has ended. */
  record Result(int exitCode, String out, String err) {}

  /**
   * Starts it; output is appended to the files.
   *
   * @param environment on top of this process's own, without what would lead kubectl's kind
   *     elsewhere
   */
  static Program start(List<String> command, Map<String, String> environment, Path out, Path err) {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(ProcessBuilder.Redirect.appendTo(out.toFile()))
            .redirectError(ProcessBuilder.Redirect.appendTo(err.toFile()));
    builder.environment().keySet().removeAll(List.of("KUBECONFIG", "POD_NAME", "POD_NAMESPACE"));
    builder.environment().putAll(environment);
    try {
      return new Program(builder.start(), command, out, err);
    } catch (IOException e) {
      throw new TourException("cannot start " + command.get(0) + ": " + e.getMessage(), e);
    }
  }

  /** Waits for its end, which must come in time. */
  Result await(Duration limit) {
    try {
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new TourException(
            String.join(" ", command)
                + " was not done after "
                + limit.toSeconds()
                + " s\n"
                + text(err));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TourException("interrupted while waiting for " + command.get(0), e);
    }
    return new Result(process.exitValue(), text(out), text(err));
  }

  /** SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** SIGKILL, to what it has started too; returns when it is gone. */
  void kill() {
    // The launcher is a shell for a moment, and what it runs then would outlive it.
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
    try {
      if (!process.waitFor(DEATH.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new TourException("process " + process.pid() + " does not die");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    kill();
  }

  @Override
  public String toString() {
    return command.get(0) + " (process " + process.pid() + ")";
  }

  private static String text(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      return "cannot read " + file + ": " + e;
    }
  }
}
