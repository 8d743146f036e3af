package io.apiserverupdater.bootstrap.state;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a command did last. The hosts file decides where the name points; this says since when, on
 * what evidence, whether the entry is ours, and whether a person has ended it.
 *
 * @param target the IP address that the hosts file has since then, or had before when unpinned
 * @param sinceSeconds of the Unix epoch
 * @param own empty where the entry with this target was somebody else's
 */
public record BootState(
    BootPhase phase, String target, Evidence evidence, long sinceSeconds, Optional<OwnEntry> own) {

  /** With {@code restore}: the name is to have no entry of ours, as it had until now. */
  public static BootState unpinned(String target, long sinceSeconds) {
    return new BootState(BootPhase.UNPINNED, target, Evidence.NONE, sinceSeconds, Optional.empty());
  }

  /** But for the time. */
  public boolean saysTheSameAs(BootState other) {
    return phase == other.phase
        && target.equals(other.target)
        && evidence == other.evidence
        && own.equals(other.own);
  }

  /** As the state file holds it. */
  public byte[] toBytes() {
    StringBuilder text = new StringBuilder("phase=" + phase + "\ntarget=" + target);
    text.append("\nevidence=").append(evidence).append("\nsince=").append(sinceSeconds);
    own.ifPresent(it -> text.append("\nown=" + it.name() + "\nadopted=" + it.adopted()));
    return text.append('\n').toString().getBytes(StandardCharsets.UTF_8);
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
      // An earlier version did not say: then only the markers tell what is ours.
      int adopted = Integer.parseInt(values.getOrDefault("adopted", "0"));
      Optional<OwnEntry> own =
          Optional.ofNullable(values.get("own")).map(name -> new OwnEntry(name, adopted));
      long since = Long.parseLong(values.getOrDefault("since", ""));
      String target = values.getOrDefault("target", "");
      return Optional.of(new BootState(phase.get(), target, evidence.get(), since, own));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static <T> Optional<T> spelled(T[] values, String text) {
    return Arrays.stream(values).filter(value -> value.toString().equals(text)).findFirst();
  }
}
