package io.apiserverupdater.lab;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What EndpointSlices of the cluster hold. Thread-safe. */
record PublishedAddresses(AdminClient admin) {

  /** The addresses in a slice, ready or not; none when there is no slice. */
  Set<String> in(String namespace, String slice) {
    return admin
        .find(slices(namespace) + "/" + slice)
        .map(PublishedAddresses::addresses)
        .orElse(Set.of());
  }

  /**
   * Waits, by watching, until a slice holds exactly these addresses.
   *
   * @throws LabException with the slice as it is, when time is up first
   */
  void await(String namespace, String slice, Set<String> wanted, Duration limit) {
    Optional<JsonObject> unusedSlice =
        admin.await(
            slices(namespace),
            slice,
            found -> found.map(PublishedAddresses::addresses).orElse(Set.of()).equals(wanted),
            limit);
  }

  private static String slices(String namespace) {
    return "/apis/discovery.k8s.io/v1/namespaces/" + namespace + "/endpointslices";
  }

  private static Set<String> addresses(JsonObject slice) {
    Set<String> addresses = new TreeSet<>();
    JsonElement endpoints = slice.get("endpoints");
    if (endpoints != null && endpoints.isJsonArray()) {
      for (JsonElement endpoint : endpoints.getAsJsonArray()) {
        endpoint
            .getAsJsonObject()
            .getAsJsonArray("addresses")
            .forEach(address -> addresses.add(address.getAsString()));
      }
    }
    return addresses;
  }
}
