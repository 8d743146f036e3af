package io.apiserverupdater.updater.leaderelection;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** What the elector does next. */
public sealed interface LeaseDecision {

  /** Write a Lease that does not exist yet. */
  record Create(LeaseRecord next) implements LeaseDecision {}

  /** Take over a Lease that nobody holds, or whose holder is silent. */
  record Acquire(LeaseRecord next, String resourceVersion) implements LeaseDecision {}

  /** Prolong our own Lease. */
  record Renew(LeaseRecord next, String resourceVersion) implements LeaseDecision {}

  /** Nothing to do before the given moment of the monotonic clock, unless the Lease changes. */
  record Wait(long until) implements LeaseDecision {}

  /** The Lease is not known yet: read it. */
  record Read() implements LeaseDecision {}

  /** Stop leading, now. */
  record StepDown(String reason) implements LeaseDecision {}

  /**
   * Decides. Pure.
   *
   * @param lead our leadership, if we lead
   * @param sight what is known of the Lease
   * @param now the monotonic clock, in nanoseconds
   * @param wallClock for the times that people read
   */
  static LeaseDecision decide(
      ElectionSettings settings,
      Optional<Lead> lead,
      LeaseLock.Sight sight,
      long now,
      Instant wallClock) {
    return lead.isPresent()
        ? decideAsLeader(settings, lead.get(), sight, now, wallClock)
        : decideAsStandby(settings, sight, now, wallClock);
  }

  private static LeaseDecision decideAsLeader(
      ElectionSettings settings, Lead lead, LeaseLock.Sight sight, long now, Instant wallClock) {
    ObservedLease lease = sight.observed().orElse(null);
    if (lease != null && !lease.leaseRecord().isHeldBy(settings.identity())) {
      return new StepDown(
          lease.leaseRecord().isUnheld()
              ? "the Lease was released by another client"
              : "the Lease is held by " + lease.leaseRecord().holder());
    }
    if (now - lead.renewedAt() >= settings.renewDeadline().toNanos()) {
      return new StepDown(
          "no renewal succeeded within " + settings.renewDeadline().toMillis() + "ms");
    }
    if (sight instanceof LeaseLock.Sight.Absent) {
      return new StepDown("the Lease was deleted");
    }
    long due = lead.attemptedAt() + settings.retryPeriod().toNanos();
    if (now - due < 0) {
      return new Wait(due);
    }
    if (lease == null) {
      return new Read();
    }
    LeaseRecord mine = lease.leaseRecord();
    return new Renew(
        new LeaseRecord(
            settings.identity(),
            settings.leaseDuration(),
            mine.acquireTime(),
            Optional.of(wallClock),
            mine.transitions()),
        lease.resourceVersion());
  }

  private static LeaseDecision decideAsStandby(
      ElectionSettings settings, LeaseLock.Sight sight, long now, Instant wallClock) {
    if (sight instanceof LeaseLock.Sight.Unknown) {
      return new Read();
    }
    ObservedLease lease = sight.observed().orElse(null);
    if (lease == null) {
      return new Create(taken(settings, 0, wallClock));
    }
    LeaseRecord theirs = lease.leaseRecord();
    if (theirs.isHeldBy(settings.identity())) {
      // Ours, but the answer to our write was lost, or we could not renew it in time.
      return new Acquire(taken(settings, theirs.transitions(), wallClock), lease.resourceVersion());
    }
    if (!theirs.isUnheld()) {
      long expiry = lease.since() + patience(settings, theirs).toNanos();
      if (now - expiry < 0) {
        return new Wait(expiry);
      }
    }
    return new Acquire(
        taken(settings, oneMore(theirs.transitions()), wallClock), lease.resourceVersion());
  }

  /**
   * How long a silent holder is waited for: as long as it asked for or as we would ask, whichever
   * is longer, so that replicas with different settings do not overlap.
   */
  private static Duration patience(ElectionSettings settings, LeaseRecord theirs) {
    Duration longest = ElectionSettings.LONGEST_LEASE;
    Duration asked = theirs.duration().compareTo(longest) > 0 ? longest : theirs.duration();
    Duration ours = settings.leaseDuration();
    return asked.compareTo(ours) > 0 ? asked : ours;
  }

  /** The API takes no negative number: what cannot be counted further stays. */
  private static int oneMore(int transitions) {
    return transitions == Integer.MAX_VALUE ? transitions : transitions + 1;
  }

  private static LeaseRecord taken(ElectionSettings settings, int transitions, Instant wallClock) {
    return new LeaseRecord(
        settings.identity(),
        settings.leaseDuration(),
        Optional.of(wallClock),
        Optional.of(wallClock),
        transitions);
  }
}
