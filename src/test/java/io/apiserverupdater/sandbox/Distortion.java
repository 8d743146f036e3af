package io.apiserverupdater.sandbox;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/** What a fault does to the objects of an answer. */
final class Distortion {
  private static final Set<String> LISTS =
      Set.of("items", "endpoints", "subsets", "ports", "addresses", "notReadyAddresses");

  private Distortion() {}

  static UnaryOperator<JsonObject> of(Optional<Fault> fault) {
    if (fault.isPresent() && fault.get() instanceof Fault.UnknownFields) {
      return object -> withUnknownFields(object).getAsJsonObject();
    }
    if (fault.isPresent() && fault.get() instanceof Fault.NullLists) {
      return Distortion::withNullLists;
    }
    if (fault.isPresent() && fault.get() instanceof Fault.Padded padded) {
      return object -> padded(object, padded.bytes());
    }
    return UnaryOperator.identity();
  }

  private static JsonElement withUnknownFields(JsonElement element) {
    if (element instanceof JsonArray array) {
      JsonArray strange = new JsonArray();
      array.forEach(e -> strange.add(withUnknownFields(e)));
      return strange;
    }
    if (!(element instanceof JsonObject object)) {
      return element;
    }
    JsonObject strange = new JsonObject();
    for (Map.Entry<String, JsonElement> entry : object.entrySet()) {
      // These are maps from string to string: whatever they hold has a meaning.
      boolean map = Set.of("labels", "annotations", "selector").contains(entry.getKey());
      strange.add(entry.getKey(), map ? entry.getValue() : withUnknownFields(entry.getValue()));
    }
    strange.add("fromTheFuture", Json.of("since", "v9.99", "values", List.of("one")));
    return strange;
  }

  private static JsonObject withNullLists(JsonObject object) {
    JsonObject bare = object.deepCopy();
    for (Map.Entry<String, JsonElement> entry : object.entrySet()) {
      if (LISTS.contains(entry.getKey())) {
        bare.add(entry.getKey(), JsonNull.INSTANCE);
      }
    }
    return bare;
  }

  private static JsonObject padded(JsonObject object, int bytes) {
    JsonObject big = object.deepCopy();
    if (big.get("items") instanceof JsonArray items && !items.isEmpty()) {
      pad(items.get(0).getAsJsonObject(), bytes);
    } else {
      pad(big, bytes);
    }
    return big;
  }

  private static void pad(JsonObject object, int bytes) {
    Json.child(Json.child(object, "metadata"), "annotations")
        .addProperty("sandbox/padding", "x".repeat(bytes));
  }
}
