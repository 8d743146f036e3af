package io.apiserverupdater.bootstrap.ipvs;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.address.IpAddress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The virtual services of kube-proxy in IPVS mode, as {@code /proc/net/ip_vs} lists them (kernel:
 * ip_vs_info_seq_show in net/netfilter/ipvs/ip_vs_ctl.c).
 *
 * <p>IPVS is asked after all NAT of a node's own connections, so the boot-time rule comes before
 * it: the rule's counter goes on counting, and the rule must be taken out at the hand-over.
 *
 * <p>That a service is in the list does not mean that it works: kube-proxy writes the rules that
 * masquerade last.
 */
public record IpvsServices(String list) {
  private static final Path LIST = Path.of("/proc/net/ip_vs");
  private static final int MAX_BYTES = 8 * 1024 * 1024;

  /** Where kube-proxy says one of these, what is in the list is left from before. */
  private static final Set<String> OTHER_MODES = Set.of("iptables", "nftables");

  /**
   * The virtual service that kube-proxy has on this node for a Service; empty where it works in
   * another mode, and where the kernel has no IPVS. Where nobody tells the mode, the list counts.
   */
  public static Optional<VirtualService> ofKubeProxy(ApiserverAddress service) {
    return ofThisNode().ofKubeProxy(service, ProxyMode::ofThisNode);
  }

  /** Those of this network namespace now. */
  private static IpvsServices ofThisNode() {
    try (InputStream in = Files.newInputStream(LIST)) {
      return new IpvsServices(new String(in.readNBytes(MAX_BYTES), StandardCharsets.US_ASCII));
    } catch (IOException e) {
      return new IpvsServices("");
    }
  }

  /**
   * The same by this list.
   *
   * @param mode of kube-proxy, asked only if the list has the service
   */
  Optional<VirtualService> ofKubeProxy(ApiserverAddress service, Supplier<Optional<String>> mode) {
    return find(service).filter(found -> mode.get().filter(OTHER_MODES::contains).isEmpty());
  }

  /** The one for TCP connections to the service. */
  private Optional<VirtualService> find(ApiserverAddress service) {
    Optional<VirtualService> found = Optional.empty();
    for (String line : list.split("\n", -1)) {
      String[] words = line.strip().split("\\s+", -1);
      if (words[0].equals("->")) {
        // -> ADDRESS:PORT FORWARD WEIGHT …; one of weight 0 gets no new connections.
        if (found.isPresent() && words.length > 3 && !words[3].equals("0")) {
          return Optional.of(new VirtualService(found.get().scheduler(), true));
        }
      } else if (found.isPresent()) {
        return found;
      } else if (words.length > 2 && words[0].equals("TCP") && isAddress(words[1], service)) {
        found = Optional.of(new VirtualService(words[2], false));
      }
    }
    return found;
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
