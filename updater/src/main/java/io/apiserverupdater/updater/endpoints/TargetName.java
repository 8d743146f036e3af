package io.apiserverupdater.updater.endpoints;

import java.util.Locale;

/** The Service whose endpoints are written. */
public record TargetName(String namespace, String service) {

  /** The slice that is written for this family, for example {@code apiserver-ipv4}. */
  public String slice(AddressFamily family) {
    return service + "-" + family.addressType().toLowerCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    return namespace + "/" + service;
  }
}
