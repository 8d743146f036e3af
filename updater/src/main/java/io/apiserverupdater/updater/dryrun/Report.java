package io.apiserverupdater.updater.dryrun;

import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.endpoints.Refusal;
import io.apiserverupdater.updater.endpoints.TargetName;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a dry run found.
 *
 * @param source NAMESPACE/NAME of the source Service
 * @param comparisons the objects that are not as they should be, in the order of the writes
 * @param members what the probes say of each member, in the order to show them; empty when none was
 *     probed
 * @param notes what a person should know to read the result
 * @param warnings what keeps the result from being of use
 * @param refusals why nothing would be written; when there is one, no write is among the
 *     comparisons
 */
public record Report(
    String source,
    TargetName target,
    List<Comparison> comparisons,
    Map<Member, MemberHealth> members,
    List<String> notes,
    List<String> warnings,
    List<Refusal> refusals) {

  /** Nothing would change. */
  public static final int NOTHING_TO_CHANGE = 0;

  /** Something would change, or a person must create the Service first. */
  public static final int CHANGES = 1;

  /** The updater would refuse to write. */
  public static final int REFUSED = 3;

  public Report {
    comparisons = List.copyOf(comparisons);
    members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
    notes = List.copyOf(notes);
    warnings = List.copyOf(warnings);
    refusals = List.copyOf(refusals);
  }

  /** The exit code of the process: 0, 1 or 3. An error before there is a report is 2. */
  public int exitCode() {
    if (!refusals.isEmpty()) {
      return REFUSED;
    }
    return comparisons.isEmpty() ? NOTHING_TO_CHANGE : CHANGES;
  }

  /** The result in one line; when refused, in one line for each reason. */
  public List<String> summary() {
    if (!refusals.isEmpty()) {
      return refusals.stream()
          .map(refusal -> "refused: " + refusal.message() + "; " + refusal.remedy())
          .toList();
    }
    if (comparisons.isEmpty()) {
      return List.of("nothing to change; target " + target + " matches the source " + source);
    }
    long created = count(Comparison.Action.CREATE) + count(Comparison.Action.REPLACE);
    long deleted = count(Comparison.Action.DELETE) + count(Comparison.Action.REPLACE);
    return List.of(
        "%s %s would be created, %s updated, %s deleted; target %s%s"
            .formatted(
                created,
                created == 1 ? "object" : "objects",
                count(Comparison.Action.UPDATE),
                deleted,
                target,
                count(Comparison.Action.AWAIT) > 0 ? ", whose Service must be created first" : ""));
  }

  /** All that belongs on the standard error: members, notes, warnings, and the summary last. */
  public List<String> messages() {
    List<String> lines = new ArrayList<>();
    members.forEach((member, health) -> lines.add("member " + member + ": " + verdict(health)));
    notes.forEach(note -> lines.add("note: " + note));
    warnings.forEach(warning -> lines.add("warning: " + warning));
    lines.addAll(summary());
    return lines;
  }

  private static String verdict(MemberHealth health) {
    return switch (health.state()) {
      case READY -> "ready";
      case UNREADY -> "unready: " + health.evidence();
      case UNKNOWN -> "unknown: the probes took too long";
    };
  }

  private long count(Comparison.Action action) {
    return comparisons.stream().filter(comparison -> comparison.action() == action).count();
  }
}
