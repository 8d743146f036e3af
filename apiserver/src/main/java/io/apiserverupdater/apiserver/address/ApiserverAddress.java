package io.apiserverupdater.apiserver.address;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where an apiserver is: an IP address, never a name, and a port. */
public record ApiserverAddress(InetAddress ip, int port) implements Comparable<ApiserverAddress> {
  private static final int MAX_PORT = 65_535;
  private static final int MAX_PORT_DIGITS = 5;

  /**
   * Reads {@code IP}, {@code IP:PORT}, {@code [IPv6]} or {@code [IPv6]:PORT}.
   *
   * @return empty when the text is none of these, or the port is not within 1 to 65535
   */
  public static Optional<ApiserverAddress> parse(String text, int defaultPort) {
    int colon = text.lastIndexOf(':');
    if (text.startsWith("[")) {
      int close = text.indexOf(']');
      if (close < 0 || text.indexOf(':') > close) {
        return Optional.empty();
      }
      String rest = text.substring(close + 1);
      return text.indexOf(':') > 0 && (rest.isEmpty() || rest.startsWith(":"))
          ? of(text.substring(1, close), rest, defaultPort)
          : Optional.empty();
    }
    if (colon >= 0 && text.indexOf(':') < colon) {
      return of(text, "", defaultPort);
    }
    String ip = colon < 0 ? text : text.substring(0, colon);
    return of(ip, text.substring(ip.length()), defaultPort);
  }

  private static Optional<ApiserverAddress> of(String ip, String colonPort, int defaultPort) {
    int number =
        colonPort.isEmpty()
            ? defaultPort
            : IpAddress.digits(colonPort, 1, colonPort.length(), MAX_PORT_DIGITS);
    Optional<InetAddress> address = IpAddress.parse(ip);
    return address.isPresent() && number >= 1 && number <= MAX_PORT
        ? Optional.of(new ApiserverAddress(address.get(), number))
        : Optional.empty();
  }

  // By hand: what a record would do makes its code at run time, which costs a starting program as
  // much as a TLS handshake.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ApiserverAddress address
        && port == address.port
        && ip.equals(address.ip);
  }

  @Override
  public int hashCode() {
    return 31 * ip.hashCode() + port;
  }

  public InetSocketAddress socketAddress() {
    return new InetSocketAddress(ip, port);
  }

  /** By family, then by the bytes of the address, then by port. */
  @Override
  public int compareTo(ApiserverAddress other) {
    byte[] mine = ip.getAddress();
    byte[] theirs = other.ip.getAddress();
    if (mine.length != theirs.length) {
      return Integer.compare(mine.length, theirs.length);
    }
    int byBytes = Arrays.compareUnsigned(mine, theirs);
    return byBytes != 0 ? byBytes : Integer.compare(port, other.port);
  }

  /** {@code IP:PORT}, an IPv6 address in brackets. */
  @Override
  public String toString() {
    String host = ip.getHostAddress();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }
}
