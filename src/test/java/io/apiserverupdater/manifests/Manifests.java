package io.apiserverupdater.manifests;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Map;
import java.util.TreeMap;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * Objects of Kubernetes as they are written in manifests, without regard to order and comments.
 *
 * @param byName each under its {@code KIND NAMESPACE/NAME}
 */
record Manifests(Map<String, JsonObject> byName) {
  private static final Gson GSON = new GsonBuilder().setPrettyPrinting().create();

  static Manifests parse(String yaml) {
    Map<String, JsonObject> byName = new TreeMap<>();
    for (Object document : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(yaml)) {
      JsonElement element = GSON.toJsonTree(document);
      // Helm leaves a comment alone where a template renders to nothing.
      if (!element.isJsonObject()) {
        continue;
      }
      JsonObject object = element.getAsJsonObject();
      JsonObject metadata = object.getAsJsonObject("metadata");
      JsonElement namespace = metadata.get("namespace");
      String name =
          "%s %s/%s"
              .formatted(
                  object.get("kind").getAsString(),
                  namespace == null ? "" : namespace.getAsString(),
                  metadata.get("name").getAsString());
      if (byName.put(name, object) != null) {
        throw new IllegalArgumentException(name + " is there twice");
      }
    }
    return new Manifests(byName);
  }

  JsonObject get(String name) {
    JsonObject found = byName.get(name);
    if (found == null) {
      throw new IllegalArgumentException(name + " is not among " + byName.keySet());
    }
    return found;
  }

  /** As text whose lines can be compared. */
  String text() {
    StringBuilder text = new StringBuilder();
    byName.forEach((name, object) -> text.append(GSON.toJson(sorted(object))).append('\n'));
    return text.toString();
  }

  /** With the members of each object in the order of their names. */
  private static JsonElement sorted(JsonElement element) {
    if (element.isJsonObject()) {
      JsonObject sorted = new JsonObject();
      element.getAsJsonObject().entrySet().stream()
          .sorted(Map.Entry.comparingByKey())
          .forEach(entry -> sorted.add(entry.getKey(), sorted(entry.getValue())));
      return sorted;
    }
    if (element.isJsonArray()) {
      JsonArray items = new JsonArray();
      element.getAsJsonArray().forEach(item -> items.add(sorted(item)));
      return items;
    }
    return element;
  }
}
