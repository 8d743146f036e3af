package io.apiserverupdater.tour;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Owns what must not outlive the tour, and ends it in reverse order, once. Thread-safe: a signal
 * can end the tour in the middle of a step, and nothing can be started afterwards.
 */
final class Backstage implements AutoCloseable {
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private final CountDownLatch over = new CountDownLatch(1);

  /**
   * Starts something that is ended by {@link #close}. What is started is quick to start: an end
   * waits for it.
   *
   * @throws TourException when the tour is over
   */
  synchronized <T extends AutoCloseable> T own(Supplier<T> start) {
    if (over()) {
      throw new TourException("the tour was ended");
    }
    T started = start.get();
    owned.push(started);
    return started;
  }

  /** Whether its end has begun; never waits. */
  boolean over() {
    return over.getCount() == 0;
  }

  /** Whether its end begins within a time. */
  boolean overWithin(Duration limit) throws InterruptedException {
    return over.await(limit.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    over.countDown();
    synchronized (this) {
      while (!owned.isEmpty()) {
        AutoCloseable next = owned.pop();
        try {
          next.close();
        } catch (Exception e) {
          System.err.println("try: could not end " + next + ": " + e);
        }
      }
    }
  }
}
