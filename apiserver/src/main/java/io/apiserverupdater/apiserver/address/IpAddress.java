package io.apiserverupdater.apiserver.address;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.regex.Pattern;

/** IP addresses as people write them. Nothing is ever looked up. */
public final class IpAddress {
  /** A number from 0 to 255, without leading zeros. */
  private static final String OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

  private static final Pattern V4 = Pattern.compile(OCTET + "(?:\\." + OCTET + "){3}");

  /**
   * The letters of an IPv6 address. With a colon, and no dot first, a text is a literal or an error
   * to the JDK, never a name.
   */
  private static final Pattern V6 = Pattern.compile("(?=.*:)[0-9a-fA-F:][0-9a-fA-F:.]*");

  private IpAddress() {}

  /** Reads an IPv4 address, or an IPv6 address without brackets and without a zone. */
  public static Optional<InetAddress> parse(String text) {
    if (!V4.matcher(text).matches() && !V6.matcher(text).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(InetAddress.getByName(text));
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }

  /** Whether both are the same address; there are several ways to write one of IPv6. */
  public static boolean isSame(String one, String other) {
    Optional<InetAddress> address = parse(one);
    return address.isPresent() && address.equals(parse(other));
  }
}
