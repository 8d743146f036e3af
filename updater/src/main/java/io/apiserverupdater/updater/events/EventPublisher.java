package io.apiserverupdater.updater.events;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes events while this replica leads, from {@link #start} to {@link #close}, on one thread
 * of its own: whoever records an event waits for nothing. Thread-safe.
 */
public final class EventPublisher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EventPublisher.class);

  /**
   * What a standby has seen within this time before it leads, the old leader may not have told: the
   * two often go down together, the leader and the apiserver of its node.
   */
  static final Duration LOOK_BACK = Duration.ofSeconds(10);

  private static final Duration CALL = Duration.ofSeconds(3);
  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
  private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);

  /** A permission is granted by a person: what is refused waits for one. */
  private static final Duration REJECTED_RETRY = Duration.ofMinutes(5);

  /** SIGTERM to exit is to take less than a second in all. */
  private static final Duration STOP = Duration.ofMillis(100);

  private final EventSink sink;
  private final BooleanSupplier leads;
  private final LongSupplier monotonic;
  private final Thread thread = new Thread(this::run, "event-publisher");

  // Guarded by this.
  private final EventBacklog backlog;
  private boolean led;
  private boolean closed;
  private boolean dropping;

  // Of the publisher's thread only.
  private String lastFailure = "";
  private Duration retry = FIRST_RETRY;
  private long notBefore;

  /**
   * @param leads whether this replica leads
   * @param monotonic the monotonic clock, in nanoseconds
   */
  public EventPublisher(EventSink sink, BooleanSupplier leads, LongSupplier monotonic) {
    this.sink = sink;
    this.leads = leads;
    this.monotonic = monotonic;
    this.backlog = new EventBacklog(monotonic.getAsLong());
    this.notBefore = monotonic.getAsLong();
    thread.setDaemon(true);
  }

  public void start() {
    thread.start();
  }

  /** Takes an event; returns at once. */
  public synchronized void offer(Event event) {
    boolean leading = leads.getAsBoolean();
    if (!leading || !led) {
      backlog.forgetBefore(event.at().minus(LOOK_BACK));
    }
    led = leading;
    if (backlog.add(event)) {
      notifyAll();
    } else if (!dropping) {
      dropping = true;
      log.warn("events=dropped message=\"more than {} wait\"", EventBacklog.MOST_WAITING);
    }
  }

  /** Gives up the call that is under way, and what waits. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    thread.interrupt();
    try {
      thread.join(STOP.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      for (Optional<EventSeries> next = await(); next.isPresent(); next = await()) {
        try {
          publish(next.get());
        } catch (RuntimeException e) {
          log.error("events=error message=\"{}\"", e, e);
        }
      }
    } catch (InterruptedException e) {
      log.debug("event publisher interrupted");
    }
  }

  /** Waits for something that may be published now; empty at the end. */
  private synchronized Optional<EventSeries> await() throws InterruptedException {
    while (!closed) {
      long now = monotonic.getAsLong();
      boolean due = !backlog.isEmpty() && leads.getAsBoolean();
      long left =
          sink.subject().isEmpty()
              ? FIRST_RETRY.toNanos()
              : Math.max(backlog.earliest() - now, notBefore - now);
      if (due && left <= 0) {
        return Optional.of(backlog.take(now));
      }
      // While nothing is due, it looks up now and then, so that no lost signal lasts.
      TimeUnit.NANOSECONDS.timedWait(this, due ? left : TimeUnit.MINUTES.toNanos(1));
    }
    return Optional.empty();
  }

  private void publish(EventSeries news) {
    String subject = sink.subject().orElse("");
    Optional<EventSeries> before;
    synchronized (this) {
      before = backlog.published(news, subject);
    }
    EventSeries whole = before.map(earlier -> earlier.and(news)).orElse(news);
    EventSink.Outcome outcome =
        before.isPresent() ? sink.update(whole, CALL) : sink.create(whole, CALL);
    synchronized (this) {
      if (outcome instanceof EventSink.Outcome.Done) {
        backlog.isPublished(whole);
        dropping &= !backlog.isEmpty();
      } else {
        backlog.putBack(news);
      }
      if (outcome instanceof EventSink.Outcome.Gone) {
        // It begins again.
        backlog.isGone(news);
        return;
      }
    }
    if (outcome instanceof EventSink.Outcome.Rejected rejected) {
      pause(REJECTED_RETRY);
      tell(rejected.reason(), true);
    } else if (outcome instanceof EventSink.Outcome.Failed failed) {
      pause(retry);
      Duration doubled = retry.multipliedBy(2);
      retry = doubled.compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : doubled;
      tell(failed.reason(), false);
    } else {
      retry = FIRST_RETRY;
      tell("", false);
    }
  }

  private void pause(Duration time) {
    notBefore = monotonic.getAsLong() + time.toNanos();
  }

  /**
   * Tells of a failure once, and when it is over.
   *
   * @param reason empty when all is well
   * @param rejected whether it needs a person: that is told also after a passing failure
   */
  private void tell(String reason, boolean rejected) {
    boolean news =
        reason.isEmpty() != lastFailure.isEmpty() || (rejected && !reason.equals(lastFailure));
    if (!news || isClosed()) {
      return;
    }
    if (reason.isEmpty()) {
      log.info("events=ok");
    } else {
      log.warn("events=failed reason=\"{}\"", reason);
    }
    lastFailure = reason;
  }

  private synchronized boolean isClosed() {
    return closed;
  }
}
