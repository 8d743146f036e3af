package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.apiserver.time.Backoff;
import io.apiserverupdater.bootstrap.state.Evidence;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleSupplier;

/**
 * Which candidate is asked when, until one is ready. Answers and moments come in, steps come out;
 * it knows no thread and no clock. Not thread-safe.
 *
 * <p>The first candidate is asked alone, so that a healthy one is the only one that is bothered.
 * One that fails lets the next one go at once; one that is silent, after the stagger; and it stays
 * in the race. Who failed is asked again after a backoff that doubles.
 *
 * <p>One that does not tell this node whether it is ready (401, 403) is good enough when each has
 * been asked and none is ready: where nobody may know, waiting does not help, and one that alone
 * refuses is the one that is wrong.
 *
 * <p>Where each is asked once, having no route is no answer: so early in the boot this node may
 * have no address yet.
 */
final class CandidateRace {
  /**
   * @param stagger how long a silent candidate keeps the next one waiting
   * @param probeDeadline for one probe
   * @param limit how long the race may last; empty for no limit
   * @param askOnce whether it is over when each has been asked once
   */
  record Pace(
      Duration stagger, Duration probeDeadline, Optional<Duration> limit, boolean askOnce) {}

  private static final Duration FIRST_BACKOFF = Duration.ofMillis(250);
  // Who refuses pays nothing for being asked; a handshake costs an apiserver that is just starting.
  private static final Duration LONGEST_BACKOFF_UNREACHED = Duration.ofSeconds(1);
  private static final Duration LONGEST_BACKOFF_REACHED = Duration.ofSeconds(3);

  private static final Set<ProbeResult.Reason> TIMEOUTS =
      EnumSet.of(
          ProbeResult.Reason.CONNECT_TIMEOUT,
          ProbeResult.Reason.HANDSHAKE_TIMEOUT,
          ProbeResult.Reason.ANSWER_TIMEOUT);

  private static final ProbeResult LOST =
      new Unreachable(ProbeResult.Reason.CONNECT_TIMEOUT, "the probe ended without an answer");

  private final List<Candidate> candidates = new ArrayList<>();
  private final Pace pace;
  private final DoubleSupplier random;
  private final long startNanos;
  private Optional<ApiserverAddress> ready = Optional.empty();

  private static final class Candidate {
    private final ApiserverAddress address;
    private boolean asked;
    private boolean cutShort;
    private long askedNanos;
    private long lostNanos;
    private long eligibleNanos;
    private int failures;
    private Optional<ProbeResult> last = Optional.empty();

    private Candidate(ApiserverAddress address, long now) {
      this.address = address;
      this.eligibleNanos = now;
    }

    private boolean hasTold() {
      return last.isPresent()
          && !(last.get() instanceof Unreachable unreachable
              && unreachable.reason() == ProbeResult.Reason.NO_ROUTE);
    }
  }

  /**
   * @param ordered the candidates, first to be asked first
   * @param now the moment of {@link System#nanoTime}
   * @param random from 0 (inclusive) to 1 (exclusive), so that nodes do not ask in step
   */
  CandidateRace(List<ApiserverAddress> ordered, Pace pace, long now, DoubleSupplier random) {
    for (ApiserverAddress address : ordered) {
      candidates.add(new Candidate(address, now));
    }
    this.pace = pace;
    this.random = random;
    this.startNanos = now;
  }

  /** What to do at this moment. */
  RaceStep next(long now) {
    for (Candidate candidate : candidates) {
      if (candidate.asked && candidate.lostNanos - now <= 0) {
        answered(candidate.address, LOST, now);
      }
    }
    if (ready.isPresent()) {
      return new RaceStep.Ready(ready.get());
    }
    Optional<ApiserverAddress> alive = alive();
    if (alive.isPresent() && (isOver(now) || eachAnswered())) {
      return new RaceStep.Ready(alive.get(), Evidence.ALIVE);
    }
    if (isOver(now)) {
      return new RaceStep.Over(verified());
    }
    long wake = end(now);
    long free = now;
    for (Candidate candidate : candidates) {
      if (candidate.asked) {
        free = later(free, candidate.askedNanos + pace.stagger().toNanos());
        wake = earlier(wake, candidate.lostNanos);
      }
    }
    Optional<Candidate> next = Optional.empty();
    for (Candidate candidate : candidates) {
      if (!candidate.asked && !(pace.askOnce() && candidate.hasTold())) {
        if (candidate.eligibleNanos - now > 0) {
          wake = earlier(wake, later(free, candidate.eligibleNanos));
        } else if (next.isEmpty() || candidate.failures < next.get().failures) {
          next = Optional.of(candidate);
        }
      }
    }
    if (next.isPresent() && free - now <= 0) {
      return ask(next.get(), now);
    }
    return new RaceStep.Wait(next.isPresent() ? earlier(wake, free) : wake);
  }

  private RaceStep ask(Candidate candidate, long now) {
    candidate.asked = true;
    candidate.askedNanos = now;
    long left = end(now) - now;
    Duration deadline = Duration.ofNanos(Math.min(pace.probeDeadline().toNanos(), left));
    candidate.cutShort = deadline.compareTo(pace.probeDeadline()) < 0;
    candidate.lostNanos = now + deadline.plus(Probing.GRACE).toNanos();
    return new RaceStep.Ask(candidate.address, deadline);
  }

  /** Takes the answer of one that was asked. */
  void answered(ApiserverAddress address, ProbeResult result, long now) {
    for (Candidate candidate : candidates) {
      if (candidate.address.equals(address) && candidate.asked) {
        candidate.asked = false;
        if (!ranOutOfTime(candidate, result)) {
          candidate.last = Optional.of(result);
        }
        candidate.failures++;
        candidate.eligibleNanos = now + backoff(candidate.failures, result).toNanos();
        if (result instanceof ProbeResult.Ready && ready.isEmpty()) {
          ready = Optional.of(address);
        }
      }
    }
  }

  /**
   * The end of the race left one no time to say again that it is not ready: that still holds. Not a
   * 401 or 403: one that hangs for whoever shows a credential may have said so to who had none.
   */
  private static boolean ranOutOfTime(Candidate candidate, ProbeResult result) {
    return candidate.cutShort
        && candidate.last.filter(last -> last instanceof NotReady && !last.works()).isPresent()
        && result instanceof Unreachable unreachable
        && TIMEOUTS.contains(unreachable.reason());
  }

  private Duration backoff(int failures, ProbeResult result) {
    Duration longest = result.reached() ? LONGEST_BACKOFF_REACHED : LONGEST_BACKOFF_UNREACHED;
    return Backoff.after(failures, FIRST_BACKOFF, longest, random);
  }

  private boolean isOver(long now) {
    if (pace.limit().isPresent() && end(now) - now <= 0) {
      return true;
    }
    return candidates.isEmpty()
        || (pace.askOnce() && candidates.stream().allMatch(Candidate::hasTold));
  }

  private boolean eachAnswered() {
    return candidates.stream().allMatch(candidate -> candidate.last.isPresent());
  }

  private Optional<ApiserverAddress> alive() {
    return candidates.stream()
        .filter(candidate -> candidate.last.filter(ProbeResult::unauthorized).isPresent())
        .map(candidate -> candidate.address)
        .findFirst();
  }

  /** An honest answer is preferred to none, and the earlier candidate to the later one. */
  private Optional<ApiserverAddress> verified() {
    Optional<ApiserverAddress> found = Optional.empty();
    for (Candidate candidate : candidates) {
      if (candidate.last.isPresent() && candidate.last.get().verified()) {
        if (candidate.last.get() instanceof NotReady) {
          return Optional.of(candidate.address);
        }
        found = found.isPresent() ? found : Optional.of(candidate.address);
      }
    }
    return found;
  }

  private long end(long now) {
    return pace.limit().isPresent()
        ? startNanos + pace.limit().get().toNanos()
        : now + Duration.ofHours(1).toNanos();
  }

  private static long earlier(long a, long b) {
    return a - b < 0 ? a : b;
  }

  private static long later(long a, long b) {
    return a - b > 0 ? a : b;
  }
}
