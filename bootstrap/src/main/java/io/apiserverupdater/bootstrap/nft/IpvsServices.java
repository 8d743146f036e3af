package io.apiserverupdater.bootstrap.nft;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.address.IpAddress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The virtual services of kube-proxy in IPVS mode, as {@code /proc/net/ip_vs} lists them (kernel:
 * ip_vs_info_seq_show in net/netfilter/ipvs/ip_vs_ctl.c).
 *
 * <p>IPVS is asked after all NAT of a node's own connections, so the boot-time rule comes before
 * it: the rule's counter goes on counting, and the rule must be taken out at the hand-over.
 */
record IpvsServices(String list) {
  private static final Path LIST = Path.of("/proc/net/ip_vs");
  private static final int MAX_BYTES = 8 * 1024 * 1024;

  /** Those of this network namespace now; none where the kernel has no IPVS. */
  static IpvsServices ofThisNode() {
    try (InputStream in = Files.newInputStream(LIST)) {
      return new IpvsServices(new String(in.readNBytes(MAX_BYTES), StandardCharsets.US_ASCII));
    } catch (IOException e) {
      return new IpvsServices("");
    }
  }

  /**
   * Whether IPVS would carry a new TCP connection to the service: it has it, with a destination.
   */
  boolean carry(ApiserverAddress service) {
    boolean ours = false;
    for (String line : list.split("\n", -1)) {
      String[] words = line.strip().split("\\s+", -1);
      if (words[0].equals("->")) {
        // -> ADDRESS:PORT FORWARD WEIGHT …; one of weight 0 gets no new connections.
        if (ours && words.length > 3 && !words[3].equals("0")) {
          return true;
        }
      } else {
        ours = words.length > 1 && words[0].equals("TCP") && isAddress(words[1], service);
      }
    }
    return false;
  }

  /** {@code 0A600040:192B}, or {@code [fd00:0000:…:0001]:192B}. */
  private static boolean isAddress(String text, ApiserverAddress service) {
    int colon = text.lastIndexOf(':');
    if (colon < 0) {
      return false;
    }
    HexFormat hex = HexFormat.of().withUpperCase();
    String ip = text.substring(0, colon).replace("[", "").replace("]", "");
    return text.endsWith(":" + hex.toHexDigits((short) service.port()))
        && (ip.equals(hex.formatHex(service.ip().getAddress()))
            || IpAddress.parse(ip).equals(Optional.of(service.ip())));
  }
}
