package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.io.IOException;
import java.util.Optional;

/**
 * How the name leads to a control plane until kube-proxy has its rules. Here it points at the
 * control plane itself.
 */
class Bridge {
  private final NameEntry entry;
  private final int port;

  /**
   * @param port the one that the URLs of the node's programs have: a hosts file holds none
   */
  Bridge(NameEntry entry, int port) {
    this.entry = entry;
    this.port = port;
  }

  /** The control plane that the name leads to now, if it leads to one. */
  Optional<ApiserverAddress> current() throws IOException {
    return entry.address().map(ip -> new ApiserverAddress(ip, port));
  }

  /**
   * Leads the name to a control plane.
   *
   * @return whether anything had to be changed
   * @throws IOException with a message for a person
   */
  boolean leadTo(ApiserverAddress controlPlane) throws IOException {
    return entry.pointAt(controlPlane.ip());
  }

  /** Takes note of what it has carried, before the cluster IP is asked. */
  void beforeAsking() throws IOException {}

  /**
   * Whether the answers that have come since then may have come by way of this bridge. Without a
   * rule only kube-proxy leads from the cluster IP to anywhere.
   */
  boolean mayHaveCarried() throws IOException {
    return false;
  }

  /**
   * Steps out of the way of kube-proxy where it stands in it, on trial.
   *
   * @return whether it did
   */
  boolean stepAside() throws IOException {
    return false;
  }

  /**
   * Is the way again, should it have stepped aside.
   *
   * @return whether it had
   */
  boolean stepBack() throws IOException {
    return false;
  }

  /** Leaves the way to kube-proxy's rules. The entry points at the cluster IP by now. */
  void handedOver() {}
}
