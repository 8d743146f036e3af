package io.apiserverupdater.updater.endpoints;

import java.util.Optional;

/**
 * The result of our own probes of one member.
 *
 * @param answers whether it answers at all, well or not, and proves who it is
 * @param fellAt when it last went from ready to unready, in nanoseconds of the monotonic clock
 * @param evidence why, for a person
 */
public record MemberHealth(State state, boolean answers, Optional<Long> fellAt, String evidence) {

  /** What to make of a member. */
  public enum State {
    /** Not judged yet. */
    UNKNOWN,
    READY,
    UNREADY
  }

  /** Nothing is known yet. */
  public static final MemberHealth UNKNOWN =
      new MemberHealth(State.UNKNOWN, false, Optional.empty(), "not probed yet");

  /** All is well, or nobody asks. */
  public static final MemberHealth READY =
      new MemberHealth(State.READY, true, Optional.empty(), "ready");

  public boolean isReady() {
    return state == State.READY;
  }
}
