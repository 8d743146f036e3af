package io.apiserverupdater.updater.endpoints;

/** The Service whose endpoints are written. */
public record TargetName(String namespace, String service) {
  @Override
  public String toString() {
    return namespace + "/" + service;
  }
}
