package io.apiserverupdater.updater.dryrun;

import io.apiserverupdater.apiserver.address.IpAddress;
import java.math.BigInteger;
import java.net.InetAddress;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A range of cluster IPs, as in {@code 10.96.0.0/12}.
 *
 * @param length of an address, in bits
 * @param first the network's own address
 * @param hostBits the bits that the addresses of the range differ in
 */
public record ServiceRange(String cidr, int length, BigInteger first, int hostBits) {
  private static final Pattern CIDR = Pattern.compile("([0-9a-fA-F:.]+)/([0-9]{1,3})");

  /** Reads a range; empty when the text is none. */
  public static Optional<ServiceRange> parse(String cidr) {
    Matcher form = CIDR.matcher(cidr);
    if (!form.matches()) {
      return Optional.empty();
    }
    int prefix = Integer.parseInt(form.group(2));
    return IpAddress.parse(form.group(1))
        .map(InetAddress::getAddress)
        .filter(bytes -> prefix <= bytes.length * 8)
        .map(
            bytes ->
                new ServiceRange(
                    cidr, bytes.length * 8, new BigInteger(1, bytes), bytes.length * 8 - prefix));
  }

  boolean contains(String ip) {
    return index(ip).isPresent();
  }

  /** The place of an address in the range; that of the network is 0. */
  private Optional<BigInteger> index(String ip) {
    return IpAddress.parse(ip)
        .map(InetAddress::getAddress)
        .filter(bytes -> bytes.length * 8 == length)
        .map(bytes -> new BigInteger(1, bytes).subtract(first))
        .filter(index -> index.signum() >= 0 && index.bitLength() <= hostBits);
  }

  /**
   * How many addresses at the beginning Kubernetes leaves to those who choose one, as long as there
   * are others (KEP-3070). None are set apart in a range of 16 or fewer.
   */
  int staticBand() {
    // Beyond 12 bits a sixteenth is more than the most.
    int size = 1 << Math.min(hostBits, 13);
    return size <= 16 ? size : Math.min(Math.max(16, size / 16), 256);
  }

  /** Whether an address of the range is one that Kubernetes leaves to those who choose one. */
  boolean isStatic(String ip) {
    return index(ip).filter(at -> at.compareTo(BigInteger.valueOf(staticBand())) <= 0).isPresent();
  }
}
