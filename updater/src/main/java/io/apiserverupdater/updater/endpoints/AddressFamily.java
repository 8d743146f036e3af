package io.apiserverupdater.updater.endpoints;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** An address family, as the {@code addressType} of an EndpointSlice names it. */
public enum AddressFamily {
  IPV4("IPv4"),
  IPV6("IPv6");

  private final String addressType;

  AddressFamily(String addressType) {
    this.addressType = addressType;
  }

  /** The spelling of the Kubernetes API: {@code IPv4} or {@code IPv6}. */
  public String addressType() {
    return addressType;
  }

  /** A copy that nobody can change, IPv4 first. */
  static <V> Map<AddressFamily, V> inOrder(Map<AddressFamily, V> families) {
    Map<AddressFamily, V> ordered = new EnumMap<>(AddressFamily.class);
    ordered.putAll(families);
    return Collections.unmodifiableMap(ordered);
  }

  /** The family of an {@code addressType}; none for {@code FQDN} or an unknown one. */
  public static Optional<AddressFamily> of(String addressType) {
    for (AddressFamily family : values()) {
      if (family.addressType.equals(addressType)) {
        return Optional.of(family);
      }
    }
    return Optional.empty();
  }
}
