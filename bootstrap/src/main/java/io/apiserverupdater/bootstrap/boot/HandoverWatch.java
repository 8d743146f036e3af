package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.apiserver.time.Backoff;
import java.time.Duration;
import java.util.function.DoubleSupplier;

/**
 * When the address that the name is to end up at is asked, and when it counts as working: after so
 * many ready answers in a row, each on a connection of its own. An apiserver that does not tell
 * this node whether it is ready (401, 403) shows as well that the way to it works. Answers and
 * moments come in, steps come out. Not thread-safe.
 *
 * <p>While nobody is there, a question is one packet that is lost in this node or its network: it
 * is asked every tenth of a second, less often when it takes long. When somebody is there and not
 * ready, a question costs an apiserver a handshake: the interval doubles up to some seconds.
 */
final class HandoverWatch {
  private static final Duration INTERVAL = Duration.ofMillis(100);
  private static final Duration LONGEST_INTERVAL = Duration.ofSeconds(2);
  private static final Duration FIRST_BACKOFF = Duration.ofMillis(250);
  private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(5);
  private static final Duration LONGEST_BETWEEN_TRIALS = Duration.ofMinutes(1);
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  /** Where packets are lost, the deadline is what keeps the next question waiting. */
  private static final Duration SILENCE = Duration.ofMillis(150);

  /** Up to two minutes the interval is the shortest, and then it grows with the time. */
  private static final int INTERVALS_OF_A_WAIT = 1_200;

  private static final ProbeResult LOST =
      new Unreachable(Reason.CONNECT_TIMEOUT, "the probe ended without an answer");

  private final ApiserverAddress address;
  private final int rise;
  private final long startNanos;
  private final Backoff backoff;
  private final Backoff trials;
  private boolean asked;
  private boolean silent = true;
  private long askedNanos;
  private long lostNanos;
  private long nextNanos;
  private int inARow;

  /**
   * @param rise how many ready answers in a row
   * @param random from 0 (inclusive) to 1 (exclusive)
   */
  HandoverWatch(ApiserverAddress address, int rise, long now, DoubleSupplier random) {
    this.address = address;
    this.rise = rise;
    this.startNanos = now;
    this.nextNanos = now;
    this.backoff = new Backoff(FIRST_BACKOFF, LONGEST_BACKOFF, random);
    this.trials = new Backoff(FIRST_BACKOFF, LONGEST_BETWEEN_TRIALS, random);
  }

  ApiserverAddress address() {
    return address;
  }

  /** What to do at this moment. */
  RaceStep next(long now) {
    if (inARow >= rise) {
      return new RaceStep.Ready(address);
    }
    if (asked && lostNanos - now > 0) {
      return new RaceStep.Wait(lostNanos);
    }
    if (asked) {
      answered(LOST, now);
    }
    if (nextNanos - now > 0) {
      return new RaceStep.Wait(nextNanos);
    }
    asked = true;
    askedNanos = now;
    Duration deadline = silent ? longer(SILENCE, interval(now)) : PATIENCE;
    lostNanos = now + deadline.plus(Probing.GRACE).toNanos();
    return new RaceStep.Ask(address, deadline);
  }

  /** Takes an answer that counts as it is. */
  void answered(ProbeResult result, long now) {
    asked = false;
    boolean hurried = wasHurried(result);
    silent = isFor(result, Reason.CONNECT_TIMEOUT);
    if (result.works()) {
      inARow++;
      backoff.reset();
      nextNanos = now;
      return;
    }
    inARow = 0;
    if (!result.reached()) {
      backoff.reset();
      nextNanos = askedNanos + interval(now).toNanos();
    } else if (hurried) {
      nextNanos = now;
    } else {
      backOff(now);
    }
  }

  /** Takes a ready answer that does not count: somebody else than kube-proxy led there. */
  void answeredByAnotherWay(long now) {
    asked = false;
    inARow = 0;
    silent = false;
    backOff(now);
  }

  /**
   * From now on nothing but kube-proxy leads to the address, on trial: other programs of the node
   * take that way too, so one that is lost is to be known soon.
   */
  void trialBegins(long now) {
    asked = false;
    inARow = 0;
    silent = true;
    nextNanos = now;
  }

  /** Whether a trial has failed by this answer, which is not taken yet. */
  boolean failsTrial(ProbeResult result) {
    return !result.works() && !wasHurried(result);
  }

  /** The trial is over, and the next is to come later than this one did. */
  void trialFailed(long now) {
    asked = false;
    inARow = 0;
    silent = false;
    nextNanos = now + trials.next().toNanos();
  }

  /** The short deadline was meant for an address where nobody is. */
  private boolean wasHurried(ProbeResult result) {
    return silent
        && (isFor(result, Reason.HANDSHAKE_TIMEOUT) || isFor(result, Reason.ANSWER_TIMEOUT));
  }

  private void backOff(long now) {
    nextNanos = now + backoff.next().toNanos();
  }

  private Duration interval(long now) {
    long grown = (now - startNanos) / INTERVALS_OF_A_WAIT;
    return Duration.ofNanos(
        Math.max(INTERVAL.toNanos(), Math.min(grown, LONGEST_INTERVAL.toNanos())));
  }

  private static Duration longer(Duration a, Duration b) {
    return a.compareTo(b) > 0 ? a : b;
  }

  private static boolean isFor(ProbeResult result, Reason reason) {
    return result instanceof Unreachable unreachable && unreachable.reason() == reason;
  }
}
