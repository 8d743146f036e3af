package io.apiserverupdater.updater.kube;

import io.apiserverupdater.updater.endpoints.TargetName;

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
   * The slices of the source. The apiservers write one slice under their Service's own name, so
   * that RBAC can grant it by name; the slices of any other Service have generated names.
   */
  Selection sourceSelection() {
    return isApiservers()
        ? Selection.named(sourceNamespace, sourceName)
        : Selection.labelled(
            sourceNamespace,
            io.apiserverupdater.updater.endpoints.EndpointSlice.SERVICE_NAME_LABEL,
            sourceName);
  }

  /** Whether the source is what the apiservers say of themselves. */
  boolean isApiservers() {
    return sourceNamespace.equals("default") && sourceName.equals("kubernetes");
  }
}
