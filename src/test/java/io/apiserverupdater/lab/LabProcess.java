package io.apiserverupdater.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * A running program of the lab: its process, its log file and the signals one can send it.
 * Thread-safe.
 */
public final class LabProcess implements AutoCloseable {
  private static final Duration DEATH = Duration.ofSeconds(10);
  private static final int TAIL_LINES = 40;

  private final String name;
  private final Process process;
  private final Path log;

  private LabProcess(String name, Process process, Path log) {
    this.name = name;
    this.process = process;
    this.log = log;
  }

  /** Starts a program; what it prints is appended to {@code log}. */
  public static LabProcess start(String name, ProcessBuilder builder, Path log) {
    try {
      Process process =
          builder
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .redirectInput(Path.of("/dev/null").toFile())
              .start();
      return new LabProcess(name, process, log);
    } catch (IOException e) {
      throw new LabException("cannot start " + name + ": " + builder.command(), e);
    }
  }

  public String name() {
    return name;
  }

  public long pid() {
    return process.pid();
  }

  public boolean alive() {
    return process.isAlive();
  }

  /** Empty while it runs; 128 + the signal for a killed process. */
  public OptionalInt exitCode() {
    return process.isAlive() ? OptionalInt.empty() : OptionalInt.of(process.exitValue());
  }

  /** SIGKILL; returns when the process is gone. */
  public void kill() {
    process.destroyForcibly();
    awaitExit(DEATH);
  }

  /** SIGTERM; returns at once. */
  public void terminate() {
    signal("TERM");
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  public void pause() {
    signal("STOP");
  }

  /** SIGCONT. */
  public void resume() {
    signal("CONT");
  }

  /** Sends the signal of that name, such as {@code HUP}; does nothing to a dead process. */
  public void signal(String signal) {
    if (process.isAlive()) {
      // The kill of the shell: procps, which has the program, is not on every machine.
      Execution.run(Duration.ofSeconds(5), "sh", "-c", "kill -" + signal + " " + process.pid());
    }
  }

  /**
   * Waits for its end.
   *
   * @return the exit code
   * @throws LabException when it still runs after {@code limit}
   */
  public int awaitExit(Duration limit) {
    try {
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new LabException(
            name + " still runs after " + limit.toMillis() + " ms. " + logTail());
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while waiting for the end of " + name, e);
    }
  }

  /**
   * Waits until {@code ready} holds; looks every 20 ms.
   *
   * @throws LabException with the tail of the log when the process ends or time is up first
   */
  void awaitReady(String what, BooleanSupplier ready, Deadline deadline) {
    try {
      while (!ready.getAsBoolean()) {
        if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
          throw new LabException(
              name
                  + " ended with code "
                  + process.exitValue()
                  + " before "
                  + what
                  + ". "
                  + logTail());
        }
        if (deadline.passed()) {
          throw new LabException(name + ": waited in vain for " + what + ". " + logTail());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while waiting for " + name, e);
    }
  }

  /** Waits until a line of the log satisfies the predicate. */
  public void awaitLog(String what, Predicate<String> line, Duration limit) {
    Deadline.in(limit)
        .await(
            what + " in the log of " + name,
            () -> logLines().stream().anyMatch(line),
            this::logTail);
  }

  public Path log() {
    return log;
  }

  /** All complete lines so far. */
  public List<String> logLines() {
    return logText().lines().toList();
  }

  public String logText() {
    return LabException.wrap(
        "cannot read " + log,
        () -> Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "");
  }

  /** The end of the log with a heading, for messages. */
  public String logTail() {
    List<String> lines = logLines();
    List<String> tail = lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size());
    return "The end of " + log + ":\n" + String.join("\n", tail);
  }

  /** Kills it if it still runs. */
  @Override
  public void close() {
    kill();
  }
}
