package io.apiserverupdater.updater.endpoints;

import java.util.List;

/**
 * Which objects are read and written.
 *
 * @param sourceNamespace the namespace of the source Service
 * @param sourceName the source Service
 * @param writeEndpoints whether the target's v1 Endpoints object is ours to write
 */
public record TargetSettings(
    String sourceNamespace, String sourceName, TargetName target, boolean writeEndpoints) {

  /** The source Service. */
  public SourceName from() {
    return new SourceName(sourceNamespace, sourceName);
  }

  /** For messages. */
  public String source() {
    return from().toString();
  }

  /** Those of some slices of the source's namespace that are the source's. */
  public List<EndpointSlice> ofSource(List<EndpointSlice> slices) {
    return from().slicesAmong(slices);
  }

  /** Whether the source is what the apiservers say of themselves. */
  public boolean isApiservers() {
    return from().isApiservers();
  }
}
