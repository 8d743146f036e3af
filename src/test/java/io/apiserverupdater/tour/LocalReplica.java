package io.apiserverupdater.tour;

import io.apiserverupdater.lab.HttpCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** An updater as a process of this machine. */
final class LocalReplica implements Replica {
  private final String name;
  private final List<String> command;
  private final String listener;
  private final Path log;
  private Program program;
  private long startedNanos;
  private boolean closed;

  /**
   * Starts it.
   *
   * @param listener where its health answers
   * @param folder for its log
   */
  LocalReplica(String name, List<String> command, String listener, Path folder) {
    this.name = name;
    this.command = command;
    this.listener = listener;
    this.log = folder.resolve(name + ".log");
    this.startedNanos = System.nanoTime();
    this.program = Program.start(command, Release.ENVIRONMENT, log, log);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public synchronized long startedNanos() {
    return startedNanos;
  }

  @Override
  public boolean ready() {
    return HttpCheck.ok("http://" + listener + "/readyz");
  }

  @Override
  public void kill() {
    current().kill();
  }

  @Override
  public int terminate(Duration limit) {
    Program running = current();
    running.terminate();
    return running.await(limit).exitCode();
  }

  @Override
  public synchronized void restart() {
    if (closed) {
      throw new TourException("the tour was ended");
    }
    startedNanos = System.nanoTime();
    program = Program.start(command, Release.ENVIRONMENT, log, log);
  }

  private synchronized Program current() {
    return program;
  }

  @Override
  public List<String> logLines() {
    try {
      return Files.exists(log) ? Files.readAllLines(log) : List.of();
    } catch (IOException e) {
      return List.of("cannot read " + log + ": " + e);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    program.kill();
  }
}
