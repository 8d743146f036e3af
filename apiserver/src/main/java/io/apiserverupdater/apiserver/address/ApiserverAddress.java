package io.apiserverupdater.apiserver.address;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
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
      return isV6(text.substring(1, close)) && (rest.isEmpty() || rest.startsWith(":"))
          ? of(text.substring(1, close), rest, defaultPort)
          : Optional.empty();
    }
    if (colon >= 0 && text.indexOf(':') < colon) {
      return isV6(text) ? of(text, "", defaultPort) : Optional.empty();
    }
    String ip = colon < 0 ? text : text.substring(0, colon);
    return isV4(ip) ? of(ip, text.substring(ip.length()), defaultPort) : Optional.empty();
  }

  /** Four numbers from 0 to 255, without leading zeros. */
  private static boolean isV4(String text) {
    int octets = 0;
    int start = 0;
    for (int i = 0; i <= text.length(); i++) {
      if (i < text.length() && text.charAt(i) != '.') {
        continue;
      }
      int value = digits(text, start, i, 3);
      if (value < 0 || value > 255 || (i - start > 1 && text.charAt(start) == '0')) {
        return false;
      }
      octets++;
      start = i + 1;
    }
    return octets == 4;
  }

  /** Whether it has the letters of one; the JDK then tells whether it is one. */
  private static boolean isV6(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != ':' && c != '.' && (c > 'f' || Character.digit(c, 16) < 0)) {
        return false;
      }
    }
    return text.indexOf(':') >= 0;
  }

  /** The number that these characters are; -1 when they are none, or too many. */
  private static int digits(String text, int from, int to, int most) {
    if (to == from || to - from > most) {
      return -1;
    }
    int value = 0;
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      value = value * 10 + c - '0';
    }
    return value;
  }

  private static Optional<ApiserverAddress> of(String ip, String colonPort, int defaultPort) {
    int number =
        colonPort.isEmpty()
            ? defaultPort
            : digits(colonPort, 1, colonPort.length(), MAX_PORT_DIGITS);
    if (number < 1 || number > MAX_PORT) {
      return Optional.empty();
    }
    try {
      // The text is a literal, so nothing is looked up.
      return Optional.of(new ApiserverAddress(InetAddress.getByName(ip), number));
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
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
