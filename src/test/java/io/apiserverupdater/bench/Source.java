package io.apiserverupdater.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Lab;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The slice that the apiservers publish themselves, and changes of it. Thread-safe. */
final class Source {
  private static final String SLICE =
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes";

  private final Lab lab;

  Source(Lab lab) {
    this.lab = lab;
  }

  /** The addresses of all control planes. */
  Set<String> members() {
    Set<String> members = new TreeSet<>();
    lab.controlPlanes().forEach(member -> members.add(member.address()));
    return members;
  }

  /**
   * Puts these addresses in, with a zone if there is one.
   *
   * @return the slice as it was stored
   */
  JsonObject patch(Set<String> addresses, Optional<String> zone) {
    JsonArray endpoints = new JsonArray();
    for (String address : new TreeSet<>(addresses)) {
      JsonArray one = new JsonArray();
      one.add(address);
      JsonObject conditions = new JsonObject();
      conditions.addProperty("ready", true);
      JsonObject endpoint = new JsonObject();
      endpoint.add("addresses", one);
      endpoint.add("conditions", conditions);
      zone.ifPresent(name -> endpoint.addProperty("zone", name));
      endpoints.add(endpoint);
    }
    JsonObject patch = new JsonObject();
    patch.add("endpoints", endpoints);
    return lab.admin().patch(SLICE, patch.toString());
  }
}
