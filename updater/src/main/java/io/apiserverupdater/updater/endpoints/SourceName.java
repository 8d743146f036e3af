package io.apiserverupdater.updater.endpoints;

import java.util.List;
import java.util.Optional;

/** The Service whose slices say who the members are. */
public record SourceName(String namespace, String service) {

  /**
   * Those of some slices of its namespace that are this Service's: by their label, as kube-proxy
   * finds the slices of a Service. The apiservers write theirs under the Service's own name; where
   * there is one, no other writer's counts.
   */
  public List<EndpointSlice> slicesAmong(List<EndpointSlice> slices) {
    List<EndpointSlice> own =
        slices.stream().filter(slice -> isApiservers() && isOwn(slice)).toList();
    return own.isEmpty() ? slices.stream().filter(this::isLabelled).toList() : own;
  }

  private boolean isOwn(EndpointSlice slice) {
    return slice.name().equals(service) && (slice.serviceName().isEmpty() || isLabelled(slice));
  }

  private boolean isLabelled(EndpointSlice slice) {
    return slice.serviceName().equals(Optional.of(service));
  }

  /** Whether it is what the apiservers say of themselves. */
  public boolean isApiservers() {
    return namespace.equals("default") && service.equals("kubernetes");
  }

  /** For messages. */
  @Override
  public String toString() {
    return namespace + "/" + service;
  }
}
