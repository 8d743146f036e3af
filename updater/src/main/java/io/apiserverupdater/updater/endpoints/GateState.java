package io.apiserverupdater.updater.endpoints;

import java.util.Map;
import java.util.Optional;

/**
 * What {@link HealthGate} remembers from one decision to the next.
 *
 * @param families family to its state; a family on which nothing has been decided is not in it
 */
public record GateState(Map<AddressFamily, Family> families) {

  /** Nothing has been decided yet. */
  public static final GateState INITIAL = new GateState(Map.of());

  /** Whose word counts. */
  public enum Mode {
    /** That of the probes. */
    NORMAL,
    /** That of the source: the members answer, and none is ready. */
    FAIL_OPEN,
    /** That of the past: no member answers us, so it is we who are cut off. */
    HOLD
  }

  /**
   * One family.
   *
   * @param flags address to readiness, as last published
   * @param readySince while the mode is not normal: since when some member has been ready, in
   *     nanoseconds of the monotonic clock
   */
  public record Family(Mode mode, Map<String, Boolean> flags, Optional<Long> readySince) {
    public Family {
      flags = Map.copyOf(flags);
    }
  }

  public GateState {
    families = AddressFamily.inOrder(families);
  }

  /** The mode of a family; normal while nothing has been decided. */
  public Mode mode(AddressFamily family) {
    Family known = families.get(family);
    return known == null ? Mode.NORMAL : known.mode();
  }

  /** Whether some family is in the mode. */
  public boolean isAny(Mode mode) {
    return families.values().stream().anyMatch(family -> family.mode() == mode);
  }
}
