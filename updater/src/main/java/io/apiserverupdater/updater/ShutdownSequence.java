package io.apiserverupdater.updater;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Stops the parts in the reverse order of their start. Thread-safe. */
final class ShutdownSequence {
  private static final Logger log = LoggerFactory.getLogger(ShutdownSequence.class);

  private static final int ERROR = 2;

  private record Part(String name, AutoCloseable part) {}

  private final Deque<Part> parts = new ArrayDeque<>();
  private final CountDownLatch done = new CountDownLatch(1);

  /** Adds a part that has just been started. */
  synchronized void add(String name, AutoCloseable part) {
    parts.push(new Part(name, part));
  }

  /** Lets SIGTERM and SIGINT stop all parts and end the process with exit code 0. */
  void endWithSignal() {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  stop();
                  // A JVM that ends by a signal would say 143, and supervisors count that a
                  // failure.
                  Runtime.getRuntime().halt(0);
                },
                "shutdown"));
  }

  /**
   * Lets an error that ends a thread end the process, with exit code 2. A part without its thread
   * does nothing any more, while another one may go on to renew the Lease; the standby takes over
   * once nobody does.
   */
  static void endWithError() {
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, thrown) -> {
          log.error(
              "ended=\"thread {}\" error=\"{}\"", thread.getName(), thrown.toString(), thrown);
          if (thrown instanceof Error) {
            // Without a stop: it might wait for the very thread that has ended.
            Runtime.getRuntime().halt(ERROR);
          }
        });
  }

  /** Waits until all parts have been stopped. */
  void await() throws InterruptedException {
    done.await();
  }

  synchronized void stop() {
    long start = System.nanoTime();
    while (!parts.isEmpty()) {
      Part part = parts.pop();
      try {
        part.part().close();
      } catch (Exception | Error e) {
        // Whatever it is, the next part is the one that releases the Lease.
        log.warn("stop={} error=\"{}\"", part.name(), e.toString());
      }
    }
    log.info("stopped=true after={}ms", (System.nanoTime() - start) / 1_000_000);
    done.countDown();
  }
}
