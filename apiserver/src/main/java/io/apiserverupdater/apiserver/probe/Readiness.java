package io.apiserverupdater.apiserver.probe;

/**
 * What the probes say of one apiserver.
 *
 * @param state what to make of it
 * @param answers whether it answered the last probe, well or not, and proved who it is
 * @param evidence why, for a person; empty while nothing is known
 */
public record Readiness(State state, boolean answers, String evidence) {

  /** What to make of an apiserver. */
  public enum State {
    /** Not judged yet. */
    UNKNOWN,
    /** To be used. */
    READY,
    /** Not to be used. */
    UNREADY
  }

  static final Readiness UNKNOWN = new Readiness(State.UNKNOWN, false, "");

  public boolean isReady() {
    return state == State.READY;
  }
}
