package io.apiserverupdater.updater.controller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(5)
class ReconcileQueueTest {
  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  private final AtomicLong clock = new AtomicLong(17 * SECOND);
  private final ReconcileQueue queue = new ReconcileQueue(clock::get);
  private final ExecutorService workers = Executors.newCachedThreadPool();

  @AfterEach
  void close() {
    queue.close();
    workers.shutdownNow();
  }

  private Future<Boolean> takeElsewhere(long notBefore) {
    return workers.submit(() -> queue.take(notBefore));
  }

  private static void assertWaits(Future<Boolean> taken) {
    assertThrows(TimeoutException.class, () -> taken.get(20, TimeUnit.MILLISECONDS));
  }

  private static boolean get(Future<Boolean> taken)
      throws InterruptedException, ExecutionException, TimeoutException {
    return taken.get(2, TimeUnit.SECONDS);
  }

  @Test
  void manyAdditionsAreFoundOnce() throws Exception {
    for (int i = 0; i < 100; i++) {
      queue.add();
    }
    assertTrue(queue.take(clock.get()));
    assertWaits(takeElsewhere(clock.get()));
  }

  @Test
  void additionDuringWorkIsFoundAgain() throws Exception {
    queue.add();
    assertTrue(queue.take(clock.get()));
    queue.add();
    assertTrue(queue.take(clock.get()));
  }

  @Test
  void additionWakesWaitingWorker() throws Exception {
    Future<Boolean> taken = takeElsewhere(clock.get());
    assertWaits(taken);
    queue.add();
    assertTrue(get(taken));
  }

  @Test
  void planIsDueAtItsMoment() throws Exception {
    queue.addBy(clock.get() + SECOND);
    clock.addAndGet(SECOND);
    assertTrue(queue.take(clock.get()));
  }

  @Test
  void planIsNotDueBefore() throws Exception {
    queue.addBy(clock.get() + 60 * SECOND);
    Future<Boolean> taken = takeElsewhere(clock.get());
    assertWaits(taken);
    clock.addAndGet(60 * SECOND);
    // The waiting worker sleeps by the real clock; a sooner plan makes it look at ours.
    queue.addBy(clock.get() - 1);
    assertTrue(get(taken));
  }

  @Test
  void soonerOfTwoPlansCounts() throws Exception {
    queue.addBy(clock.get());
    queue.addBy(clock.get() + 60 * SECOND);
    assertTrue(queue.take(clock.get()));
    queue.addBy(clock.get() + 60 * SECOND);
    queue.addBy(clock.get());
    assertTrue(queue.take(clock.get()));
    queue.addBy(clock.get() + 60 * SECOND);
    assertWaits(takeElsewhere(clock.get()));
  }

  @Test
  void additionIsHeldBackUntilTheGivenMoment() throws Exception {
    queue.add();
    Future<Boolean> taken = takeElsewhere(clock.get() + 60 * SECOND);
    assertWaits(taken);
    clock.addAndGet(60 * SECOND);
    queue.add();
    assertTrue(get(taken));
  }

  @Test
  void takenKeyUsesUpThePlanToo() throws Exception {
    queue.addBy(clock.get() + SECOND);
    queue.add();
    assertTrue(queue.take(clock.get()));
    clock.addAndGet(SECOND);
    assertWaits(takeElsewhere(clock.get()));
  }

  @Test
  void closingEndsTheWait() throws Exception {
    Future<Boolean> taken = takeElsewhere(clock.get());
    assertWaits(taken);
    queue.close();
    assertFalse(get(taken));
  }

  @Test
  void closedQueueGivesNothingEvenWhenAdded() throws Exception {
    queue.add();
    queue.close();
    assertEquals(false, queue.take(clock.get()));
  }
}
