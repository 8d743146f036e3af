package io.apiserverupdater.updater.leaderelection;

import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes part in the election from {@link #start} to {@link #close}, on one thread of its own.
 *
 * <p>What it is not: a fence. A write that was sent while the Lease was ours may land after it has
 * gone to somebody else, so every write also names the version that it was decided on.
 */
public final class LeaderElector implements Leadership, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LeaderElector.class);

  /** How long a call under way is waited for before the Lease is released. */
  private static final Duration PATIENCE = Duration.ofMillis(200);

  private static final Duration RELEASE = Duration.ofMillis(500);

  /** A permission is granted by a person: what is refused again and again waits for one. */
  private static final Duration REJECTED_RETRY = Duration.ofSeconds(15);

  private static final int FEW_REJECTIONS = 5;

  private final ElectionSettings settings;
  private final LeaseLock lock;
  private final BooleanSupplier fit;
  private final LongSupplier monotonic;
  private final Clock wallClock;
  private final Thread thread = new Thread(this::run, "leader-elector");
  private volatile Consumer<String> listener = turn -> {};

  // Guarded by this.
  private boolean leaseChanged;
  private boolean closing;
  private boolean releasing;

  // Written by the elector's thread only.
  private volatile Optional<Lead> lead = Optional.empty();
  private String lastSeenHolder = "";
  private String lastFailure = "";
  private String lastRejection = "";
  private int rejections;

  /**
   * @param fit whether this replica can do the leader's work: if not, it hands the Lease over and
   *     does not ask for it
   */
  public LeaderElector(
      ElectionSettings settings,
      LeaseLock lock,
      BooleanSupplier fit,
      LongSupplier monotonic,
      Clock wallClock) {
    this.settings = settings;
    this.lock = lock;
    this.fit = fit;
    this.monotonic = monotonic;
    this.wallClock = wallClock;
    lock.onChange(this::wake);
  }

  /**
   * Begins to take part.
   *
   * @param turns told of every turn in words, on the elector's thread: be brief
   */
  public void start(Consumer<String> turns) {
    tell(turns);
    thread.start();
  }

  void tell(Consumer<String> turns) {
    listener = turns;
  }

  @Override
  public Duration certainFor() {
    long deadline = settings.renewDeadline().toNanos();
    return lead.map(current -> deadline - (monotonic.getAsLong() - current.renewedAt()))
        .filter(left -> left > 0)
        .map(Duration::ofNanos)
        .orElse(Duration.ZERO);
  }

  /** Whether the elector's thread runs: what a liveness check asks. */
  public boolean isAlive() {
    return thread.isAlive();
  }

  /** Who holds the Lease as far as is known; empty when nobody does. */
  public String holder() {
    return lock.sight().observed().map(lease -> lease.leaseRecord().holder()).orElse("");
  }

  /**
   * Stops taking part and, when leading, releases the Lease, so that a standby takes over at once.
   * Call it after all work that needs the Lease has stopped.
   */
  @Override
  public void close() {
    synchronized (this) {
      closing = true;
      notifyAll();
    }
    try {
      thread.join(PATIENCE.toMillis());
      synchronized (this) {
        // A call that nobody answers must not hold up the end; the release has its own time.
        if (!releasing) {
          thread.interrupt();
        }
      }
      thread.join(RELEASE.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void wake() {
    leaseChanged = true;
    notifyAll();
  }

  private void run() {
    boolean goOn = true;
    while (goOn) {
      long now = monotonic.getAsLong();
      long sleepUntil;
      try {
        sleepUntil = step(now);
      } catch (RuntimeException e) {
        log.error("election=error message=\"{}\"", e.toString(), e);
        sleepUntil = now + settings.retryPeriod().toNanos();
      }
      goOn = awaitChange(sleepUntil);
    }
    release("shutting down");
  }

  /** One decision, carried out; returns when to decide again at the latest. */
  long step(long now) {
    tellOfNewHolder();
    if (!fit.getAsBoolean()) {
      release("it cannot read what it is to mirror, or the target");
      synchronized (this) {
        releasing = closing;
      }
      return now + settings.retryPeriod().toNanos();
    }
    LeaseDecision decision =
        LeaseDecision.decide(settings, lead, lock.sight(), now, wallClock.instant());
    if (decision instanceof LeaseDecision.Wait wait) {
      if (lead.isEmpty()) {
        // Whoever it waits for was heard of after the failure.
        tellOfRecovery();
      }
      return wait.until();
    }
    if (decision instanceof LeaseDecision.StepDown stepDown) {
      lead = Optional.empty();
      log.warn("leading=false identity={} reason=\"{}\"", settings.identity(), stepDown.reason());
      listener.accept("stopped: " + stepDown.reason());
      return now;
    }
    if (decision instanceof LeaseDecision.Read) {
      return afterRead(lock.read(callTimeout(now)), now);
    }
    if (decision instanceof LeaseDecision.Create create) {
      long next = afterTaking(lock.create(create.next(), callTimeout(now)), now);
      // There is one already, and the list does not show it: to try again at once would be a loop.
      boolean unseen = lead.isEmpty() && lock.sight() instanceof LeaseLock.Sight.Absent;
      return unseen ? Math.max(next, now + settings.retryPeriod().toNanos()) : next;
    }
    if (decision instanceof LeaseDecision.Acquire acquire) {
      return afterTaking(
          lock.update(acquire.next(), acquire.resourceVersion(), callTimeout(now)), now);
    }
    LeaseDecision.Renew renew = (LeaseDecision.Renew) decision;
    LeaseLock.Outcome outcome =
        lock.update(renew.next(), renew.resourceVersion(), callTimeout(now));
    if (outcome instanceof LeaseLock.Outcome.Done) {
      tellOfRecovery();
      boolean lapsed = !isCertain();
      lead = Optional.of(new Lead(now, now));
      if (lapsed) {
        // What was left undone while the Lease was not certainly ours can be done now.
        listener.accept("certain again");
      }
      return now;
    }
    lead = lead.map(current -> new Lead(current.renewedAt(), now));
    return afterFailure(outcome, now);
  }

  private long afterTaking(LeaseLock.Outcome outcome, long sentAt) {
    if (outcome instanceof LeaseLock.Outcome.Done) {
      tellOfRecovery();
      lead = Optional.of(new Lead(sentAt, sentAt));
      log.info("leading=true identity={}", settings.identity());
      listener.accept("started");
      return sentAt;
    }
    return afterFailure(outcome, sentAt);
  }

  /** After a conflict or a failed write the Lease is read again before anything is decided. */
  private long afterFailure(LeaseLock.Outcome outcome, long now) {
    tellOfFailure(outcome);
    long next = afterRead(lock.read(callTimeout(now)), now);
    return outcome instanceof LeaseLock.Outcome.Conflict
        ? next
        : Math.max(next, nextTry(outcome, now));
  }

  private long afterRead(LeaseLock.Outcome outcome, long now) {
    if (outcome instanceof LeaseLock.Outcome.Done) {
      return now;
    }
    tellOfFailure(outcome);
    return nextTry(outcome, now);
  }

  /** A leader tries on until its deadline; who does not lead has time. */
  private long nextTry(LeaseLock.Outcome outcome, long now) {
    rejections = outcome instanceof LeaseLock.Outcome.Rejected ? rejections + 1 : 0;
    boolean forGood = rejections > FEW_REJECTIONS && lead.isEmpty();
    return now + (forGood ? REJECTED_RETRY : settings.retryPeriod()).toNanos();
  }

  /**
   * A leader's call may take half of the deadline, so that there is time for a second one, and no
   * longer than it leads. Who does not lead has nothing to lose by waiting.
   */
  private Duration callTimeout(long now) {
    if (lead.isEmpty()) {
      return settings.renewDeadline();
    }
    long deadline = settings.renewDeadline().toNanos();
    long left = lead.get().renewedAt() + deadline - now;
    return Duration.ofNanos(
        Math.min(deadline / 2, Math.max(left, TimeUnit.MILLISECONDS.toNanos(50))));
  }

  /** Anybody who may write the Lease may have chosen it: it must not look like other keys. */
  private static String word(String holder) {
    return holder.matches("[^\\s\"=]+") ? holder : '"' + holder.replace('"', '\'') + '"';
  }

  private void tellOfNewHolder() {
    String holder = holder();
    if (!holder.equals(lastSeenHolder)) {
      lastSeenHolder = holder;
      if (!holder.equals(settings.identity())) {
        log.info("holder={}", holder.isEmpty() ? "none" : word(holder));
      }
    }
  }

  private void tellOfFailure(LeaseLock.Outcome outcome) {
    boolean turnedDown = outcome instanceof LeaseLock.Outcome.Rejected;
    String reason;
    if (outcome instanceof LeaseLock.Outcome.Failed failed) {
      reason = failed.reason();
    } else if (outcome instanceof LeaseLock.Outcome.Rejected rejected) {
      reason = rejected.reason();
    } else {
      return;
    }
    // A rejection is told also after a passing failure: it needs a person.
    boolean news = turnedDown && !reason.equals(lastRejection);
    if (turnedDown) {
      lastRejection = reason;
    }
    if (lastFailure.isEmpty() || news) {
      log.warn("lease=unreachable reason=\"{}\"", reason);
    } else {
      log.debug("lease=unreachable reason=\"{}\"", reason);
    }
    lastFailure = reason;
  }

  private void tellOfRecovery() {
    if (!lastFailure.isEmpty()) {
      lastFailure = "";
      lastRejection = "";
      log.info("lease=reachable");
    }
  }

  /** Waits until the moment has come, the Lease has changed, or the end; false at the end. */
  private synchronized boolean awaitChange(long until) {
    try {
      long left = until - monotonic.getAsLong();
      while (!closing && !leaseChanged && left > 0) {
        TimeUnit.NANOSECONDS.timedWait(this, left);
        left = until - monotonic.getAsLong();
      }
      leaseChanged = false;
      return !closing;
    } catch (InterruptedException e) {
      return false;
    }
  }

  private void release(String reason) {
    if (lead.isEmpty()) {
      return;
    }
    synchronized (this) {
      releasing = true;
      // Of a call that was given up for the end's sake. It is not to end this one, too.
      boolean unusedInterrupt = Thread.interrupted();
    }
    boolean certain = isCertain();
    lead = Optional.empty();
    listener.accept("stopped: " + reason);
    boolean released = certain && lock.sight().observed().map(this::giveBack).orElse(false);
    log.info(
        "leading=false identity={} reason=\"{}\" released={}",
        settings.identity(),
        reason,
        released);
  }

  /** Whether the Lease was ours, and has no holder now. */
  private boolean giveBack(ObservedLease lease) {
    LeaseRecord held = lease.leaseRecord();
    LeaseRecord free =
        new LeaseRecord(
            "",
            Duration.ofSeconds(1),
            held.acquireTime(),
            Optional.of(wallClock.instant()),
            held.transitions());
    return held.isHeldBy(settings.identity())
        && lock.update(free, lease.resourceVersion(), RELEASE) instanceof LeaseLock.Outcome.Done;
  }
}
