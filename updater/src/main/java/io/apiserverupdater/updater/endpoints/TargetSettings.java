package io.apiserverupdater.updater.endpoints;

import java.util.List;
import java.util.Optional;

/**
 * Which objects are read and written.
 *
 * @param sourceNamespace the namespace of the source Service
 * @param sourceName the source Service
 * @param writeEndpoints whether the target's v1 Endpoints object is ours to write
 */
public record TargetSettings(
    String sourceNamespace, String sourceName, TargetName target, boolean writeEndpoints) {

  /** For messages. */
  public String source() {
    return sourceNamespace + "/" + sourceName;
  }

  /**
   * Those of some slices of the source's namespace that are the source's: by their label, as
   * kube-proxy finds the slices of a Service. The apiservers write theirs under the Service's own
   * name; where there is one, no other writer's counts.
   */
  public List<EndpointSlice> ofSource(List<EndpointSlice> slices) {
    List<EndpointSlice> own =
        slices.stream().filter(slice -> isApiservers() && isOwn(slice)).toList();
    return own.isEmpty() ? slices.stream().filter(this::isLabelled).toList() : own;
  }

  private boolean isOwn(EndpointSlice slice) {
    return slice.name().equals(sourceName) && (slice.serviceName().isEmpty() || isLabelled(slice));
  }

  private boolean isLabelled(EndpointSlice slice) {
    return slice.serviceName().equals(Optional.of(sourceName));
  }

  /** Whether the source is what the apiservers say of themselves. */
  public boolean isApiservers() {
    return sourceNamespace.equals("default") && sourceName.equals("kubernetes");
  }
}
