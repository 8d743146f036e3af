package io.apiserverupdater.lab;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.sandbox.Json;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/** What EndpointSlices of the cluster hold. Thread-safe. */
public record PublishedAddresses(AdminClient admin) {

  /** The addresses in a slice, ready or not; none when there is no slice. */
  Set<String> in(String namespace, String slice) {
    return admin
        .find(slices(namespace) + "/" + slice)
        .map(PublishedAddresses::listed)
        .orElse(Set.of());
  }

  /** Waits, by watching, until a slice holds exactly these addresses; says what it holds if not. */
  void await(String namespace, String slice, Set<String> wanted, Duration limit) {
    Optional<JsonObject> unusedSlice =
        admin.await(
            slices(namespace),
            slice,
            found -> found.map(PublishedAddresses::listed).orElse(Set.of()).equals(wanted),
            limit);
  }

  private static String slices(String namespace) {
    return "/apis/discovery.k8s.io/v1/namespaces/" + namespace + "/endpointslices";
  }

  /** The addresses in a slice, ready or not. */
  public static Set<String> listed(JsonObject slice) {
    return addresses(slice, endpoint -> true);
  }

  /** The addresses in a slice that take traffic. */
  public static Set<String> ready(JsonObject slice) {
    return addresses(slice, PublishedAddresses::isReady);
  }

  private static boolean isReady(JsonObject endpoint) {
    // Absent means ready, says the API.
    return !Json.text(endpoint, "conditions/ready").equals("false");
  }

  private static Set<String> addresses(JsonObject slice, Predicate<JsonObject> wanted) {
    Set<String> addresses = new TreeSet<>();
    for (JsonElement element : Json.arrayAt(slice, "endpoints")) {
      JsonObject endpoint = element.getAsJsonObject();
      if (wanted.test(endpoint)) {
        Json.arrayAt(endpoint, "addresses").forEach(one -> addresses.add(one.getAsString()));
      }
    }
    return addresses;
  }
}
