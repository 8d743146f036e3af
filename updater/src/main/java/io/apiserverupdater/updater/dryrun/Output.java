package io.apiserverupdater.updater.dryrun;

import com.google.gson.FormattingStyle;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.Map;

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
      case YAML -> YamlRenderer.text(ManifestList.of(report));
      case JSON -> GSON.toJson(ManifestList.of(report)) + "\n";
    };
  }
}
