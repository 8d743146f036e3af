package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.io.IOException;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Facts about this node: its identity and addresses. */
public final class Node {
  private static final List<String> IDENTITIES =
      List.of("/etc/machine-id", "/proc/sys/kernel/hostname");

  private Node() {}

  /** What tells it from other nodes: its machine-id, else its host name. */
  public static String identity() {
    for (String file : IDENTITIES) {
      try {
        String text = new String(Files.readAllBytes(Path.of(file)), StandardCharsets.UTF_8).strip();
        if (!text.isEmpty()) {
          return text;
        }
      } catch (IOException e) {
        // The next one.
      }
    }
    return "";
  }

  /** The control plane that is an address of this node, else one on the loopback address. */
  public static ApiserverAddress localApiserver(List<ApiserverAddress> controlPlanes, int port) {
    for (ApiserverAddress address : controlPlanes) {
      try {
        if (NetworkInterface.getByInetAddress(address.ip()) != null) {
          return address;
        }
      } catch (SocketException e) {
        // Then it is none of ours.
      }
    }
    return ApiserverAddress.of("127.0.0.1", port).orElseThrow();
  }
}
