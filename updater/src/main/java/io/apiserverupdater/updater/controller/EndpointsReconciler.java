package io.apiserverupdater.updater.controller;

import io.apiserverupdater.apiserver.time.Backoff;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.endpoints.Decision;
import io.apiserverupdater.updater.endpoints.Drains;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.HealthGate;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Refusal;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.events.EventReason;
import io.apiserverupdater.updater.events.EventRecorder;
import io.apiserverupdater.updater.leaderelection.Leadership;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the target in step with the source for as long as this process leads, from {@link #start}
 * to {@link #close}. One thread does all of it, whichever thread brings the change: the changes
 * that come during a sync are taken up together by the next one. The Endpoints object, which
 * kube-proxy does not read, has a thread of its own.
 */
public final class EndpointsReconciler implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EndpointsReconciler.class);

  /** A person has to change something before a rejected write can succeed. */
  private static final Duration REJECTED_RETRY = Duration.ofSeconds(15);

  private static final int FEW_REJECTIONS = 5;

  /** What changes in between may be that something. */
  private static final Duration REJECTED_HOLD = Duration.ofSeconds(1);

  /** With less time to the end of the Lease, a write would fail for that alone. */
  private static final Duration SHORTEST_WRITE = Duration.ofMillis(50);

  /** SIGTERM to exit is to take less than a second in all. */
  private static final Duration STOP = Duration.ofMillis(200);

  /** A standby has time: its sync keeps the gate's memory, and one may do for several changes. */
  private static final Duration STANDBY_DELAY = Duration.ofMillis(50);

  static final String FAILED_OPEN =
      "no member is ready by the updater's probes; all are published as ready";

  static final String HOLDING = "no member answers the updater's probes; the published state stays";

  private static final int BURST = 20;
  private static final Duration INTERVAL = Duration.ofMillis(40);

  private final MirrorRule rule;
  private final EndpointsClient client;
  private final MemberHealths health;
  private final Leadership leadership;
  private final EventRecorder events;
  private final LongSupplier monotonic;
  private final Clock wallClock;
  private final DrainLog drainLog;
  private final ReconcileQueue queue;
  private final WriteBudget budget;
  private final Backoff backoff;
  private final RepairPace pace = new RepairPace();
  private final RepairPace secondaryPace = new RepairPace();
  private final Thread thread = new Thread(this::run, "reconciler");
  private final SecondaryWriter secondary;
  private final ExecutorService secondaryThread;
  private final FailureLog failures = new FailureLog("");

  private volatile SyncObserver observer = SyncObserver.NONE;
  private volatile GateState gate = GateState.INITIAL;
  private volatile List<Refusal> lastRefusals = List.of();

  /** Since when a member's health has changed, and no sync has dealt with it. */
  private final AtomicReference<Optional<Long>> evidenceAt =
      new AtomicReference<>(Optional.empty());

  private volatile Map<Member, Instant> drained = Map.of();

  // Of the reconciler's thread only.
  private int rejections;
  private long holdUntil;
  private Optional<EndpointsSnapshot> lastPublished = Optional.empty();

  /**
   * @param monotonic the monotonic clock, in nanoseconds
   * @param wallClock by which a drain ends
   * @param random from 0 (inclusive) to 1 (exclusive): varies the waits
   */
  public EndpointsReconciler(
      MirrorRule rule,
      EndpointsClient client,
      MemberHealths health,
      Leadership leadership,
      EventRecorder events,
      LongSupplier monotonic,
      Clock wallClock,
      DoubleSupplier random) {
    this(
        rule,
        client,
        health,
        leadership,
        events,
        monotonic,
        wallClock,
        random,
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> new Thread(task, "endpoints-writer"),
            // At the end nothing is written any more.
            new ThreadPoolExecutor.DiscardPolicy()));
  }

  EndpointsReconciler(
      MirrorRule rule,
      EndpointsClient client,
      MemberHealths health,
      Leadership leadership,
      EventRecorder events,
      LongSupplier monotonic,
      Clock wallClock,
      DoubleSupplier random,
      ExecutorService secondaryThread) {
    this.rule = rule;
    this.client = client;
    this.health = health;
    this.leadership = leadership;
    this.events = events;
    this.monotonic = monotonic;
    this.wallClock = wallClock;
    this.drainLog = new DrainLog(events);
    this.queue = new ReconcileQueue(monotonic);
    this.budget = new WriteBudget(BURST, INTERVAL, monotonic.getAsLong());
    this.holdUntil = monotonic.getAsLong();
    this.backoff = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(10), random);
    this.secondaryThread = secondaryThread;
    this.secondary =
        new SecondaryWriter(client, leadership, monotonic, random, secondaryThread, this::trigger);
    client.onChange(this::changed);
    health.onChange(this::healthChanged);
  }

  public void start() {
    thread.start();
  }

  /** The source, the target or the health of a member has changed. */
  private void changed() {
    if (leadership.isCertain()) {
      queue.add();
    } else {
      queue.addBy(monotonic.getAsLong() + STANDBY_DELAY.toNanos());
    }
  }

  private void healthChanged() {
    Optional<Long> now = Optional.of(monotonic.getAsLong());
    evidenceAt.updateAndGet(earlier -> earlier.or(() -> now));
    changed();
  }

  /** From now on the observer is told how each sync ends. */
  public void observe(SyncObserver told) {
    observer = told;
  }

  /** Something may have to be done: the state has changed, or this process has begun to lead. */
  public void trigger() {
    queue.add();
  }

  /** Whether the reconciler's thread runs: what a liveness check asks. */
  public boolean isAlive() {
    return thread.isAlive();
  }

  /** Whose word counts, by the last decision. */
  public GateState gate() {
    return gate;
  }

  /** What is refused, by the last sync as the leader. */
  public List<Refusal> refused() {
    return lastRefusals;
  }

  /** Who is drained, and until when, by the last decision. */
  public Map<Member, Instant> drained() {
    return drained;
  }

  /** Finishes the write that is under way and stops. */
  @Override
  public void close() {
    queue.close();
    try {
      thread.join(STOP.toMillis());
      secondaryThread.shutdownNow();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (queue.take(later(budget.earliest(), holdUntil))) {
        try {
          reconcile().ifPresent(wait -> queue.addBy(monotonic.getAsLong() + wait.toNanos()));
        } catch (RuntimeException e) {
          log.error("reconcile=error message=\"{}\"", e, e);
          observer.synced(SyncObserver.Result.FAILED);
          queue.addBy(monotonic.getAsLong() + backoff.next().toNanos());
        }
      }
    } catch (InterruptedException e) {
      log.debug("reconciler interrupted");
    }
  }

  /**
   * How a sync ended.
   *
   * @param again after what time to try again, if it has to
   */
  private record Sync(SyncObserver.Result result, Optional<Duration> again) {}

  /** One sync; returns after what time to try again, if it has to. */
  Optional<Duration> reconcile() {
    Optional<Long> evidence = evidenceAt.getAndSet(Optional.empty());
    Sync sync = sync();
    observer.synced(sync.result());
    switch (sync.result()) {
      case WRITTEN ->
          evidence.ifPresent(
              at -> observer.published(Duration.ofNanos(monotonic.getAsLong() - at)));
      case FAILED, WAITING -> {
        if (evidence.isPresent()) {
          evidenceAt.set(evidence);
        }
      }
      // It changes nothing, or is another one's to publish.
      case UP_TO_DATE, REFUSED, STANDBY -> {}
    }
    return sync.again();
  }

  private Sync sync() {
    ObservedState state = client.observed().orElse(null);
    if (state == null) {
      return new Sync(SyncObserver.Result.WAITING, Optional.empty());
    }
    // A standby too keeps the probes and the gate's memory: it decides at once when it takes over.
    EndpointsSnapshot.Reading reading = rule.read(state.source());
    Optional<Duration> review = Optional.empty();
    boolean waits = false;
    if (reading instanceof EndpointsSnapshot.Usable usable) {
      HealthGate.Outcome outcome = gated(usable.snapshot(), state);
      review = outcome.reviewAfter();
      waits = outcome.snapshot().isEmpty();
      if (!waits) {
        Drains drains = state.service().map(Service::drains).orElse(Drains.NONE);
        Drains.Outcome left = withoutDrained(outcome.snapshot().get(), drains);
        review = earlier(review, left.reviewAfter());
        reading =
            usable.publishing(left.snapshot()).telling(drains.refusals()).telling(left.setAside());
      }
    }
    if (!leadership.isCertain()) {
      // What is true of the old leader's last sync need not be told again by the next leader.
      lastRefusals = List.of();
      lastPublished = Optional.empty();
      failures.forget();
      secondary.forget();
      return new Sync(SyncObserver.Result.STANDBY, review);
    }
    Decision decision = rule.decide(state, reading);
    if (decision instanceof Decision.Refuse refuse) {
      tellOfRefusals(refuse.refusals());
      return new Sync(SyncObserver.Result.REFUSED, review);
    }
    if (waits) {
      // The probes of new members are under way, and end soon.
      return new Sync(SyncObserver.Result.WAITING, review);
    }
    tellOfRefusals(
        reading instanceof EndpointsSnapshot.Usable usable ? usable.leftOut() : List.of());
    Sync sync = act(decision);
    return new Sync(sync.result(), earlier(sync.again(), review));
  }

  private static Optional<Duration> earlier(Optional<Duration> a, Optional<Duration> b) {
    return Stream.of(a, b).flatMap(Optional::stream).min(Comparator.naturalOrder());
  }

  private Drains.Outcome withoutDrained(EndpointsSnapshot gated, Drains drains) {
    Instant now = wallClock.instant();
    Drains.Outcome outcome = drains.apply(gated, gate, now);
    // Whoever reads of it in the log finds it in the metrics and the status as well.
    drained = outcome.drained();
    drainLog.tell(drained, gated.all(), drains, now);
    return outcome;
  }

  private HealthGate.Outcome gated(EndpointsSnapshot source, ObservedState state) {
    health.follow(source.all());
    HealthGate.Outcome outcome =
        HealthGate.decide(gate, source, health::of, state.slices(), monotonic.getAsLong());
    GateState before = gate;
    gate = outcome.state();
    tellOfGate(before, gate);
    return outcome;
  }

  /** Carries a decision to write, or not to write, out. */
  private Sync act(Decision decision) {
    if (decision instanceof Decision.Apply apply) {
      List<Change> slices = apply.slices();
      if (slices.isEmpty()) {
        inStep();
      } else {
        Duration delay = pace.delay(apply.snapshot(), monotonic.getAsLong());
        if (!delay.isZero()) {
          return new Sync(SyncObserver.Result.WAITING, Optional.of(delay));
        }
        Optional<Duration> retry = writeSlices(slices);
        if (retry.isPresent()) {
          return new Sync(SyncObserver.Result.FAILED, retry);
        }
        pace.written(apply.snapshot(), monotonic.getAsLong());
      }
      tellOfTarget(apply.snapshot());
      Optional<Duration> others = writeOthers(apply);
      // What was written is compared once more with what the server made of it.
      return slices.isEmpty()
          ? new Sync(SyncObserver.Result.UP_TO_DATE, others)
          : new Sync(SyncObserver.Result.WRITTEN, Optional.of(Duration.ZERO));
    }
    inStep();
    secondary.upToDate();
    tellOfTarget(((Decision.UpToDate) decision).snapshot());
    return new Sync(SyncObserver.Result.UP_TO_DATE, Optional.empty());
  }

  /** The slices are as they should be. */
  private void inStep() {
    failures.tell("");
    rejections = 0;
    backoff.reset();
  }

  /** Has the other objects written; returns when to try again, unless that is told later. */
  private Optional<Duration> writeOthers(Decision.Apply apply) {
    if (apply.others().isEmpty()) {
      return Optional.empty();
    }
    Duration delay = secondaryPace.delay(apply.snapshot(), monotonic.getAsLong());
    if (!delay.isZero()) {
      return Optional.of(delay);
    }
    for (Change change : apply.others()) {
      if (secondary.offer(change)) {
        secondaryPace.written(apply.snapshot(), monotonic.getAsLong());
      }
    }
    return Optional.of(secondary.left()).filter(left -> !left.isZero());
  }

  private Optional<Duration> writeSlices(List<Change> changes) {
    budget.spend(monotonic.getAsLong());
    Optional<Duration> retry = Optional.empty();
    List<String> reasons = new ArrayList<>();
    for (Change change : changes) {
      Duration certain = leadership.certainFor();
      if (certain.compareTo(SHORTEST_WRITE) < 0) {
        return Optional.of(certain);
      }
      EndpointsClient.WriteResult result =
          client.apply(change, shorter(certain, EndpointsClient.LONGEST_WRITE));
      if (result instanceof EndpointsClient.WriteResult.Written) {
        log.debug("write=\"{}\"", change.describe());
        continue;
      }
      if (result instanceof EndpointsClient.WriteResult.Conflict) {
        log.debug("write=\"{}\" conflict=true", change.describe());
        client.reread();
        return Optional.of(backoff.next());
      }
      // The slice of the other address family may do better.
      reasons.add(((EndpointsClient.WriteResult.NotWritten) result).describe(change));
      Duration wait = afterFailure(result);
      retry = Optional.of(shorter(retry.orElse(wait), wait));
    }
    failures.tell(String.join("; ", reasons));
    return retry;
  }

  private Duration afterFailure(EndpointsClient.WriteResult result) {
    Duration next = backoff.next();
    if (result instanceof EndpointsClient.WriteResult.Rejected) {
      holdFor(REJECTED_HOLD);
      rejections++;
      return rejections > FEW_REJECTIONS ? REJECTED_RETRY : longer(next, REJECTED_HOLD);
    }
    rejections = 0;
    EndpointsClient.WriteResult.Failed failed = (EndpointsClient.WriteResult.Failed) result;
    // It may have landed: what is there decides what is done next.
    client.reread();
    failed.retryAfter().ifPresent(this::holdFor);
    return longer(next, failed.retryAfter().orElse(next));
  }

  static Duration longer(Duration a, Duration b) {
    return a.compareTo(b) > 0 ? a : b;
  }

  /** No sync before this time has passed, whatever happens in between. */
  private void holdFor(Duration time) {
    holdUntil = monotonic.getAsLong() + time.toNanos();
  }

  /** The later of two moments of the monotonic clock, which may wrap around. */
  private static long later(long a, long b) {
    return a - b > 0 ? a : b;
  }

  static Duration shorter(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  private void tellOfRefusals(List<Refusal> refusals) {
    if (refusals.equals(lastRefusals)) {
      return;
    }
    for (Refusal refusal : refusals) {
      log.warn(
          "refused={} message=\"{}\" remedy=\"{}\"",
          refusal.reason(),
          refusal.message(),
          refusal.remedy());
      events.record(EventReason.REFUSED, refusal.reason(), refusal.sentence());
    }
    if (refusals.isEmpty()) {
      log.info("refused=none");
      events.record(EventReason.ACCEPTED, "", "nothing is refused any more");
    }
    lastRefusals = refusals;
  }

  private void tellOfGate(GateState before, GateState after) {
    for (AddressFamily family : AddressFamily.values()) {
      GateState.Mode mode = after.mode(family);
      if (mode == before.mode(family)) {
        continue;
      }
      String type = family.addressType();
      switch (mode) {
        case NORMAL -> {
          log.info("gate=normal family={}", type);
          events.record(
              EventReason.GATE_NORMAL, type, type + ": members are published as probed again");
        }
        case FAIL_OPEN -> {
          log.warn("gate=fail-open family={} message=\"{}\"", type, FAILED_OPEN);
          events.record(EventReason.FAILED_OPEN, type, type + ": " + FAILED_OPEN);
        }
        case HOLD -> {
          log.warn("gate=hold family={} message=\"{}\"", type, HOLDING);
          events.record(EventReason.HOLDING, type, type + ": " + HOLDING);
        }
      }
    }
  }

  private void tellOfTarget(EndpointsSnapshot snapshot) {
    if (!Optional.of(snapshot).equals(lastPublished)) {
      lastPublished = Optional.of(snapshot);
      log.info("target={} {}", rule.target(), describe(snapshot.members()));
    }
  }

  private static String describe(Map<AddressFamily, EndpointsSnapshot.Members> members) {
    return members.entrySet().stream()
        .map(
            family ->
                family.getValue().endpoints().stream()
                    .map(EndpointsReconciler::describe)
                    .collect(
                        Collectors.joining(
                            ",",
                            family.getKey().addressType() + "=",
                            " port=" + family.getValue().port())))
        .collect(Collectors.joining(" "));
  }

  private static String describe(Endpoint endpoint) {
    return endpoint.ready() ? endpoint.address() : endpoint.address() + "(unready)";
  }
}
