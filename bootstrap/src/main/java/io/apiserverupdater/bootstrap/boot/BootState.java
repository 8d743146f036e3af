package io.apiserverupdater.bootstrap.boot;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a command did last. The hosts file decides where the name points; this says since when, on
 * what evidence, which line was ours, and whether a person has ended it.
 *
 * @param target the IP address that the hosts file has since then, or had before when unpinned
 * @param sinceSeconds of the Unix epoch
 */
public record BootState(BootPhase phase, String target, Evidence evidence, long sinceSeconds) {

  /** With {@code restore}: the name is to have no entry of ours, as it had until now. */
  public static BootState unpinned(String target, long sinceSeconds) {
    return new BootState(BootPhase.UNPINNED, target, Evidence.NONE, sinceSeconds);
  }

  /** But for the time. */
  boolean saysTheSameAs(BootState other) {
    return phase == other.phase && target.equals(other.target) && evidence == other.evidence;
  }

  /** As the state file holds it. */
  public byte[] toBytes() {
    String where = "phase=" + phase + "\ntarget=" + target;
    String why = "evidence=" + evidence + "\nsince=" + sinceSeconds;
    return (where + "\n" + why + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /** Reads a state file; empty when it is damaged. Lines of another version are passed over. */
  public static Optional<BootState> of(byte[] content) {
    Map<String, String> values = new HashMap<>();
    for (String line : new String(content, StandardCharsets.UTF_8).split("\n", -1)) {
      int equals = line.indexOf('=');
      if (equals > 0) {
        values.put(line.substring(0, equals), line.substring(equals + 1));
      }
    }
    Optional<BootPhase> phase = spelled(BootPhase.values(), values.getOrDefault("phase", ""));
    Optional<Evidence> evidence = spelled(Evidence.values(), values.getOrDefault("evidence", ""));
    if (phase.isEmpty() || evidence.isEmpty() || !values.containsKey("target")) {
      return Optional.empty();
    }
    try {
      long since = Long.parseLong(values.getOrDefault("since", ""));
      String target = values.getOrDefault("target", "");
      return Optional.of(new BootState(phase.get(), target, evidence.get(), since));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static <T> Optional<T> spelled(T[] values, String text) {
    return Arrays.stream(values).filter(value -> value.toString().equals(text)).findFirst();
  }
}
