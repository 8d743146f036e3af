package io.apiserverupdater.tour;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.sandbox.Json;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;

/** Reads what the tour tells out of objects of the API; what is absent reads as empty. */
final class ObjectFields {
  private ObjectFields() {}

  /** The ready addresses in an Endpoints. */
  static Set<String> endpointsAddresses(JsonObject endpoints) {
    Set<String> addresses = new TreeSet<>();
    for (JsonElement subset : Json.arrayAt(endpoints, "subsets")) {
      Json.arrayAt(subset.getAsJsonObject(), "addresses")
          .forEach(a -> addresses.add(Json.text(a.getAsJsonObject(), "ip")));
    }
    return addresses;
  }

  /** Who holds a Lease. */
  static String holder(JsonObject lease) {
    return Json.text(lease, "spec/holderIdentity");
  }

  static Duration leaseDuration(JsonObject lease) {
    String seconds = Json.text(lease, "spec/leaseDurationSeconds");
    return Duration.ofSeconds(seconds.isEmpty() ? 0 : Long.parseLong(seconds));
  }

  /** The ports as {@code https 6443}. */
  static String ports(JsonObject sliceOrServiceSpec) {
    Set<String> ports = new TreeSet<>();
    for (JsonElement port : Json.arrayAt(sliceOrServiceSpec, "ports")) {
      ports.add(
          Json.text(port.getAsJsonObject(), "name")
              + " "
              + Json.text(port.getAsJsonObject(), "port"));
    }
    return String.join(", ", ports);
  }
}
