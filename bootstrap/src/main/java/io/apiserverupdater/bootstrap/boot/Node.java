package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Facts about this node: its identity and addresses. */
public final class Node {
  private static final List<String> IDENTITIES =
      List.of("etc/machine-id", "proc/sys/kernel/hostname", "sys/class/dmi/id/product_uuid");

  private Node() {}

  /**
   * What tells it from other nodes. Cloned machines may share their machine-id, or have none yet;
   * the nodes of a cluster have host names of their own, and virtual machines a product_uuid.
   *
   * @param root of the file system
   */
  public static String identity(Path root) {
    StringBuilder identity = new StringBuilder();
    for (String file : IDENTITIES) {
      try {
        byte[] text = Files.readAllBytes(root.resolve(file));
        identity.append(new String(text, StandardCharsets.UTF_8).strip()).append('/');
      } catch (IOException e) {
        // The others have to do.
      }
    }
    return identity.toString();
  }

  /** The addresses that it has at this moment. */
  public static List<InetAddress> addresses() {
    List<InetAddress> addresses = new ArrayList<>();
    try {
      for (NetworkInterface one : Collections.list(NetworkInterface.getNetworkInterfaces())) {
        addresses.addAll(Collections.list(one.getInetAddresses()));
      }
    } catch (SocketException e) {
      // Then none is known to be ours.
    }
    return addresses;
  }

  /**
   * The control plane that is an address of this node, else one on the loopback address. Empty
   * while neither can be said: before DHCP has answered, a node has no address but loopback.
   *
   * @param own the addresses of this node
   */
  public static Optional<ApiserverAddress> localApiserver(
      List<ApiserverAddress> controlPlanes, List<InetAddress> own, int port) {
    for (ApiserverAddress address : controlPlanes) {
      if (own.contains(address.ip())) {
        return Optional.of(address);
      }
    }
    return own.stream().allMatch(ip -> ip.isLoopbackAddress() || ip.isLinkLocalAddress())
        ? Optional.empty()
        : Optional.of(onLoopback(port));
  }

  /** An apiserver on the loopback address. */
  public static ApiserverAddress onLoopback(int port) {
    return ApiserverAddress.of("127.0.0.1", port).orElseThrow();
  }
}
