package io.apiserverupdater.node;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.ObjectWatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * How long pods take to become Ready, from the first status whose container runs, as both arrive in
 * a watch. A pod that runs when it is first seen does not count. Not thread-safe.
 */
final class PodStarts {
  private final Set<String> waiting = new HashSet<>();
  private final Map<String, Long> runningNanos = new HashMap<>();
  private final List<Duration> took = new ArrayList<>();

  /** Reads the events that have come so far. */
  void read(ObjectWatch pods) {
    for (Optional<ObjectWatch.Event> event = pods.next(Duration.ZERO);
        event.isPresent();
        event = pods.next(Duration.ZERO)) {
      add(event.get());
    }
  }

  void add(ObjectWatch.Event event) {
    if (!event.object().has("status")) {
      return;
    }
    JsonObject status = event.object().getAsJsonObject("status");
    String name = event.object().getAsJsonObject("metadata").get("name").getAsString();
    if (!runs(status)) {
      waiting.add(name);
    } else if (waiting.remove(name)) {
      runningNanos.put(name, event.seenNanos());
    }
    if (ready(status)) {
      Optional.ofNullable(runningNanos.remove(name))
          .ifPresent(since -> took.add(Duration.ofNanos(event.seenNanos() - since)));
    }
  }

  /** One for each pod that has become Ready, in that order. */
  List<Duration> took() {
    return List.copyOf(took);
  }

  private static boolean runs(JsonObject status) {
    return anyOf(
        status,
        "containerStatuses",
        container -> container.getAsJsonObject("state").has("running"));
  }

  private static boolean ready(JsonObject status) {
    return anyOf(
        status,
        "conditions",
        condition ->
            condition.get("type").getAsString().equals("Ready")
                && condition.get("status").getAsString().equals("True"));
  }

  private static boolean anyOf(JsonObject status, String member, Predicate<JsonObject> wanted) {
    JsonArray list = status.has(member) ? status.getAsJsonArray(member) : new JsonArray();
    for (JsonElement element : list) {
      if (wanted.test(element.getAsJsonObject())) {
        return true;
      }
    }
    return false;
  }
}
