package io.apiserverupdater.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ObjectWatch;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/** The slice that the updater maintains, as a watcher sees it. */
record Target(Lab lab) {
  private static final String SLICES =
      "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
  private static final String NAME = "apiserver-ipv4";

  ObjectWatch watch() {
    return lab.admin().watch(SLICES + "?fieldSelector=metadata.name%3D" + NAME, "");
  }

  /**
   * From a PUT to the moment at which a watcher sees it, of a slice like this one that no Service
   * knows: what is left for anybody who mirrors in no time at all.
   */
  Sample writes(int count, long everyMillis) throws InterruptedException {
    Sample sample = new Sample();
    String name = "bare-write";
    JsonObject slice = lab.admin().get(SLICES + "/" + NAME);
    JsonObject metadata = new JsonObject();
    metadata.addProperty("name", name);
    slice.add("metadata", metadata);
    slice = lab.admin().create(SLICES, slice);
    JsonElement all = slice.get("endpoints");
    JsonArray fewer = all.getAsJsonArray().deepCopy();
    fewer.remove(0);
    String version = slice.getAsJsonObject("metadata").get("resourceVersion").getAsString();
    try (ObjectWatch watch =
        lab.admin().watch(SLICES + "?fieldSelector=metadata.name%3D" + name, version)) {
      for (int i = 0; i < count; i++) {
        slice.add("endpoints", i % 2 == 0 ? fewer : all);
        long sent = System.nanoTime();
        slice = lab.admin().put(SLICES + "/" + name, slice);
        watch
            .next(Duration.ofSeconds(5))
            .ifPresent(event -> sample.add((event.seenNanos() - sent) / 1e6));
        TimeUnit.MILLISECONDS.sleep(everyMillis);
      }
    } finally {
      lab.admin().delete(SLICES + "/" + name);
    }
    return sample;
  }

  /** Waits until it holds exactly these. */
  void await(Set<String> members, Duration limit) {
    lab.awaitAddresses("kube-system", NAME, members, limit);
  }

  /** When a watch first saw exactly these; empty when it did not within the limit. */
  static Optional<Long> seen(ObjectWatch watch, Set<String> wanted, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() < end) {
      Optional<ObjectWatch.Event> event = watch.next(Duration.ofNanos(end - System.nanoTime()));
      if (event.isPresent() && addresses(event.get().object()).equals(wanted)) {
        return Optional.of(event.get().seenNanos());
      }
    }
    return Optional.empty();
  }

  private static Set<String> addresses(JsonObject slice) {
    Set<String> addresses = new TreeSet<>();
    JsonElement endpoints = slice.get("endpoints");
    if (endpoints != null && endpoints.isJsonArray()) {
      endpoints
          .getAsJsonArray()
          .forEach(
              endpoint ->
                  endpoint
                      .getAsJsonObject()
                      .getAsJsonArray("addresses")
                      .forEach(address -> addresses.add(address.getAsString())));
    }
    return addresses;
  }
}
