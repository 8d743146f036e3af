package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.state.BootMemory;
import io.apiserverupdater.bootstrap.state.BootPhase;
import io.apiserverupdater.bootstrap.state.BootState;
import io.apiserverupdater.bootstrap.state.Evidence;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/**
 * Carries out what is decided at boot: pin the name to a control plane, then hand it over. For one
 * thread.
 */
public final class BootSequence {
  private static final Duration STAGGER = Duration.ofMillis(250);

  /** For one question of the search for a control plane. */
  public static final Duration PROBE_DEADLINE = Duration.ofSeconds(5);

  /** Before a control plane's own apiserver can start, the kubelet must: peers get this long. */
  private static final Duration LONGEST_PEER_SEARCH = Duration.ofSeconds(5);

  /** Time for a cluster IP that works already, in which no control plane need be asked. */
  private static final Duration FIRST_CHECK_AFTER = Duration.ofMillis(500);

  private static final Duration CHECK_INTERVAL = Duration.ofSeconds(10);
  private static final Duration LONGEST_CHECK_INTERVAL = Duration.ofMinutes(1);
  private static final Duration FIRST_PROGRESS = Duration.ofSeconds(10);
  private static final Duration PROGRESS_AT_LAST = Duration.ofMinutes(10);

  /** Longer than anybody waits. */
  public static final Duration NO_LIMIT = Duration.ofDays(36_500);

  private final Plan plan;
  private final NameEntry entry;
  private final Bridge bridge;
  private final Probing probing;
  private final BootMemory memory;
  private final LongSupplier epochSeconds;
  private final DoubleSupplier random;
  private final Log log;
  private final Findings findings;

  /**
   * What to do for the name.
   *
   * @param candidates in this node's order; at least one
   * @param local on a control plane, its own apiserver
   * @param service the cluster IP and port of the Service; needed for a worker's hand-over and for
   *     strategy nft
   * @param timeout how long to look for a control plane that is ready
   * @param waitLimit how long to wait for the hand-over; empty for no limit
   * @param rise how many ready answers in a row make a hand-over
   */
  public record Plan(
      String hostname,
      List<ApiserverAddress> candidates,
      int port,
      Optional<ApiserverAddress> local,
      Optional<ApiserverAddress> service,
      Strategy strategy,
      boolean removeAfterHandover,
      Duration timeout,
      Optional<Duration> waitLimit,
      int rise) {
    public Plan {
      candidates = List.copyOf(candidates);
      if (candidates.isEmpty() && local.isEmpty()) {
        throw new IllegalArgumentException("no candidate");
      }
    }
  }

  /** How a pin ended. */
  public enum Pinned {
    /** The name leads to one that is ready, or to the control plane's own apiserver. */
    READY,
    /** The name leads to one that proved to be an apiserver and is not ready. */
    VERIFIED,
    /** Nobody answered: the name leads where it led, or to the first candidate if nowhere. */
    NOBODY
  }

  /**
   * @param memory of the runs before and after this one
   * @param epochSeconds the wall clock, for people to read only
   * @param random from 0 (inclusive) to 1 (exclusive)
   */
  public BootSequence(
      Plan plan,
      NameEntry entry,
      BootRuleTable table,
      Probing probing,
      BootMemory memory,
      LongSupplier epochSeconds,
      DoubleSupplier random,
      Log log) {
    this.plan = plan;
    this.entry = entry;
    this.bridge =
        plan.strategy() == Strategy.NFT && plan.service().isPresent()
            ? new NftBridge(
                plan.service().get(), entry, table, probing, plan.removeAfterHandover(), log)
            : new Bridge(entry, plan.port());
    this.probing = probing;
    this.memory = memory;
    this.epochSeconds = epochSeconds;
    this.random = random;
    this.log = log;
    this.findings = new Findings(log);
  }

  /**
   * Points the name at a control plane.
   *
   * @throws IOException with a message for a person, when the hosts file cannot be read or written
   */
  public Pinned pin() throws IOException, InterruptedException {
    // What is wrong with the file is told at once, not after the search.
    bridge.check().ifPresent(log::warn);
    if (memory.isUnpinned()) {
      memory.keep(
          new BootState(
              BootPhase.PINNED, "", Evidence.NONE, epochSeconds.getAsLong(), Optional.empty()));
    }
    Optional<InetAddress> before = entry.address();
    List<ApiserverAddress> ordered = new ArrayList<>(plan.candidates());
    if (plan.local().isPresent()) {
      ordered.remove(plan.local().get());
      ordered.add(0, plan.local().get());
    }
    BootDecision decision =
        BootDecision.afterRace(race(ordered), before.isPresent(), plan.local(), ordered);
    if (decision instanceof BootDecision.Point point) {
      boolean atItsEnd =
          point.evidence() != Evidence.LOCAL && plan.local().equals(Optional.of(point.address()));
      return switch (lead(
          atItsEnd ? BootPhase.HANDED_OVER : BootPhase.PINNED, point.address(), point.evidence())) {
        case READY, ALIVE, LOCAL -> Pinned.READY;
        case VERIFIED -> Pinned.VERIFIED;
        case NONE -> Pinned.NOBODY;
      };
    }
    log.warn(
        "phase=kept name=%s target=%s reason=\"%s\""
            .formatted(
                plan.hostname(), before.map(InetAddress::getHostAddress).orElse(""), whyNobody()));
    return Pinned.NOBODY;
  }

  private String whyNobody() {
    long millis = plan.timeout().toMillis();
    return findings
        .certificateFault()
        .map(
            fault ->
                """
                no control plane proved its identity within %d ms; the hand-over keeps looking. %s. \
                Check the clock of this node, then CA_FILE or CA_CERT_HASH, then that certificate"""
                    .formatted(millis, fault))
        .orElseGet(
            () ->
                """
                no control plane answered within %d ms; the hand-over keeps looking. If the control \
                planes have new addresses, set one in CONTROL_PLANE in \
                /etc/apiserver-bootstrap/bootstrap.conf and restart apiserver-bootstrap.service"""
                    .formatted(millis));
  }

  /** Returns the evidence that the name leads anywhere now. */
  private Evidence lead(BootPhase phase, ApiserverAddress controlPlane, Evidence evidence)
      throws IOException {
    boolean changed = bridge.leadTo(controlPlane, evidence);
    if (isEnded()) {
      return Evidence.NONE;
    }
    Evidence found = bridge.reaches(controlPlane) ? evidence : Evidence.NONE;
    keep(phase, found);
    log.info(told(phase, controlPlane) + " evidence=" + found + " changed=" + changed);
    return found;
  }

  /** What the log says of a hand-over that {@code restore} has ended. */
  public static String endedByRestore(String hostname) {
    return "phase=unpinned name=%s reason=\"restore has removed the entry; pin adds it again\""
        .formatted(hostname);
  }

  /** Whether a person has ended it meanwhile, with {@code restore}. */
  private boolean isEnded() {
    boolean ended = memory.isUnpinned();
    if (ended) {
      log.info(endedByRestore(plan.hostname()));
    }
    return ended;
  }

  private String told(BootPhase phase, ApiserverAddress target) {
    return "phase=" + phase + " name=" + plan.hostname() + " target=" + target;
  }

  private RaceStep race(List<ApiserverAddress> ordered) throws InterruptedException {
    boolean local = plan.local().isPresent();
    Duration limit = local ? shorter(plan.timeout(), LONGEST_PEER_SEARCH) : plan.timeout();
    log.info("candidates=" + joined(ordered));
    CandidateRace race =
        new CandidateRace(
            ordered,
            new CandidateRace.Pace(STAGGER, PROBE_DEADLINE, Optional.of(limit), local),
            probing.now(),
            random);
    while (true) {
      RaceStep step = race.next(probing.now());
      if (step instanceof RaceStep.Ask ask) {
        probing.ask(ask.address(), ask.deadline());
      } else if (step instanceof RaceStep.Wait wait) {
        Optional<Probing.Answer> answer = probing.await(wait.untilNanos());
        if (answer.isPresent()) {
          findings.found(answer.get().address(), answer.get().result());
          race.answered(answer.get().address(), answer.get().result(), probing.now());
        }
      } else {
        return step;
      }
    }
  }

  /** Where the name is to end up; needs what the plan needs for a hand-over. */
  public ApiserverAddress destination() {
    return plan.local()
        .or(plan::service)
        .orElseThrow(() -> new IllegalStateException("a hand-over without a cluster IP"));
  }

  /**
   * Waits until the address at which the name is to end up works, then points the name at it.
   * Meanwhile it keeps the name at a control plane that is ready: the one that was pinned may be
   * the next to fail, and kube-proxy needs one to make its rules.
   *
   * @param pinnedJustNow whether this very program has just found a control plane ready
   * @return whether the name was handed over within the time
   * @throws IOException with a message for a person, when the hosts file cannot be read or written
   */
  public boolean handover(boolean pinnedJustNow) throws IOException, InterruptedException {
    try {
      return waitAndHandOver(pinnedJustNow);
    } finally {
      // However it ends, no trial stays without its end.
      boolean unusedTrial = stepBack();
    }
  }

  private boolean waitAndHandOver(boolean pinnedJustNow) throws IOException, InterruptedException {
    ApiserverAddress destination = destination();
    Optional<InetAddress> before = entry.address();
    Optional<InetAddress> last = Optional.empty();
    Absence absence = new Absence();
    long start = probing.now();
    HandoverWatch watch = new HandoverWatch(destination, plan.rise(), start, random);
    Optional<CandidateRace> check = Optional.empty();
    Duration interval = CHECK_INTERVAL;
    long giveUp = start + plan.waitLimit().orElse(NO_LIMIT).toNanos();
    long nextCheck = start + (pinnedJustNow ? CHECK_INTERVAL : FIRST_CHECK_AFTER).toNanos();
    Duration progress = FIRST_PROGRESS;
    while (true) {
      long now = probing.now();
      if (isEnded()) {
        return true;
      }
      RaceStep watched = watch.next(now);
      boolean mayWrite = absence.allowsWriting(entry.contentWithout(), now);
      if (watched instanceof RaceStep.Ready && mayWrite) {
        handOver(destination, start);
        return true;
      }
      if (now - giveUp >= 0) {
        log.warn(
            "phase=pinned name=%s waited=%ds reason=\"%s did not work; the name is unchanged\""
                .formatted(plan.hostname(), (giveUp - start) / 1_000_000_000, destination));
        return false;
      }
      if (now - start >= progress.toNanos()) {
        log.info(
            "phase=pinned waiting-for=" + destination + " waited=" + progress.toSeconds() + "s");
        progress = shorter(progress.multipliedBy(2), progress.plus(PROGRESS_AT_LAST));
      }
      long wake = earlier(start + progress.toNanos(), giveUp);
      if (!mayWrite) {
        wake = earlier(wake, now + Absence.STEADY.toNanos());
      }
      if (watched instanceof RaceStep.Ask ask) {
        last = putBack(last, mayWrite);
        bridge.beforeAsking();
        probing.ask(ask.address(), ask.deadline());
        continue;
      }
      if (watched instanceof RaceStep.Wait wait) {
        wake = earlier(wake, wait.untilNanos());
      }
      if (check.isEmpty() && now - nextCheck >= 0) {
        check = Optional.of(checkOfTheBridge(destination));
      }
      if (check.isPresent()) {
        RaceStep step = check.get().next(now);
        if (step instanceof RaceStep.Ask ask) {
          probing.ask(ask.address(), ask.deadline());
          continue;
        } else if (step instanceof RaceStep.Ready ready) {
          // Otherwise it is written soon.
          if (mayWrite) {
            repin(ready, before);
            check = Optional.empty();
            nextCheck = now + interval.toNanos();
            interval = shorter(interval.multipliedBy(2), LONGEST_CHECK_INTERVAL);
          }
        } else if (step instanceof RaceStep.Wait wait) {
          wake = earlier(wake, wait.untilNanos());
        } else {
          // There is nobody to ask.
          check = Optional.empty();
          nextCheck = now + interval.toNanos();
        }
      }
      if (check.isEmpty()) {
        wake = earlier(wake, nextCheck);
      }
      Optional<Probing.Answer> answer = probing.await(wake);
      if (answer.isPresent()) {
        answered(answer.get(), watch, check);
      }
    }
  }

  private void answered(Probing.Answer answer, HandoverWatch watch, Optional<CandidateRace> check)
      throws IOException {
    findings.found(answer.address(), answer.result());
    if (!answer.address().equals(watch.address())) {
      if (check.isPresent()) {
        check.get().answered(answer.address(), answer.result(), probing.now());
      }
    } else if (answer.result().works() && bridge.mayHaveCarried()) {
      if (bridge.stepAside()) {
        watch.trialBegins(probing.now());
      } else {
        watch.answeredByAnotherWay(probing.now());
      }
    } else if (watch.failsTrial(answer.result()) && stepBack()) {
      watch.trialFailed(probing.now());
    } else {
      watch.answered(answer.result(), probing.now());
    }
  }

  /** What restore has taken out stays out. */
  private boolean stepBack() throws IOException {
    return !memory.isUnpinned() && bridge.stepBack();
  }

  /** A race that the control plane at which the name points now begins. */
  private CandidateRace checkOfTheBridge(ApiserverAddress destination) throws IOException {
    List<ApiserverAddress> ordered = new ArrayList<>(plan.candidates());
    Optional<ApiserverAddress> current = bridge.current();
    if (current.isPresent() && ordered.remove(current.get())) {
      ordered.add(0, current.get());
    }
    ordered.remove(destination);
    return new CandidateRace(
        ordered,
        new CandidateRace.Pace(STAGGER, PROBE_DEADLINE, Optional.empty(), false),
        probing.now(),
        random);
  }

  /**
   * Puts our entry back where it was last seen, should another program have taken it out. That it
   * is not there says nothing of a person's wish: other programs rewrite the whole file.
   *
   * @return where our entry is now
   */
  private Optional<InetAddress> putBack(Optional<InetAddress> last, boolean mayWrite)
      throws IOException {
    if (!mayWrite) {
      return last;
    }
    Optional<InetAddress> now = entry.address();
    if (now.isEmpty() && last.isPresent() && entry.pointAt(last.get())) {
      log.warn(
          "name=%s target=%s reason=\"another program removed the entry; it is back\""
              .formatted(plan.hostname(), last.get().getHostAddress()));
    }
    bridge.putBack();
    if (now.isEmpty()) {
      return last;
    }
    return entry.own().isPresent() ? now : Optional.empty();
  }

  private void repin(RaceStep.Ready found, Optional<InetAddress> before) throws IOException {
    ApiserverAddress controlPlane = found.address();
    Optional<InetAddress> now = entry.address();
    if (bridge.current().equals(Optional.of(controlPlane))
        || !bridge.reaches(controlPlane)
        || (now.isPresent() && isLedElsewhere(now.get(), before))) {
      return;
    }
    Evidence unusedEvidence = lead(BootPhase.PINNED, controlPlane, found.evidence());
  }

  /** Another program with a newer configuration may have done so meanwhile. */
  private boolean isLedElsewhere(InetAddress now, Optional<InetAddress> before) {
    return !before.equals(Optional.of(now))
        && !bridge.rests(now)
        && plan.candidates().stream().noneMatch(candidate -> candidate.ip().equals(now));
  }

  private void handOver(ApiserverAddress destination, long start) throws IOException {
    boolean changed = entry.pointAt(destination.ip());
    if (isEnded()) {
      return;
    }
    keep(BootPhase.HANDED_OVER, Evidence.READY);
    long waited = (probing.now() - start) / 1_000_000;
    log.info(
        "%s answers=%d waited=%dms changed=%s"
            .formatted(told(BootPhase.HANDED_OVER, destination), plan.rise(), waited, changed));
    bridge.handedOver();
  }

  private void keep(BootPhase phase, Evidence evidence) throws IOException {
    Optional<InetAddress> address = entry.address();
    if (address.isEmpty()) {
      return;
    }
    String target = address.get().getHostAddress();
    BootState now = new BootState(phase, target, evidence, epochSeconds.getAsLong(), entry.own());
    // A hand-over that finds all as it is to be does not change since when.
    if (memory.read().filter(before -> before.saysTheSameAs(now)).isEmpty()) {
      memory.keepUnlessUnpinned(now);
    }
  }

  private static String joined(List<ApiserverAddress> addresses) {
    StringBuilder text = new StringBuilder();
    for (ApiserverAddress address : addresses) {
      text.append(text.length() == 0 ? "" : ",").append(address);
    }
    return text.toString();
  }

  private static Duration shorter(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  private static long earlier(long a, long b) {
    return a - b < 0 ? a : b;
  }
}
