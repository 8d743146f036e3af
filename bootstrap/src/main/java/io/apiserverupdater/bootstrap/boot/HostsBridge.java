package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Optional;

/** The name itself points at the control plane. */
final class HostsBridge implements Bridge {
  private final NameEntry entry;
  private final int port;

  /**
   * @param port the one that the URLs of the node's programs have: a hosts file holds none
   */
  HostsBridge(NameEntry entry, int port) {
    this.entry = entry;
    this.port = port;
  }

  @Override
  public Optional<ApiserverAddress> current() throws IOException {
    Optional<InetAddress> address = entry.address();
    return address.isPresent()
        ? Optional.of(new ApiserverAddress(address.get(), port))
        : Optional.empty();
  }

  @Override
  public boolean leadTo(ApiserverAddress controlPlane) throws IOException {
    return entry.pointAt(controlPlane.ip());
  }

  @Override
  public void beforeAsking() {
    // Only kube-proxy leads from the cluster IP to anywhere.
  }

  @Override
  public boolean mayHaveCarried() {
    return false;
  }

  @Override
  public void handedOver() {
    // The entry, which points at the cluster IP now, was all there is.
  }
}
