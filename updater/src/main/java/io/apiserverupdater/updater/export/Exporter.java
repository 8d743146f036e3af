package io.apiserverupdater.updater.export;

import io.apiserverupdater.apiserver.time.Backoff;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Refusal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a load balancer's file in step with a source, on a thread of its own from {@link #start} to
 * {@link #close}. Changes that come within a second of the last one are written together, so that a
 * burst of them is few reloads.
 */
public final class Exporter implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Exporter.class);

  private static final Duration PAUSE = Duration.ofSeconds(1);

  /** Longer than a check and a command may take together. */
  private static final Duration LONGEST_SYNC = Duration.ofSeconds(70);

  private final Export export;
  private final ServerSource source;
  private final Semaphore changes = new Semaphore(0);
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Backoff backoff =
      new Backoff(
          Duration.ofSeconds(2),
          Duration.ofMinutes(1),
          () -> ThreadLocalRandom.current().nextDouble());
  private final Thread thread = new Thread(this::run, "exporter");

  // Of the thread only.
  private List<Refusal> refusals = List.of();
  private String failure = "";

  public Exporter(Export export, ServerSource source) {
    this.export = export;
    this.source = source;
  }

  public void start() {
    thread.start();
  }

  /** Something may have changed. */
  public void trigger() {
    changes.release();
  }

  /** Ends it, once a file that is being written is written and the balancer knows. */
  @Override
  public void close() {
    closed.countDown();
    changes.release();
    try {
      thread.join(LONGEST_SYNC.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (true) {
        changes.acquire();
        int unusedMore = changes.drainPermits();
        if (closed.getCount() == 0) {
          return;
        }
        Export.Result result = bringInStep();
        tell(result);
        Duration pause = Duration.ZERO;
        if (result instanceof Export.Result.Failed) {
          // Whatever happens meanwhile: each trial may be a reload of the balancer.
          pause = backoff.next();
          changes.release();
        } else {
          backoff.reset();
          pause = result instanceof Export.Result.Written ? PAUSE : Duration.ZERO;
        }
        if (closed.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Export.Result bringInStep() throws InterruptedException {
    try {
      Optional<List<EndpointSlice>> slices = source.slices();
      return slices.isPresent() ? export.bringInStep(slices.get()) : new Export.Result.Unchanged();
    } catch (RuntimeException e) {
      log.error("export=error message=\"{}\"", e, e);
      return new Export.Result.Failed("decide", e.toString());
    }
  }

  /** What is new. */
  private void tell(Export.Result result) {
    List<Refusal> now =
        result instanceof Export.Result.Refused refused
            ? refused.refusals()
            // Of what is refused it says nothing.
            : result instanceof Export.Result.Failed ? refusals : List.of();
    if (!now.equals(refusals)) {
      now.forEach(
          refusal ->
              log.warn(
                  "refused={} message=\"{}\" remedy=\"{}\"",
                  refusal.reason(),
                  refusal.message(),
                  refusal.remedy()));
      if (now.isEmpty()) {
        log.info("refused=none");
      }
      refusals = now;
    }
    Optional<Export.Result.Failed> failed =
        result instanceof Export.Result.Failed it ? Optional.of(it) : Optional.empty();
    // Balancers put the time or their process into what they say.
    String reason = failed.map(it -> it.reason().replaceAll("[0-9]+", "")).orElse("");
    if (!reason.equals(failure)) {
      if (failed.isPresent()) {
        log.warn("export=failed step={} reason=\"{}\"", failed.get().step(), failed.get().reason());
      } else if (!(result instanceof Export.Result.Refused)) {
        log.info("export=ok");
      }
      failure = reason;
    }
  }
}
