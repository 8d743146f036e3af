package io.apiserverupdater.bootstrap.commands;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Interrupts a thread when the program is told to end (SIGTERM), until that is over: the Java
 * runtime by itself would end without the finally blocks.
 */
final class Termination {
  /** systemd kills the hand-over after 2 s. */
  private static final Duration PATIENCE = Duration.ofMillis(1_500);

  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook;

  private Termination(Thread worker) {
    hook = new Thread(() -> end(worker), "termination");
  }

  static Termination interrupting(Thread worker) {
    Termination termination = new Termination(worker);
    Runtime.getRuntime().addShutdownHook(termination.hook);
    return termination;
  }

  private void end(Thread worker) {
    if (ended.getCount() == 0) {
      return;
    }
    worker.interrupt();
    try {
      boolean unusedInTime = ended.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** From now on there is nothing to end. */
  void over() {
    ended.countDown();
    try {
      // A hand-over that is tried again and again must not leave one behind each time.
      boolean unusedKnown = Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The program is ending.
    }
  }
}
