package io.apiserverupdater.updater.endpoints;

/**
 * One control plane.
 *
 * @param address an IP address, spelled as the source spells it
 */
public record Member(String address, int port) {
  @Override
  public String toString() {
    return (address.contains(":") ? "[" + address + "]" : address) + ":" + port;
  }
}
