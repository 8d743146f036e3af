package io.apiserverupdater.updater.endpoints;

import io.apiserverupdater.apiserver.address.IpAddress;
import java.net.Inet6Address;
import java.net.InetAddress;
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

  /**
   * Whether a text is an address of this family, as the API writes one. The API has accepted
   * leading zeros, which it reads as decimal and others read as octal.
   */
  public boolean contains(String text) {
    Optional<InetAddress> address = IpAddress.parse(text);
    // An IPv4 address in the spelling of IPv6 is of neither family, to the API as well.
    return switch (this) {
      case IPV4 -> address.isPresent() && text.indexOf(':') < 0;
      case IPV6 -> address.filter(Inet6Address.class::isInstance).isPresent();
    };
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
