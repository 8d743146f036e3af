package io.apiserverupdater.bench;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ObjectWatch;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The slice that the updater maintains, as a watcher sees it. */
final class Target {
  private static final String SLICES =
      "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
  private static final String NAME = "apiserver-ipv4";

  private final Lab lab;

  Target(Lab lab) {
    this.lab = lab;
  }

  ObjectWatch watch() {
    return lab.admin().watch(SLICES + "?fieldSelector=metadata.name%3D" + NAME, "");
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
