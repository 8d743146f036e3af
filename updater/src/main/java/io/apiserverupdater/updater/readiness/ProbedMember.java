package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.events.EventReason;
import io.apiserverupdater.updater.events.EventRecorder;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One member that is being probed, on one thread of its own from {@link #start} to the end. */
final class ProbedMember implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ProbedMember.class);

  private final Member member;
  private final ProbePolicy policy;
  private final EventRecorder events;
  private final CertificateLog certificates;
  private final LongSupplier monotonic;
  private final ProbeSchedule schedule;
  private final Runnable changed;
  private final MemberProbe probe;
  private final Thread thread;

  // Guarded by this.
  private boolean closed;
  private Optional<Long> leavesAt = Optional.empty();

  private volatile MemberObservation observation = MemberObservation.NONE;

  ProbedMember(
      Member member,
      ApiserverAddress address,
      Function<ApiserverAddress, MemberProbe> probes,
      ProbePolicy policy,
      EventRecorder events,
      CertificateLog certificates,
      LongSupplier monotonic,
      ProbeSchedule schedule,
      Runnable changed) {
    this.member = member;
    this.policy = policy;
    this.events = events;
    this.certificates = certificates;
    this.monotonic = monotonic;
    this.schedule = schedule;
    this.changed = changed;
    this.probe = probes.apply(address);
    this.thread = new Thread(this::run, "probe-" + member);
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  MemberHealth health() {
    return observation.health();
  }

  MemberObservation observation() {
    return observation;
  }

  boolean isAlive() {
    return thread.isAlive();
  }

  /** It has left the source; it is probed for a while yet, because it may come back. */
  synchronized void leave(Duration linger) {
    if (leavesAt.isEmpty()) {
      leavesAt = Optional.of(monotonic.getAsLong() + linger.toNanos());
    }
  }

  /**
   * It is back in the source.
   *
   * @return whether it is still being probed
   */
  synchronized boolean rejoin() {
    leavesAt = Optional.empty();
    return !closed;
  }

  /** Tells the thread to end; a question under way ends by its deadline at the latest. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    probe.close();
  }

  private void run() {
    ReadinessTracker tracker = new ReadinessTracker(policy);
    try {
      boolean goOn = true;
      while (goOn) {
        long asked = monotonic.getAsLong();
        ProbeResult result = probe.ask(policy.timeout());
        if (isClosed() || Thread.currentThread().isInterrupted()) {
          return;
        }
        if (result instanceof ProbeResult.Unreachable silence && silence.heldUp()) {
          log.debug("probe={} heldup=true", member);
          goOn = awaitNext(tracker);
        } else {
          take(tracker, result, asked);
          goOn = tracker.wantsConfirmation() || awaitNext(tracker);
        }
      }
    } catch (InterruptedException e) {
      log.debug("probe={} interrupted", member);
    } finally {
      close();
    }
  }

  private void take(ReadinessTracker tracker, ProbeResult result, long asked) {
    long now = monotonic.getAsLong();
    Optional<MemberHealth> turned = tracker.observe(result, now);
    observation =
        new MemberObservation(
            tracker.health(),
            turned.isPresent() ? Optional.of(now) : observation.since(),
            result instanceof ProbeResult.Unreachable
                ? Optional.empty()
                : Optional.of(Duration.ofNanos(now - asked)),
            probe.certificateEnd());
    if (turned.isPresent()) {
      // First what is urgent, then the word about it.
      changed.run();
      if (turned.get().isReady()) {
        log.info("member=ready address={}", member);
        events.record(EventReason.MEMBER_READY, member.toString(), member + " is ready");
      } else {
        log.warn("member=unready address={} evidence=\"{}\"", member, turned.get().evidence());
        events.record(
            EventReason.MEMBER_UNREADY,
            member.toString(),
            member + " is not ready: " + turned.get().evidence());
      }
    }
    observation.certificateEnds().ifPresent(end -> certificates.observe(member, end));
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  /**
   * Waits for the next probe, or until the connection is lost. A member that has begun to answer is
   * probed again after half of the interval.
   *
   * @return false at the end
   */
  private boolean awaitNext(ReadinessTracker tracker) throws InterruptedException {
    probe.awaitNext(
        tracker.isRising()
            ? policy.interval().dividedBy(2)
            : schedule.untilNext(monotonic.getAsLong()));
    synchronized (this) {
      // Under the lock: whoever rejoins from now on learns that this one has ended.
      closed |= leavesAt.isPresent() && monotonic.getAsLong() - leavesAt.get() >= 0;
      return !closed;
    }
  }
}
