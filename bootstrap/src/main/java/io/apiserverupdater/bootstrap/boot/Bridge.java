package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.io.IOException;
import java.util.Optional;

/** How the name leads to a control plane until kube-proxy has its rules. */
interface Bridge {

  /** The control plane that the name leads to now, if it leads to one. */
  Optional<ApiserverAddress> current() throws IOException;

  /**
   * Leads the name to a control plane.
   *
   * @return whether anything had to be changed
   * @throws IOException with a message for a person
   */
  boolean leadTo(ApiserverAddress controlPlane) throws IOException;

  /** Takes note of what it has carried, before the cluster IP is asked. */
  void beforeAsking() throws IOException;

  /** Whether the answers that have come since then may have come by way of this bridge. */
  boolean mayHaveCarried() throws IOException;

  /** Leaves the way to kube-proxy's rules. */
  void handedOver();
}
