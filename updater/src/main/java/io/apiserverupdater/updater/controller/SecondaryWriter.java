package io.apiserverupdater.updater.controller;

import io.apiserverupdater.apiserver.time.Backoff;
import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.leaderelection.Leadership;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/**
 * Writes what no connection depends on, beside the reconciler: a webhook that holds such a write
 * up, or a permission that is missing for it, must not delay a slice. One write at a time, and none
 * while the last failure is backed off from. Thread-safe.
 */
final class SecondaryWriter {
  private final EndpointsClient client;
  private final Leadership leadership;
  private final LongSupplier monotonic;
  private final Executor executor;
  private final Runnable done;
  private final FailureLog failures =
      new FailureLog(
          "; kube-proxy does not need this object: --write-endpoints=false leaves it out");

  // All guarded by this.
  private final Backoff backoff;
  private boolean busy;
  private long notBefore;

  /**
   * @param executor runs one write, on a thread that may wait
   * @param done called after each write
   */
  SecondaryWriter(
      EndpointsClient client,
      Leadership leadership,
      LongSupplier monotonic,
      DoubleSupplier random,
      Executor executor,
      Runnable done) {
    this.client = client;
    this.leadership = leadership;
    this.monotonic = monotonic;
    this.executor = executor;
    this.done = done;
    this.backoff = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(15), random);
    this.notBefore = monotonic.getAsLong();
  }

  /**
   * Writes a change, unless another write is under way or has just failed.
   *
   * @return whether it was taken
   */
  boolean offer(Change change) {
    synchronized (this) {
      if (busy || notBefore - monotonic.getAsLong() > 0) {
        return false;
      }
      busy = true;
    }
    executor.execute(() -> write(change));
    return true;
  }

  /** How long after a failure nothing is taken; zero also while a write is under way. */
  synchronized Duration left() {
    return Duration.ofNanos(busy ? 0 : Math.max(0, notBefore - monotonic.getAsLong()));
  }

  /** The object is as it should be, whoever made it so. */
  synchronized void upToDate() {
    failures.tell("");
    backoff.reset();
  }

  /** The failures of an earlier leader, or of an earlier turn, need not be told again. */
  void forget() {
    failures.forget();
  }

  private void write(Change change) {
    Optional<Duration> asked = Optional.of(Duration.ZERO);
    try {
      Duration certain = leadership.certainFor();
      if (!certain.isZero()) {
        asked = carryOut(change, certain);
      }
    } finally {
      synchronized (this) {
        busy = false;
        Duration pause =
            asked
                .map(least -> EndpointsReconciler.longer(backoff.next(), least))
                .orElse(Duration.ZERO);
        notBefore = monotonic.getAsLong() + pause.toNanos();
      }
      done.run();
    }
  }

  /**
   * Empty when it is written; else how long the server asked to be left alone, zero if it did not.
   */
  private Optional<Duration> carryOut(Change change, Duration certain) {
    EndpointsClient.WriteResult result =
        client.apply(change, EndpointsReconciler.shorter(certain, EndpointsClient.LONGEST_WRITE));
    if (result instanceof EndpointsClient.WriteResult.Written) {
      return Optional.empty();
    }
    if (Thread.currentThread().isInterrupted()) {
      return Optional.of(Duration.ZERO);
    }
    if (result instanceof EndpointsClient.WriteResult.NotWritten refused) {
      failures.tell(refused.describe(change));
    }
    if (!(result instanceof EndpointsClient.WriteResult.Rejected)) {
      // It may have landed, or another one's has: what is there decides what is done next.
      client.reread();
    }
    return Optional.of(
        result instanceof EndpointsClient.WriteResult.Failed failed
            ? failed.retryAfter().orElse(Duration.ZERO)
            : Duration.ZERO);
  }
}
