package io.apiserverupdater.node;

import io.apiserverupdater.lab.ProxyMode;

/**
 * What a node is to be.
 *
 * @param number from 1; its name is nN, its address 172.30.3.N
 * @param mode how its kube-proxy programs the kernel
 * @param strategy of the bootstrap: hosts or nft; {@link #WITHOUT_BOOTSTRAP} for a node that does
 *     not have it
 * @param debian its release of Debian, as {@code src/test/node/build} calls it
 */
public record NodePlan(
    int number, ProxyMode mode, ProxyPlacement placement, String strategy, String debian) {
  static final String WITHOUT_BOOTSTRAP = "";

  /** With the release of Debian that most nodes have. */
  public NodePlan(int number, ProxyMode mode, ProxyPlacement placement, String strategy) {
    this(number, mode, placement, strategy, NodeImage.USUAL);
  }

  public String name() {
    return "n" + number;
  }

  public String address() {
    return "172.30.3." + number;
  }

  String podCidr() {
    return "10.244." + number + ".0/24";
  }

  boolean hasBootstrap() {
    return !strategy.equals(WITHOUT_BOOTSTRAP);
  }
}
