package io.apiserverupdater.bootstrap.hosts;

import io.apiserverupdater.apiserver.address.DnsName;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.List;

/**
 * A host name and where it leads.
 *
 * @param name see {@link DnsName#isName}
 * @param addresses at least one, IPv4 or IPv6, without a zone; each becomes a line of its own
 */
public record HostsEntry(String name, List<InetAddress> addresses) {
  public HostsEntry {
    addresses = List.copyOf(addresses);
    if (!DnsName.isName(name)) {
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
}
