package io.apiserverupdater.manifests;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.sandbox.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The groups of the PrometheusRule in {@code deploy/kustomize/components/monitoring}.
 *
 * @param groups as Prometheus itself reads them
 */
public record AlertRules(JsonArray groups) {
  /** A range has to be longer than the 15 s that the updater pauses after rejected writes. */
  private static final int MOST_FOR_RANGES = 6;

  private static final Pattern RANGE = Pattern.compile("\\[(\\d+)m\\]");
  private static final Pattern MINUTES = Pattern.compile("(\\d+)m");

  static Path component(Path projectRoot) {
    return projectRoot.resolve("deploy/kustomize/components/monitoring");
  }

  /** Those that ship. */
  public static AlertRules shipped(Path projectRoot) {
    Path file = component(projectRoot).resolve("prometheusrule.yaml");
    return new AlertRules(
        Manifests.parse(LabException.wrap("cannot read " + file, () -> Files.readString(file)))
            .get("PrometheusRule kube-system/apiserver-updater")
            .getAsJsonObject("spec")
            .getAsJsonArray("groups"));
  }

  /** Each rule of each group. */
  public List<JsonObject> rules() {
    List<JsonObject> rules = new ArrayList<>();
    for (JsonElement group : groups) {
      Json.arrayAt(group.getAsJsonObject(), "rules")
          .forEach(rule -> rules.add(rule.getAsJsonObject()));
    }
    return rules;
  }

  /**
   * For those who cannot wait for a quarter of an hour: each {@code for} is so many times shorter,
   * and each range six times. Nothing else differs: the ages of the source and of certificates that
   * the expressions name stay what they are.
   */
  public AlertRules hastened(int factor) {
    AlertRules copy = new AlertRules(groups.deepCopy());
    for (JsonObject rule : copy.rules()) {
      rule.addProperty("for", shorter(minutes(Json.stringAt(rule, "for")), factor));
      rule.addProperty(
          "expr",
          RANGE
              .matcher(Json.stringAt(rule, "expr"))
              .replaceAll(
                  range ->
                      "["
                          + shorter(
                              Integer.parseInt(range.group(1)), Math.min(factor, MOST_FOR_RANGES))
                          + "]"));
    }
    return copy;
  }

  private static int minutes(String duration) {
    if (!MINUTES.matcher(duration).matches()) {
      throw new IllegalArgumentException("expected whole minutes, found " + duration);
    }
    return Integer.parseInt(duration.substring(0, duration.length() - 1));
  }

  private static String shorter(int minutes, int factor) {
    return minutes * 60_000 / factor + "ms";
  }

  /** A rule file. JSON is YAML. */
  public String text() {
    return Json.of("groups", groups).toString();
  }
}
