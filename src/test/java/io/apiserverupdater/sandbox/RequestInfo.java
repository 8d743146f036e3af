package io.apiserverupdater.sandbox;

/**
 * What a request asks for, as the real server's authorizer sees it. Parts that do not apply are "";
 * a request that names no resource has only a path.
 *
 * @param verb get, list, watch, create, update, patch or delete; for a bare path get, post, ...
 */
public record RequestInfo(
    String apiserver,
    String user,
    String verb,
    String group,
    String resource,
    String namespace,
    String name,
    String path,
    String userAgent,
    boolean dryRun) {

  /** As in {@code leases.coordination.k8s.io}. */
  public String qualifiedResource() {
    return group.isEmpty() ? resource : resource + "." + group;
  }

  public boolean isWatch() {
    return verb.equals("watch");
  }

  /** Whether it would change something, dry runs included. */
  public boolean isWrite() {
    return switch (verb) {
      case "create", "update", "patch", "delete" -> true;
      default -> false;
    };
  }

  /** Whether verb and resource are these; "*" stands for any. */
  public boolean is(String wantedVerb, String wantedResource) {
    return (wantedVerb.equals("*") || wantedVerb.equals(verb))
        && (wantedResource.equals("*") || wantedResource.equals(resource));
  }
}
