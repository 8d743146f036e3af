package io.apiserverupdater.updater.endpoints;

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

  /** Whether the source is what the apiservers say of themselves. */
  public boolean isApiservers() {
    return sourceNamespace.equals("default") && sourceName.equals("kubernetes");
  }
}
