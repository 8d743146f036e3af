package io.apiserverupdater.sandbox;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

/** Reading and writing JSON trees without null checks at every step. */
public final class Json {
  // Nulls are printed: an EndpointSlice without endpoints reads "endpoints": null on the wire.
  private static final Gson GSON =
      new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

  private Json() {}

  static String print(JsonElement element) {
    return GSON.toJson(element);
  }

  public static JsonObject parse(String text) {
    return JsonParser.parseString(text).getAsJsonObject();
  }

  /** The object under a key, created when it is absent, null or something else. */
  static JsonObject child(JsonObject parent, String key) {
    if (parent.get(key) instanceof JsonObject present) {
      return present;
    }
    JsonObject created = new JsonObject();
    parent.add(key, created);
    return created;
  }

  /** The object under a path, or an empty one that belongs to nobody. */
  public static JsonObject objectAt(JsonObject root, String... path) {
    JsonObject current = root;
    for (String key : path) {
      if (!(current.get(key) instanceof JsonObject next)) {
        return new JsonObject();
      }
      current = next;
    }
    return current;
  }

  /** The array under a key, or an empty one. */
  public static JsonArray arrayAt(JsonObject parent, String key) {
    return parent.get(key) instanceof JsonArray present ? present : new JsonArray();
  }

  /** The string (or number) under a key, or "". */
  public static String stringAt(JsonObject parent, String key) {
    JsonElement value = parent.get(key);
    return value != null && value.isJsonPrimitive() ? value.getAsString() : "";
  }

  /**
   * What stands at a path such as {@code metadata/labels/app}; a number is a place in a list, and a
   * slash in a label's key is written ~.
   *
   * @return the text of a string or number, the JSON of anything else, "" of nothing
   */
  public static String text(JsonObject object, String path) {
    JsonElement current = object;
    for (String step : path.split("/", -1)) {
      if (current instanceof JsonArray array && Integer.parseInt(step) < array.size()) {
        current = array.get(Integer.parseInt(step));
      } else if (current instanceof JsonObject parent && parent.has(step.replace('~', '/'))) {
        current = parent.get(step.replace('~', '/'));
      } else {
        return "";
      }
    }
    return current.isJsonPrimitive() ? current.getAsString() : current.toString();
  }

  static JsonObject metadata(JsonObject object) {
    return objectAt(object, "metadata");
  }

  static String name(JsonObject object) {
    return stringAt(metadata(object), "name");
  }

  static boolean isNullOrEmpty(JsonElement element) {
    return element.isJsonNull()
        || (element instanceof JsonArray array && array.isEmpty())
        || (element instanceof JsonObject object && object.size() == 0);
  }

  /** Of JSON trees or scalars. */
  public static JsonArray array(Object... values) {
    return GSON.toJsonTree(values).getAsJsonArray();
  }

  /** An object from keys and their values in turn; a value is a JSON tree, a list or a scalar. */
  public static JsonObject of(Object... keysAndValues) {
    JsonObject object = new JsonObject();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      object.add((String) keysAndValues[i], GSON.toJsonTree(keysAndValues[i + 1]));
    }
    return object;
  }
}
