package io.apiserverupdater.apiserver.address;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/** IP addresses as people write them. Nothing is ever looked up. */
public final class IpAddress {
  private IpAddress() {}

  /** Reads an IPv4 address, or an IPv6 address without brackets and without a zone. */
  public static Optional<InetAddress> parse(String text) {
    if (!isV4(text) && !isV6(text)) {
      return Optional.empty();
    }
    try {
      return Optional.of(InetAddress.getByName(text));
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }

  /** A host as a URL or {@code host:port} has it: an IPv6 address in brackets. */
  public static String bracketed(String host) {
    return host.indexOf(':') < 0 ? host : "[" + host + "]";
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

  /**
   * Whether it has the letters of one. With a colon, and no dot first, it is a literal or an error
   * to the JDK, never a name.
   */
  private static boolean isV6(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != ':' && (c != '.' || i == 0) && (c > 'f' || Character.digit(c, 16) < 0)) {
        return false;
      }
    }
    return text.indexOf(':') >= 0;
  }

  /** The number that these characters are; -1 when they are none, or too many. */
  static int digits(String text, int from, int to, int most) {
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
}
