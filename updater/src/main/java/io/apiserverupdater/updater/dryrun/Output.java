package io.apiserverupdater.updater.dryrun;

import com.google.gson.FormattingStyle;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** How a report is shown on the standard output. */
public enum Output {
  /** A unified diff of the objects that would change. */
  DIFF,
  /** The objects that would change, as they would be, in YAML. */
  YAML,
  /** The objects that would change, as they would be, in JSON. */
  JSON;

  /** As kubectl prints it: four spaces for each level. */
  private static final Gson GSON =
      new GsonBuilder()
          .disableHtmlEscaping()
          .setFormattingStyle(FormattingStyle.PRETTY.withIndent("    "))
          .create();

  /**
   * Whether a diff may have colours.
   *
   * @param terminal whether the standard output is a terminal
   * @param environment the process's environment; NO_COLOR in it, with any value, forbids colours
   */
  public static boolean colours(boolean terminal, Map<String, String> environment) {
    return terminal
        && !environment.containsKey("NO_COLOR")
        && !"dumb".equals(environment.get("TERM"));
  }

  /**
   * The text to print: it ends with a line feed, or is empty.
   *
   * @param colours whether a diff has colours; the other outputs never have
   */
  public String render(Report report, boolean colours) {
    return switch (this) {
      case DIFF -> DiffRenderer.render(report, colours);
      case YAML -> Printable.text(YamlRenderer.text(list(report)));
      case JSON -> Printable.text(GSON.toJson(list(report)) + "\n");
    };
  }

  /** One v1 List, as kubectl prints several objects; one that would be deleted is not in it. */
  private static SortedMap<String, Object> list(Report report) {
    SortedMap<String, Object> list = new TreeMap<>();
    list.put("apiVersion", "v1");
    list.put(
        "items",
        report.comparisons().stream()
            .flatMap(comparison -> comparison.merged().stream())
            .map(Manifest::fields)
            .toList());
    list.put("kind", "List");
    if (!report.members().isEmpty()) {
      // Not a field of a List: kubectl passes over it.
      list.put(
          "members",
          report.members().entrySet().stream()
              .map(entry -> fields(entry.getKey(), entry.getValue()))
              .toList());
    }
    return list;
  }

  private static SortedMap<String, Object> fields(Member member, MemberHealth health) {
    return new TreeMap<>(
        Map.of(
            "address", member.address(),
            "evidence", health.evidence(),
            "port", member.port(),
            "ready", health.isReady()));
  }
}
