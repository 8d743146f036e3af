package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.updater.controller.MemberHealths;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.events.EventRecorder;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * Probes every member from when it joins until a while after it has left, or until {@link #close}:
 * one that restarts leaves the source and comes back, and what is known of it counts. Thread-safe.
 */
public final class MemberProbing implements MemberHealths, AutoCloseable {
  private static final Duration LINGER = Duration.ofSeconds(30);

  private final Function<ApiserverAddress, MemberProbe> probes;
  private final ProbePolicy policy;
  private final EventRecorder events;
  private final CertificateLog certificates;
  private final LongSupplier monotonic;
  private final ProbeSchedule schedule;
  private final Map<Member, ProbedMember> members = new ConcurrentHashMap<>();
  private final Map<Member, ProbedMember> left = new HashMap<>(); // Guarded by this.
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  // Guarded by this.
  private boolean closed;

  /**
   * @param probes makes the probe of one member; nothing is sent yet
   * @param events told of each transition, and of certificates that expire soon
   * @param clock the wall clock, for certificates
   * @param monotonic the monotonic clock, in nanoseconds
   * @param random from 0 (inclusive) to 1 (exclusive): varies the interval
   */
  public MemberProbing(
      Function<ApiserverAddress, MemberProbe> probes,
      ProbePolicy policy,
      EventRecorder events,
      Clock clock,
      LongSupplier monotonic,
      DoubleSupplier random) {
    this.probes = probes;
    this.policy = policy;
    this.events = events;
    this.certificates = new CertificateLog(events, clock, monotonic);
    this.monotonic = monotonic;
    this.schedule = new ProbeSchedule(policy.interval(), random, monotonic.getAsLong());
  }

  @Override
  public void follow(Set<Member> wanted) {
    Set<Member> before = Set.copyOf(unready());
    join(wanted);
    // One that has left as ready may come back as what it has become since.
    if (!before.equals(Set.copyOf(unready()))) {
      changed();
    }
  }

  private synchronized void join(Set<Member> wanted) {
    if (closed || members.keySet().equals(wanted)) {
      return;
    }
    members.forEach(
        (member, probed) -> {
          if (!wanted.contains(member)) {
            members.remove(member);
            probed.leave(LINGER);
            left.put(member, probed);
          }
        });
    left.values().removeIf(gone -> !gone.isAlive());
    for (Member member : wanted) {
      if (!members.containsKey(member)) {
        ProbedMember known = left.remove(member);
        members.put(member, known != null && known.rejoin() ? known : begin(member));
      }
    }
  }

  private ProbedMember begin(Member member) {
    ApiserverAddress address =
        ApiserverAddress.of(member.address(), member.port())
            .orElseThrow(() -> new IllegalArgumentException("no IP address: " + member));
    ProbedMember begun =
        new ProbedMember(
            member,
            address,
            probes,
            policy,
            events,
            certificates,
            monotonic,
            schedule,
            this::changed);
    begun.start();
    return begun;
  }

  @Override
  public MemberHealth of(Member member) {
    ProbedMember probed = members.get(member);
    return probed == null ? MemberHealth.UNKNOWN : probed.health();
  }

  /** The same, and what else is known of it. */
  public Optional<MemberObservation> observation(Member member) {
    return Optional.ofNullable(members.get(member)).map(ProbedMember::observation);
  }

  /** Every member that is probed. */
  public Set<Member> members() {
    return Set.copyOf(members.keySet());
  }

  /** Those that have been judged not ready. */
  public List<Member> unready() {
    return members.entrySet().stream()
        .filter(entry -> entry.getValue().health().state() == MemberHealth.State.UNREADY)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Whether every probing thread runs: what a liveness check asks. */
  public boolean isAlive() {
    return members.values().stream().allMatch(ProbedMember::isAlive);
  }

  @Override
  public void onChange(Runnable listener) {
    listeners.add(listener);
  }

  private void changed() {
    listeners.forEach(Runnable::run);
    synchronized (this) {
      notifyAll();
    }
  }

  /** Whether every member has been judged, be it ready or not. */
  public boolean isComplete() {
    return members.values().stream()
        .noneMatch(member -> member.health().state() == MemberHealth.State.UNKNOWN);
  }

  /** Waits until every member has been judged, at most for the given time. */
  public synchronized void awaitJudged(Duration patience) {
    long end = monotonic.getAsLong() + patience.toNanos();
    try {
      long left = end - monotonic.getAsLong();
      while (!isComplete() && left > 0) {
        TimeUnit.NANOSECONDS.timedWait(this, left);
        left = end - monotonic.getAsLong();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    members.values().forEach(ProbedMember::close);
    left.values().forEach(ProbedMember::close);
    members.clear();
    left.clear();
  }
}
