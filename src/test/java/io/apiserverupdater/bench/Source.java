package io.apiserverupdater.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.sandbox.Json;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The slice that the apiservers publish themselves, and changes of it. Thread-safe. */
record Source(Lab lab) {
  private static final String SLICE =
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes";

  /** The addresses of all control planes. */
  Set<String> members() {
    Set<String> members = new TreeSet<>();
    lab.controlPlanes().forEach(member -> members.add(member.address()));
    return members;
  }

  /** Puts these addresses in, with a zone if there is one; returns the slice as stored. */
  JsonObject patch(Set<String> addresses, Optional<String> zone) {
    JsonArray endpoints = new JsonArray();
    for (String address : new TreeSet<>(addresses)) {
      JsonObject endpoint =
          Json.of("addresses", List.of(address), "conditions", Json.of("ready", true));
      zone.ifPresent(name -> endpoint.addProperty("zone", name));
      endpoints.add(endpoint);
    }
    return lab.admin().patch(SLICE, Json.of("endpoints", endpoints).toString());
  }
}
