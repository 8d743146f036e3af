package io.apiserverupdater.apiserver.address;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The address of an apiserver: an IP address (never a name) and a port. */
public record ApiserverAddress(InetAddress ip, int port) implements Comparable<ApiserverAddress> {
  /** Where apiservers listen unless they are told otherwise. */
  public static final int DEFAULT_PORT = 6443;

  private static final int MAX_PORT = 65_535;

  /**
   * Reads {@code IP}, {@code IP:PORT}, {@code [IPv6]} or {@code [IPv6]:PORT}.
   *
   * @return empty when the text is none of these, or the port is not within 1 to 65535
   */
  public static Optional<ApiserverAddress> parse(String text, int defaultPort) {
    // Where the port's colon would be: behind the brackets, or the only one.
    int end = text.indexOf(']') + 1;
    boolean bracketed = end > 0 && text.startsWith("[");
    if (!bracketed) {
      int colon = text.indexOf(':');
      end = colon < 0 || colon != text.lastIndexOf(':') ? text.length() : colon;
    }
    int port = defaultPort;
    if (end < text.length()) {
      String behind = text.substring(end);
      port = behind.matches(":[0-9]{1,5}") ? Integer.parseInt(behind.substring(1)) : -1;
    }
    String ip = bracketed ? text.substring(1, end - 1) : text.substring(0, end);
    return bracketed && ip.indexOf(':') < 0 ? Optional.empty() : of(ip, port);
  }

  /**
   * From its parts.
   *
   * @param ip without brackets
   * @return empty when it is no IP address, or the port is not within 1 to 65535
   */
  public static Optional<ApiserverAddress> of(String ip, int port) {
    if (port < 1 || port > MAX_PORT) {
      return Optional.empty();
    }
    return IpAddress.parse(ip).map(address -> new ApiserverAddress(address, port));
  }

  /** {@code HOST:PORT}, an IPv6 address in brackets. */
  public static String text(String host, int port) {
    return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
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
    return text(ip.getHostAddress(), port);
  }
}
