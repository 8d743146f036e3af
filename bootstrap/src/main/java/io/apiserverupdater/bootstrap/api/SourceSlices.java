package io.apiserverupdater.bootstrap.api;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Reads apiservers out of EndpointSlices of {@code discovery.k8s.io/v1}. Membership is what counts:
 * an endpoint that is not ready now may be the only one that is at the next boot. What is unknown,
 * null or of another type is passed over.
 */
final class SourceSlices {
  /** The apiservers name their port so in {@code default/kubernetes}. */
  private static final String PORT_NAME = "https";

  private SourceSlices() {}

  /**
   * The addresses of one slice or of a list of slices, of both families together.
   *
   * @return sorted, without repetition; empty when there are none
   */
  static List<ApiserverAddress> addresses(JsonElement answer) {
    TreeSet<ApiserverAddress> addresses = new TreeSet<>();
    if (answer instanceof JsonObject object) {
      if (isList(object)) {
        objects(object, "items").forEach(slice -> collect(slice, addresses));
      } else {
        collect(object, addresses);
      }
    }
    return new ArrayList<>(addresses);
  }

  /** Whether it says that it is a slice or a list of slices. */
  static boolean areSlices(JsonElement answer) {
    return answer instanceof JsonObject object
        && text(object, "apiVersion").equals("discovery.k8s.io/v1")
        && (text(object, "kind").equals("EndpointSlice") || isList(object));
  }

  /** Whether no label says that the slice is another Service's. */
  static boolean areOfApiservers(JsonElement slice) {
    return !(slice instanceof JsonObject object)
        || !(object.get("metadata") instanceof JsonObject metadata)
        || !(metadata.get("labels") instanceof JsonObject labels)
        || Set.of("", "kubernetes").contains(text(labels, "kubernetes.io/service-name"));
  }

  private static boolean isList(JsonObject object) {
    return text(object, "kind").equals("EndpointSliceList");
  }

  /** The text of that name; empty when there is none, or it is something else. */
  static String text(JsonObject object, String name) {
    return text(object.get(name));
  }

  private static String text(@Nullable JsonElement element) {
    return element instanceof JsonPrimitive text && text.isString() ? text.getAsString() : "";
  }

  private static List<JsonElement> elements(JsonObject object, String name) {
    return object.get(name) instanceof JsonArray array ? array.asList() : List.of();
  }

  private static List<JsonObject> objects(JsonObject object, String name) {
    return elements(object, name).stream()
        .filter(JsonElement::isJsonObject)
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  private static void collect(JsonObject slice, Set<ApiserverAddress> into) {
    int bytes = Map.of("IPv4", 4, "IPv6", 16).getOrDefault(text(slice, "addressType"), 0);
    for (JsonObject endpoint : objects(slice, "endpoints")) {
      for (JsonElement ip : elements(endpoint, "addresses")) {
        for (JsonObject port : objects(slice, "ports")) {
          address(text(ip), port)
              .filter(address -> address.ip().getAddress().length == bytes)
              .ifPresent(into::add);
        }
      }
    }
  }

  private static Optional<ApiserverAddress> address(String literal, JsonObject port) {
    if (!text(port, "name").equals(PORT_NAME)
        || !(port.get("port") instanceof JsonPrimitive number && number.isNumber())) {
      return Optional.empty();
    }
    // A bracketed or ported text is not what the API has.
    boolean v6 = literal.indexOf(':') >= 0;
    if (literal.startsWith("[") || (v6 && literal.indexOf('.') >= 0)) {
      return Optional.empty();
    }
    return ApiserverAddress.parse((v6 ? "[" + literal + "]" : literal) + ":" + number, 0)
        .filter(address -> isUnicast(address.ip()));
  }

  private static boolean isUnicast(InetAddress ip) {
    return !ip.isAnyLocalAddress()
        && !ip.isLoopbackAddress()
        && !ip.isLinkLocalAddress()
        && !ip.isMulticastAddress();
  }
}
