package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.state.Evidence;
import java.io.IOException;
import java.net.InetAddress;
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

  /**
   * Whether the name could be led anywhere, by what the hosts file holds now.
   *
   * @return what a person should know, although it could
   * @throws IOException with a message for a person when not
   */
  Optional<String> check() throws IOException {
    return entry.check(InetAddress.getLoopbackAddress());
  }

  /** The control plane that the name leads to now, if it leads to one. */
  Optional<ApiserverAddress> current() throws IOException {
    return entry.address().map(ip -> new ApiserverAddress(ip, port));
  }

  /** Whether a name that points there may still be led to a control plane by this bridge. */
  boolean rests(InetAddress address) {
    return false;
  }

  /**
   * Leads the name to a control plane.
   *
   * @param evidence why to that one
   * @return whether anything had to be changed
   * @throws IOException with a message for a person
   */
  boolean leadTo(ApiserverAddress controlPlane, Evidence evidence) throws IOException {
    return entry.pointAt(controlPlane.ip());
  }

  /** Whether a connection by the name comes to the control plane to which it was led. */
  boolean reaches(ApiserverAddress controlPlane) {
    return true;
  }

  /** Puts back what leads to the control plane, should another program have taken it out. */
  void putBack() throws IOException {}

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
   * @return whether it did so now
   */
  boolean stepAside() throws IOException {
    return false;
  }

  /**
   * Is the way again, should it have stepped aside.
   *
   * @return whether it had and is; one that cannot be yet is to be asked again
   */
  boolean stepBack() throws IOException {
    return false;
  }

  /** Leaves the way to kube-proxy's rules. The entry points at the cluster IP by now. */
  void handedOver() {}
}
