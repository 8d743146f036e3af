package io.apiserverupdater.tour;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;

/** Reads what the tour tells out of objects of the API; what is absent reads as empty. */
final class ObjectFields {
  private ObjectFields() {}

  /** The ready addresses in an EndpointSlice; an absent condition counts as ready. */
  static Set<String> sliceAddresses(JsonObject slice) {
    Set<String> addresses = new TreeSet<>();
    for (JsonElement element : array(slice, "endpoints")) {
      JsonObject endpoint = element.getAsJsonObject();
      if (!text(object(endpoint, "conditions"), "ready").equals("false")) {
        array(endpoint, "addresses").forEach(a -> addresses.add(a.getAsString()));
      }
    }
    return addresses;
  }

  /** The ready addresses in an Endpoints. */
  static Set<String> endpointsAddresses(JsonObject endpoints) {
    Set<String> addresses = new TreeSet<>();
    for (JsonElement subset : array(endpoints, "subsets")) {
      array(subset.getAsJsonObject(), "addresses")
          .forEach(a -> addresses.add(text(a.getAsJsonObject(), "ip")));
    }
    return addresses;
  }

  /** Who holds a Lease. */
  static String holder(JsonObject lease) {
    return text(object(lease, "spec"), "holderIdentity");
  }

  static Duration leaseDuration(JsonObject lease) {
    String seconds = text(object(lease, "spec"), "leaseDurationSeconds");
    return Duration.ofSeconds(seconds.isEmpty() ? 0 : Long.parseLong(seconds));
  }

  static String clusterIp(JsonObject service) {
    return text(object(service, "spec"), "clusterIP");
  }

  /** The ports as {@code https 6443}. */
  static String ports(JsonObject sliceOrServiceSpec) {
    Set<String> ports = new TreeSet<>();
    for (JsonElement port : array(sliceOrServiceSpec, "ports")) {
      ports.add(text(port.getAsJsonObject(), "name") + " " + text(port.getAsJsonObject(), "port"));
    }
    return String.join(", ", ports);
  }

  static JsonObject object(JsonObject parent, String field) {
    JsonElement value = parent.get(field);
    return value != null && value.isJsonObject() ? value.getAsJsonObject() : new JsonObject();
  }

  static JsonArray array(JsonObject parent, String field) {
    JsonElement value = parent.get(field);
    return value != null && value.isJsonArray() ? value.getAsJsonArray() : new JsonArray();
  }

  private static String text(JsonObject parent, String field) {
    JsonElement value = parent.get(field);
    return value != null && value.isJsonPrimitive() ? value.getAsString() : "";
  }
}
