package io.apiserverupdater.probe;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Where an apiserver is: an IP address, never a name, and a port. */
public record ApiserverAddress(InetAddress ip, int port) implements Comparable<ApiserverAddress> {
  private static final Pattern BRACKETED = Pattern.compile("\\[([0-9a-fA-F:.]+)](?::(\\d{1,5}))?");
  private static final Pattern V4 = Pattern.compile("((?:\\d{1,3}\\.){3}\\d{1,3})(?::(\\d{1,5}))?");
  private static final Pattern BARE_V6 = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");

  /**
   * Reads {@code IP}, {@code IP:PORT}, {@code [IPv6]} or {@code [IPv6]:PORT}.
   *
   * @return empty when the text is none of these, or the port is not within 1 to 65535
   */
  public static Optional<ApiserverAddress> parse(String text, int defaultPort) {
    Matcher bracketed = BRACKETED.matcher(text);
    Matcher v4 = V4.matcher(text);
    if (bracketed.matches() && bracketed.group(1).contains(":")) {
      return of(bracketed.group(1), bracketed.group(2), defaultPort);
    }
    if (v4.matches() && octetsAreBytes(v4.group(1))) {
      return of(v4.group(1), v4.group(2), defaultPort);
    }
    return BARE_V6.matcher(text).matches() ? of(text, null, defaultPort) : Optional.empty();
  }

  private static boolean octetsAreBytes(String ip) {
    for (String octet : ip.split("\\.", -1)) {
      if (Integer.parseInt(octet) > 255 || (octet.length() > 1 && octet.startsWith("0"))) {
        return false;
      }
    }
    return true;
  }

  private static Optional<ApiserverAddress> of(String ip, @Nullable String port, int defaultPort) {
    int number = port == null ? defaultPort : Integer.parseInt(port);
    if (number < 1 || number > 65_535) {
      return Optional.empty();
    }
    try {
      // The text is a literal, so nothing is looked up.
      return Optional.of(new ApiserverAddress(InetAddress.getByName(ip), number));
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
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
