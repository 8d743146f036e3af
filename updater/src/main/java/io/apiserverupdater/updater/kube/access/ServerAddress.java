package io.apiserverupdater.updater.kube.access;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.util.Optional;

/**
 * Where an apiserver is.
 *
 * @param host a name or an IP address, IPv6 without brackets
 * @param pathPrefix empty, or a path without a slash at its end, as behind some proxies
 * @param tlsName the name that its certificate must carry, where that is not the host itself
 */
public record ServerAddress(String host, int port, String pathPrefix, Optional<String> tlsName) {

  /** A control plane by its own address. */
  public static ServerAddress member(String ip, int port) {
    return new ServerAddress(ip, port, "", Optional.of(ClusterAccess.MEMBER_TLS_NAME));
  }

  @Override
  public String toString() {
    return ApiserverAddress.text(host, port) + pathPrefix;
  }
}
