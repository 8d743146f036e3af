package io.apiserverupdater.bootstrap.api;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

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
  static List<ApiserverAddress> addresses(JsonValue answer) {
    TreeSet<ApiserverAddress> addresses = new TreeSet<>();
    if (answer instanceof JsonValue.Members object) {
      if (isList(object)) {
        for (JsonValue item : object.elements("items")) {
          if (item instanceof JsonValue.Members slice) {
            collect(slice, addresses);
          }
        }
      } else {
        collect(object, addresses);
      }
    }
    return new ArrayList<>(addresses);
  }

  /** Whether it says that it is a slice or a list of slices. */
  static boolean areSlices(JsonValue answer) {
    return answer instanceof JsonValue.Members object
        && object.text("apiVersion").equals("discovery.k8s.io/v1")
        && (object.text("kind").equals("EndpointSlice") || isList(object));
  }

  private static boolean isList(JsonValue.Members object) {
    return object.text("kind").equals("EndpointSliceList");
  }

  private static void collect(JsonValue.Members slice, Set<ApiserverAddress> into) {
    int bytes;
    switch (slice.text("addressType")) {
      case "IPv4" -> bytes = 4;
      case "IPv6" -> bytes = 16;
      default -> {
        return;
      }
    }
    for (JsonValue endpoint : slice.elements("endpoints")) {
      if (endpoint instanceof JsonValue.Members fields) {
        for (JsonValue text : fields.elements("addresses")) {
          for (JsonValue port : slice.elements("ports")) {
            address(text, port)
                .filter(address -> address.ip().getAddress().length == bytes)
                .ifPresent(into::add);
          }
        }
      }
    }
  }

  private static Optional<ApiserverAddress> address(JsonValue text, JsonValue port) {
    if (!(text instanceof JsonValue.Text ip)
        || !(port instanceof JsonValue.Members fields)
        || !fields.text("name").equals(PORT_NAME)
        || !(fields.get("port") instanceof JsonValue.Numeral number)) {
      return Optional.empty();
    }
    // A bracketed or ported text is not what the API has.
    String literal = ip.value();
    boolean v6 = literal.indexOf(':') >= 0;
    if (literal.startsWith("[") || (v6 && literal.indexOf('.') >= 0)) {
      return Optional.empty();
    }
    return ApiserverAddress.parse((v6 ? "[" + literal + "]" : literal) + ":" + number.digits(), 0)
        .filter(address -> isUnicast(address.ip()));
  }

  private static boolean isUnicast(InetAddress ip) {
    return !ip.isAnyLocalAddress()
        && !ip.isLoopbackAddress()
        && !ip.isLinkLocalAddress()
        && !ip.isMulticastAddress();
  }
}
