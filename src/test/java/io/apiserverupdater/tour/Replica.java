package io.apiserverupdater.tour;

import java.time.Duration;
import java.util.List;

/** An updater, running as a process. Used by one thread, except {@link #close}. */
interface Replica extends AutoCloseable {

  String name();

  /** When it was last started, by {@link System#nanoTime}. */
  long startedNanos();

  /** Whether its /readyz answers 200. */
  boolean ready();

  /** SIGKILL. */
  void kill();

  /** SIGTERM; returns the exit code when it has ended. */
  int terminate(Duration limit);

  /** Starts it again after its end. */
  void restart();

  /** What it logged, all its starts. */
  List<String> logLines();

  @Override
  void close();
}
