package io.apiserverupdater.node;

import io.apiserverupdater.lab.ProxyMode;

/**
 * What a node is to be.
 *
 * @param number from 1; its name is nN, its address 172.30.3.N
 * @param mode how its kube-proxy programs the kernel
 */
public record NodePlan(int number, ProxyMode mode, ProxyPlacement placement) {
  public String name() {
    return "n" + number;
  }

  public String address() {
    return "172.30.3." + number;
  }

  String podCidr() {
    return "10.244." + number + ".0/24";
  }
}
