package io.apiserverupdater.bootstrap.boot;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a command did last, for status to tell. The hosts file decides where the name points; this
 * only says since when, and on what evidence.
 *
 * @param target the IP address that the hosts file has since then
 * @param sinceSeconds of the Unix epoch
 */
public record BootState(BootPhase phase, String target, Evidence evidence, long sinceSeconds) {

  /** As the state file holds it. */
  public byte[] toBytes() {
    return ("phase="
            + phase
            + "\ntarget="
            + target
            + "\nevidence="
            + evidence.name().toLowerCase(Locale.ROOT)
            + "\nsince="
            + sinceSeconds
            + "\n")
        .getBytes(StandardCharsets.UTF_8);
  }

  /** Reads a state file; empty when it is damaged. */
  public static Optional<BootState> of(byte[] content) {
    Optional<BootPhase> phase = Optional.empty();
    Optional<String> target = Optional.empty();
    Optional<Evidence> evidence = Optional.empty();
    OptionalLong since = OptionalLong.empty();
    for (String line : new String(content, StandardCharsets.UTF_8).split("\n", -1)) {
      int equals = line.indexOf('=');
      String value = line.substring(equals + 1);
      switch (line.substring(0, Math.max(equals, 0))) {
        case "phase" -> phase = BootPhase.of(value);
        case "target" -> target = Optional.of(value);
        case "evidence" -> evidence = evidence(value);
        case "since" -> since = seconds(value);
        default -> {
          // Of another version.
        }
      }
    }
    return phase.isPresent() && target.isPresent() && evidence.isPresent() && since.isPresent()
        ? Optional.of(new BootState(phase.get(), target.get(), evidence.get(), since.getAsLong()))
        : Optional.empty();
  }

  private static Optional<Evidence> evidence(String value) {
    for (Evidence evidence : Evidence.values()) {
      if (evidence.name().equalsIgnoreCase(value)) {
        return Optional.of(evidence);
      }
    }
    return Optional.empty();
  }

  private static OptionalLong seconds(String value) {
    try {
      return OptionalLong.of(Long.parseLong(value));
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }
}
