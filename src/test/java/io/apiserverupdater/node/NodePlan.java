package io.apiserverupdater.node;

import io.apiserverupdater.lab.ProxyMode;

/**
 * What a node is to be.
 *
 * @param number from 1; its name is nN, its address 172.30.3.N
 * @param mode how its kube-proxy programs the kernel
 * @param strategy of the bootstrap: hosts or nft; {@link #WITHOUT_BOOTSTRAP} for a node that does
 *     not have it
 */
public record NodePlan(int number, ProxyMode mode, ProxyPlacement placement, String strategy) {
  static final String WITHOUT_BOOTSTRAP = "";

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
