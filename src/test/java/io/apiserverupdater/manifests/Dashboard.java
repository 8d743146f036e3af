package io.apiserverupdater.manifests;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.sandbox.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** The dashboard for Grafana in {@code deploy/kustomize/components/monitoring}. Immutable. */
public record Dashboard(String title, List<Panel> panels) {
  private static final Pattern LABEL = Pattern.compile("\\{\\{(\\w+)\\}\\}");

  /** How a panel shows its series. */
  public enum Kind {
    /** The last value. */
    STAT("stat"),
    /** A lane for each series, in the colour of its value. */
    STATE_TIMELINE("state-timeline"),
    TIME_SERIES("timeseries");

    private final String type;

    Kind(String type) {
      this.type = type;
    }

    private static Kind of(String type) {
      return Arrays.stream(values())
          .filter(kind -> kind.type.equals(type))
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("unknown type of panel: " + type));
    }
  }

  /** Where a panel is, in columns, of which there are 24, and in rows. */
  public record Place(int column, int row, int columns, int rows) {}

  /** Its legend has label names in double braces. */
  public record Query(String expression, String legend) {
    /** What a series with these labels is called. */
    public String name(Map<String, String> labels) {
      return LABEL
          .matcher(legend)
          .replaceAll(label -> labels.getOrDefault(label.group(1), "").replace("$", "\\$"));
    }
  }

  /**
   * How some values are shown.
   *
   * @param color by Grafana's name; empty where the thresholds tell it
   */
  public record Mapping(String text, Optional<String> color) {}

  /** The colour of values from this one on, by Grafana's name. */
  public record Threshold(double from, String color) {}

  /**
   * One panel.
   *
   * @param unit by Grafana's name; empty for a number
   * @param mappings by the value, a whole number
   * @param thresholds from the lowest to the highest
   */
  public record Panel(
      Kind kind,
      String title,
      Place place,
      String unit,
      List<Query> queries,
      Map<Long, Mapping> mappings,
      List<Threshold> thresholds) {

    /** How a value that has a mapping is shown. */
    public Optional<Mapping> mapping(double value) {
      return value == Math.rint(value)
          ? Optional.ofNullable(mappings.get((long) value))
          : Optional.empty();
    }

    /** The name of its colour. */
    public String color(double value) {
      return mapping(value)
          .flatMap(Mapping::color)
          .orElseGet(
              () ->
                  thresholds.stream()
                      .filter(step -> value >= step.from())
                      .reduce((lower, higher) -> higher)
                      .map(Threshold::color)
                      .orElse("green"));
    }
  }

  /**
   * The one that ships.
   *
   * @param interval between two scrapes: where an expression leaves the range of a rate to Grafana,
   *     it is four of them, as there at least
   */
  public static Dashboard shipped(Path projectRoot, Duration interval) {
    Path file = AlertRules.component(projectRoot).resolve("dashboard.json");
    String text =
        LabException.wrap("cannot read " + file, () -> Files.readString(file))
            .replace("$__rate_interval", interval.multipliedBy(4).toSeconds() + "s");
    JsonObject root = Json.parse(text);
    List<Panel> panels = new ArrayList<>();
    Json.arrayAt(root, "panels").forEach(panel -> panels.add(panel(panel.getAsJsonObject())));
    return new Dashboard(Json.stringAt(root, "title"), List.copyOf(panels));
  }

  private static Panel panel(JsonObject panel) {
    JsonObject place = Json.objectAt(panel, "gridPos");
    JsonObject defaults = Json.objectAt(panel, "fieldConfig", "defaults");
    List<Query> queries = new ArrayList<>();
    for (JsonElement target : Json.arrayAt(panel, "targets")) {
      JsonObject query = target.getAsJsonObject();
      queries.add(new Query(Json.stringAt(query, "expr"), Json.stringAt(query, "legendFormat")));
    }
    Map<Long, Mapping> mappings = new HashMap<>();
    for (JsonElement mapping : Json.arrayAt(defaults, "mappings")) {
      JsonObject options = Json.objectAt(mapping.getAsJsonObject(), "options");
      for (String value : options.keySet()) {
        JsonObject shown = Json.objectAt(options, value);
        mappings.put(
            Long.valueOf(value),
            new Mapping(
                Json.stringAt(shown, "text"),
                Optional.of(Json.stringAt(shown, "color")).filter(it -> !it.isEmpty())));
      }
    }
    List<Threshold> thresholds = new ArrayList<>();
    for (JsonElement element : Json.arrayAt(Json.objectAt(defaults, "thresholds"), "steps")) {
      JsonObject step = element.getAsJsonObject();
      String from = Json.stringAt(step, "value");
      thresholds.add(
          new Threshold(
              from.isEmpty() ? Double.NEGATIVE_INFINITY : Double.parseDouble(from),
              Json.stringAt(step, "color")));
    }
    return new Panel(
        Kind.of(Json.stringAt(panel, "type")),
        Json.stringAt(panel, "title"),
        new Place(number(place, "x"), number(place, "y"), number(place, "w"), number(place, "h")),
        Json.stringAt(defaults, "unit"),
        List.copyOf(queries),
        Map.copyOf(mappings),
        List.copyOf(thresholds));
  }

  private static int number(JsonObject object, String key) {
    return Integer.parseInt(Json.stringAt(object, key));
  }

  /** What its panels ask. */
  public List<String> expressions() {
    return panels.stream()
        .flatMap(panel -> panel.queries().stream())
        .map(Query::expression)
        .toList();
  }
}
