package io.apiserverupdater.updater.kube;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.apiserverupdater.updater.kube.api.KubeJson;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** The fields of a model as texts, numbers, booleans, lists and maps; empty ones are left out. */
final class Verbatim {
  private Verbatim() {}

  /**
   * The fields of a model that is there.
   *
   * @param written what we would write to say the same as our own values say of it
   * @return empty when that would be the same; objects in a list may be in any order
   */
  static Optional<Map<String, Object>> unlessSame(Object model, Object written) {
    SortedMap<String, Object> fields = fields(json(model));
    return fields.equals(fields(json(written))) ? Optional.empty() : Optional.of(fields);
  }

  private static JsonObject json(Object model) {
    return JsonParser.parseString(KubeJson.text(model)).getAsJsonObject();
  }

  private static SortedMap<String, Object> fields(JsonObject object) {
    SortedMap<String, Object> fields = new TreeMap<>();
    object
        .entrySet()
        .forEach(field -> value(field.getValue()).ifPresent(it -> fields.put(field.getKey(), it)));
    return fields;
  }

  private static Optional<Object> value(JsonElement element) {
    if (element instanceof JsonObject object) {
      return Optional.<Object>of(fields(object)).filter(fields -> !fields.equals(Map.of()));
    }
    if (element instanceof JsonArray array) {
      List<Object> list = new ArrayList<>();
      array.forEach(item -> value(item).ifPresent(list::add));
      // Which of an endpoint's addresses comes first matters, unlike which endpoint does.
      if (list.stream().allMatch(Map.class::isInstance)) {
        list.sort(Comparator.comparing(Object::toString));
      }
      return Optional.<Object>of(list).filter(items -> !items.equals(List.of()));
    }
    if (!(element instanceof JsonPrimitive primitive)) {
      return Optional.empty();
    }
    if (primitive.isBoolean()) {
      return Optional.of(primitive.getAsBoolean());
    }
    return Optional.of(primitive.isNumber() ? primitive.getAsLong() : primitive.getAsString());
  }
}
