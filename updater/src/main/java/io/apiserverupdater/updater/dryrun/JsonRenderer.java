package io.apiserverupdater.updater.dryrun;

import com.google.gson.FormattingStyle;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

/** JSON as kubectl prints it: four spaces for each level. */
final class JsonRenderer {
  private static final Gson GSON =
      new GsonBuilder()
          .disableHtmlEscaping()
          .setFormattingStyle(FormattingStyle.PRETTY.withIndent("    "))
          .create();

  private JsonRenderer() {}

  /** One v1 List of the objects as they would be. */
  static String render(Report report) {
    return GSON.toJson(ManifestList.of(report)) + "\n";
  }
}
