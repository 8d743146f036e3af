package io.apiserverupdater.updater.endpoints;

import io.apiserverupdater.apiserver.address.ApiserverAddress;

/**
 * One control plane.
 *
 * @param address an IP address, spelled as the source spells it
 */
public record Member(String address, int port) {
  @Override
  public String toString() {
    return ApiserverAddress.text(address, port);
  }
}
