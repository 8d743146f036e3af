package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import java.util.Optional;

/**
 * Judges one member by its probes: results in, with the time of the monotonic clock in nanoseconds;
 * transitions out. Asks no clock and does no I/O. Not thread-safe.
 */
public final class ReadinessTracker {
  private final ProbePolicy policy;
  private final FlapDamping damping = new FlapDamping();

  private MemberHealth health = MemberHealth.UNKNOWN;
  // What the probes alone say, before damping.
  private MemberHealth.State raw = MemberHealth.State.UNKNOWN;
  private int good;
  private int bad;
  private int risesAfter = 1;

  public ReadinessTracker(ProbePolicy policy) {
    this.policy = policy;
  }

  /** What is known now. */
  public MemberHealth health() {
    return health;
  }

  /** Whether the last result calls for another probe at once: a bad one that is no proof alone. */
  public boolean wantsConfirmation() {
    return bad > 0 && raw != MemberHealth.State.UNREADY;
  }

  /** Whether the last results were good, and not yet enough of them. */
  public boolean isRising() {
    return good > 0 && raw != MemberHealth.State.READY;
  }

  /**
   * Takes one result.
   *
   * @return the new health, when its state has changed by it
   */
  public Optional<MemberHealth> observe(ProbeResult result, long now) {
    if (result instanceof ProbeResult.Ready) {
      bad = 0;
      good++;
      if (good >= risesAfter) {
        raw = MemberHealth.State.READY;
      }
    } else {
      good = 0;
      bad++;
      risesAfter = policy.risesAfter(result);
      if (bad >= policy.fallsAfter(result)) {
        if (raw == MemberHealth.State.READY) {
          damping.fell(isSilence(result) ? FlapDamping.FALL_BY_SILENCE : FlapDamping.FALL, now);
        }
        raw = MemberHealth.State.UNREADY;
      }
    }
    MemberHealth.State before = health.state();
    health = judge(result, now);
    return health.state() == before ? Optional.empty() : Optional.of(health);
  }

  /** Whether nothing was heard in time: the only evidence that our own delay can make up. */
  public static boolean isSilence(ProbeResult result) {
    return result instanceof ProbeResult.Unreachable unreachable
        && switch (unreachable.reason()) {
          case CONNECT_TIMEOUT, HANDSHAKE_TIMEOUT, ANSWER_TIMEOUT -> true;
          case REFUSED, NO_ROUTE, CONNECTION_LOST, CERTIFICATE, TLS, MALFORMED_ANSWER -> false;
        };
  }

  private MemberHealth judge(ProbeResult result, long now) {
    boolean held = raw == MemberHealth.State.READY && damping.isSuppressed(now);
    String evidence =
        held
            ? "ready, but it failed too often; kept out for another "
                + Math.max(1, damping.remaining(now).toSeconds())
                + "s"
            : result.describe();
    MemberHealth.State state = held ? MemberHealth.State.UNREADY : raw;
    boolean fell = health.isReady() && state != MemberHealth.State.READY;
    return new MemberHealth(
        state, result.verified(), fell ? Optional.of(now) : health.fellAt(), evidence);
  }
}
