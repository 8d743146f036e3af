package io.apiserverupdater.apiserver.probe;

import java.util.Optional;

/**
 * Makes up the mind about one apiserver: results in, with the time of the monotonic clock in
 * nanoseconds; transitions out. Asks no clock and does no I/O. Not thread-safe.
 */
public final class ReadinessTracker {
  private final ProbePolicy policy;
  private final FlapDamping damping = new FlapDamping();

  private Readiness readiness = Readiness.UNKNOWN;
  // What the probes alone say, before damping.
  private Readiness.State raw = Readiness.State.UNKNOWN;
  private int good;
  private int bad;
  private int risesAfter;

  public ReadinessTracker(ProbePolicy policy) {
    this.policy = policy;
    this.risesAfter = 1;
  }

  /** What is known now. */
  public Readiness readiness() {
    return readiness;
  }

  /** Whether the last result calls for another probe at once: a bad one that is no proof alone. */
  public boolean wantsConfirmation() {
    return bad > 0 && raw != Readiness.State.UNREADY;
  }

  /** Whether the last results were good, and not yet enough of them. */
  public boolean isRising() {
    return good > 0 && raw != Readiness.State.READY;
  }

  /**
   * Takes one result.
   *
   * @return the new readiness, when its state has changed by it
   */
  public Optional<Readiness> observe(ProbeResult result, long now) {
    if (result instanceof ProbeResult.Ready) {
      bad = 0;
      good++;
      if (good >= risesAfter) {
        raw = Readiness.State.READY;
      }
    } else {
      good = 0;
      bad++;
      risesAfter = policy.risesAfter(result);
      if (bad >= policy.fallsAfter(result)) {
        if (raw == Readiness.State.READY) {
          damping.fell(isSilence(result) ? FlapDamping.FALL_BY_SILENCE : FlapDamping.FALL, now);
        }
        raw = Readiness.State.UNREADY;
      }
    }
    Readiness.State before = readiness.state();
    readiness = judge(result, now);
    return readiness.state() == before ? Optional.empty() : Optional.of(readiness);
  }

  /** Whether nothing was heard in time: the only evidence that our own delay can make up. */
  public static boolean isSilence(ProbeResult result) {
    return result instanceof ProbeResult.Unreachable unreachable
        && switch (unreachable.reason()) {
          case CONNECT_TIMEOUT, HANDSHAKE_TIMEOUT, ANSWER_TIMEOUT -> true;
          case REFUSED, NO_ROUTE, CONNECTION_LOST, CERTIFICATE, TLS, MALFORMED_ANSWER -> false;
        };
  }

  private Readiness judge(ProbeResult result, long now) {
    boolean held = raw == Readiness.State.READY && damping.isSuppressed(now);
    String evidence =
        held
            ? "ready, but it fell too often; kept out for another "
                + Math.max(1, damping.remaining(now).toSeconds())
                + "s"
            : result.describe();
    return new Readiness(held ? Readiness.State.UNREADY : raw, result.verified(), evidence);
  }
}
