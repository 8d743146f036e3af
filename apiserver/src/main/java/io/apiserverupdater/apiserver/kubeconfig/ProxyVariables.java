package io.apiserverupdater.apiserver.kubeconfig;

import io.apiserverupdater.apiserver.address.IpAddress;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The proxy that the environment names for a server, as kubectl understands it. Source:
 * golang.org/x/net/http/httpproxy.
 */
final class ProxyVariables {
  private ProxyVariables() {}

  /**
   * The proxy for a server; faults in the variables are added to the list. A server at this host
   * itself is never asked through one.
   */
  static ProxyServer proxy(Map<String, String> environment, ServerUrl server, List<String> faults) {
    String name =
        environment.getOrDefault("HTTPS_PROXY", "").isEmpty() ? "https_proxy" : "HTTPS_PROXY";
    String text = environment.getOrDefault(name, "");
    String none = environment.getOrDefault("NO_PROXY", "");
    if (none.isEmpty()) {
      none = environment.getOrDefault("no_proxy", "");
    }
    if (text.isEmpty() || isExempt(server, none)) {
      return ProxyServer.NONE;
    }
    Optional<ProxyServer> proxy = ProxyServer.parse(text.contains("://") ? text : "http://" + text);
    if (proxy.isEmpty()) {
      faults.add(name + " is " + ProxyServer.quoted(text) + ", " + ProxyServer.EXPECTED);
    }
    return proxy.orElse(ProxyServer.NONE);
  }

  private static boolean isExempt(ServerUrl server, String exemptions) {
    String host = server.host().toLowerCase(Locale.ROOT).replaceAll("\\.$", "");
    Optional<InetAddress> address = IpAddress.parse(host);
    if (host.equals("localhost") || address.filter(InetAddress::isLoopbackAddress).isPresent()) {
      return true;
    }
    for (String item : exemptions.split(",", -1)) {
      String exemption = item.strip().toLowerCase(Locale.ROOT);
      if (exemption.equals("*")
          || address.filter(it -> isInRange(it, exemption)).isPresent()
          || isNamed(host, server.port(), exemption)) {
        return true;
      }
    }
    return false;
  }

  /** Whether the range, as in 10.0.0.0/8, holds the address. */
  private static boolean isInRange(InetAddress address, String range) {
    int slash = range.indexOf('/');
    Optional<InetAddress> network = IpAddress.parse(range.substring(0, Math.max(0, slash)));
    String length = range.substring(slash + 1);
    if (network.isEmpty() || !length.matches("[0-9]{1,3}")) {
      return false;
    }
    byte[] wanted = network.get().getAddress();
    byte[] found = address.getAddress();
    int bits = Integer.parseInt(length);
    if (wanted.length != found.length || bits > wanted.length * 8) {
      return false;
    }
    for (int bit = 0; bit < bits; bit++) {
      int mask = 0x80 >> (bit % 8);
      if ((wanted[bit / 8] & mask) != (found[bit / 8] & mask)) {
        return false;
      }
    }
    return true;
  }

  /** Whether it is this address, this name, or a name below it; with its port, if it has one. */
  private static boolean isNamed(String host, int port, String exemption) {
    boolean withPort = exemption.matches("[^:]+:[0-9]{1,5}|\\[.*]:[0-9]{1,5}");
    int colon = withPort ? exemption.lastIndexOf(':') : exemption.length();
    if (withPort && Integer.parseInt(exemption.substring(colon + 1)) != port) {
      return false;
    }
    String name = exemption.substring(0, colon).replaceAll("^\\[|]$", "");
    Optional<InetAddress> address = IpAddress.parse(name);
    if (address.isPresent()) {
      return address.equals(IpAddress.parse(host));
    }
    String domain = name.replaceFirst("^\\*?\\.", "");
    return !domain.isEmpty()
        && (host.endsWith("." + domain) || (host.equals(domain) && domain.equals(name)));
  }
}
