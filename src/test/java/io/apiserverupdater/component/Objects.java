package io.apiserverupdater.component;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

/** Kubernetes objects as JSON trees, as a test reads and writes them. */
final class Objects {
  private Objects() {}

  static JsonObject parse(String json) {
    return JsonParser.parseString(json).getAsJsonObject();
  }

  /**
   * What stands at a path such as {@code metadata/labels/app}; a number is a place in a list.
   *
   * @return the text of a string or number, the JSON of anything else, "" of nothing
   */
  static String text(JsonObject object, String path) {
    JsonElement current = object;
    for (String key : path.split("/", -1)) {
      JsonElement next = null;
      if (current instanceof JsonArray array && Integer.parseInt(key) < array.size()) {
        next = array.get(Integer.parseInt(key));
      } else if (current instanceof JsonObject parent) {
        // A label's key may hold a slash, which is written ~ in a path.
        next = parent.get(key.replace('~', '/'));
      }
      if (next == null) {
        return "";
      }
      current = next;
    }
    return current.isJsonPrimitive() ? current.getAsString() : current.toString();
  }
}
