package io.apiserverupdater.manifests;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * The values of the chart, as {@code values.yaml} has them.
 *
 * @param defaults the whole file
 * @param descriptions by the path of a value, such as {@code image.tag}: the comment right above it
 */
record ChartValues(JsonObject defaults, Map<String, String> descriptions) {
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();
  private static final Pattern KEY = Pattern.compile("( *)([A-Za-z]+):.*");

  static ChartValues read(Path file) throws IOException {
    String text = Files.readString(file);
    Object values = new Yaml(new SafeConstructor(new LoaderOptions())).load(text);
    Map<String, String> descriptions = new LinkedHashMap<>();
    Deque<String> path = new ArrayDeque<>();
    List<String> comment = new ArrayList<>();
    for (String line : text.lines().toList()) {
      Matcher key = KEY.matcher(line);
      if (line.strip().startsWith("# ")) {
        comment.add(line.strip().substring(2));
        continue;
      }
      if (key.matches()) {
        while (path.size() > key.group(1).length() / 2) {
          path.removeLast();
        }
        path.addLast(key.group(2));
        if (!comment.isEmpty()) {
          descriptions.put(String.join(".", path), String.join(" ", comment));
        }
      }
      comment.clear();
    }
    return new ChartValues(GSON.toJsonTree(values).getAsJsonObject(), descriptions);
  }

  /** The table of the chart's README. */
  String table() {
    return descriptions.entrySet().stream()
        .map(
            entry ->
                "| `%s` | `%s` | %s |\n"
                    .formatted(
                        entry.getKey(),
                        GSON.toJson(at(defaults, entry.getKey())),
                        entry.getValue().replace("|", "\\|")))
        .collect(Collectors.joining("", "| value | default | what it is |\n|---|---|---|\n", ""));
  }

  /** The paths of all values that are no objects, or empty ones. */
  Set<String> paths() {
    Set<String> paths = new TreeSet<>();
    collect("", defaults, paths);
    return paths;
  }

  private static void collect(String path, JsonElement value, Set<String> paths) {
    if (!value.isJsonObject() || value.getAsJsonObject().isEmpty()) {
      paths.add(path);
      return;
    }
    value
        .getAsJsonObject()
        .entrySet()
        .forEach(
            entry ->
                collect(
                    path.isEmpty() ? entry.getKey() : path + "." + entry.getKey(),
                    entry.getValue(),
                    paths));
  }

  /** Whether the table says what this value is: by itself, or within a greater one. */
  boolean isDescribed(String path) {
    return descriptions.keySet().stream()
        .anyMatch(described -> (path + ".").startsWith(described + "."));
  }

  private static JsonElement at(JsonObject values, String path) {
    JsonElement found = values;
    for (String key : path.split("\\.", -1)) {
      found = found.getAsJsonObject().get(key);
    }
    return found;
  }
}
