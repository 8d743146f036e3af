package io.apiserverupdater.bootstrap.hosts;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.List;

/**
 * A host name and where it leads.
 *
 * @param name see {@link #isHostName}
 * @param addresses at least one, IPv4 or IPv6, without a zone; each becomes a line of its own
 */
public record HostsEntry(String name, List<InetAddress> addresses) {
  private static final int MAX_NAME = 253;
  private static final int MAX_LABEL = 63;

  public HostsEntry {
    addresses = List.copyOf(addresses);
    if (!isHostName(name)) {
      throw new IllegalArgumentException("not a host name: \"" + name + "\"");
    }
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("no address for " + name);
    }
    for (InetAddress address : addresses) {
      if (address instanceof Inet6Address v6 && v6.getScopeId() != 0) {
        throw new IllegalArgumentException("an address with a zone: " + address.getHostAddress());
      }
    }
  }

  public static HostsEntry of(String name, InetAddress address) {
    return new HostsEntry(name, List.of(address));
  }

  /** Letters, digits and hyphens between dots, as RFC 1123, section 2.1 has it. */
  public static boolean isHostName(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME) {
      return false;
    }
    int label = 0;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c == '.') {
        if (label == 0 || name.charAt(i - 1) == '-') {
          return false;
        }
        label = 0;
        continue;
      }
      boolean alphanumeric =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!alphanumeric && (c != '-' || label == 0)) {
        return false;
      }
      if (++label > MAX_LABEL) {
        return false;
      }
    }
    return label > 0 && name.charAt(name.length() - 1) != '-';
  }
}
