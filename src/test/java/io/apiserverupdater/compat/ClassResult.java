package io.apiserverupdater.compat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.sandbox.Json;
import java.util.ArrayList;
import java.util.List;

/**
 * What became of the tests of one class.
 *
 * @param name the simple name of the class
 * @param failed the names of those that failed or broke; "" is what comes before or after all of
 *     them
 */
record ClassResult(String name, int passed, int skipped, List<String> failed) {
  ClassResult {
    failed = List.copyOf(failed);
  }

  /** A class of which nothing was reported. */
  static ClassResult notRun(String name) {
    return new ClassResult(name, 0, 0, List.of());
  }

  /** Whether nothing of it was left out. */
  boolean complete() {
    return skipped == 0 && passed + failed.size() > 0;
  }

  /** The failed ones as a person looks for them. */
  List<String> failedTests() {
    return failed.stream().map(test -> test.isEmpty() ? name : name + "." + test).toList();
  }

  JsonObject json() {
    JsonObject json = Json.of("passed", passed);
    if (skipped > 0) {
      json.addProperty("skipped", skipped);
    }
    if (!failed.isEmpty()) {
      json.add("failed", Json.array(failed.toArray()));
    }
    return json;
  }

  static ClassResult of(String name, JsonObject json) {
    List<String> failed = new ArrayList<>();
    for (JsonElement test : Json.arrayAt(json, "failed")) {
      failed.add(test.getAsString());
    }
    int skipped = json.has("skipped") ? json.get("skipped").getAsInt() : 0;
    return new ClassResult(name, json.get("passed").getAsInt(), skipped, failed);
  }
}
