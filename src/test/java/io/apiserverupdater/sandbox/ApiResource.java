package io.apiserverupdater.sandbox;

import java.util.List;
import java.util.Optional;

/**
 * One resource of one API version, and how the real server treats it.
 *
 * @param createOnUpdate whether a PUT of an absent object creates it
 * @param unconditionalUpdate whether a PUT without resourceVersion overwrites
 * @param shortName what a person may type to kubectl, or ""
 */
public record ApiResource(
    String group,
    String version,
    String resource,
    String kind,
    boolean namespaced,
    boolean createOnUpdate,
    boolean unconditionalUpdate,
    String shortName) {

  public static final ApiResource NAMESPACES =
      core("namespaces", "Namespace", false, false, true, "ns");
  public static final ApiResource NODES = core("nodes", "Node", false, false, true, "no");
  public static final ApiResource PODS = core("pods", "Pod", true, false, true, "po");
  public static final ApiResource SERVICES = core("services", "Service", true, true, true, "svc");
  public static final ApiResource ENDPOINTS =
      core("endpoints", "Endpoints", true, true, true, "ep");
  public static final ApiResource EVENTS = core("events", "Event", true, true, true, "ev");
  public static final ApiResource SERVICE_ACCOUNTS =
      core("serviceaccounts", "ServiceAccount", true, false, false, "sa");
  public static final ApiResource ENDPOINT_SLICES =
      new ApiResource(
          "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", true, false, true, "");
  public static final ApiResource LEASES =
      new ApiResource("coordination.k8s.io", "v1", "leases", "Lease", true, true, false, "");

  /** Everything the sandbox serves. */
  public static final List<ApiResource> ALL =
      List.of(
          NAMESPACES,
          NODES,
          PODS,
          SERVICES,
          ENDPOINTS,
          EVENTS,
          SERVICE_ACCOUNTS,
          ENDPOINT_SLICES,
          LEASES);

  private static ApiResource core(
      String resource,
      String kind,
      boolean namespaced,
      boolean createOnUpdate,
      boolean unconditionalUpdate,
      String shortName) {
    return new ApiResource(
        "", "v1", resource, kind, namespaced, createOnUpdate, unconditionalUpdate, shortName);
  }

  static Optional<ApiResource> find(String group, String version, String resource) {
    return ALL.stream()
        .filter(
            r -> r.group.equals(group) && r.version.equals(version) && r.resource.equals(resource))
        .findFirst();
  }

  /** As in an object's apiVersion field. */
  public String apiVersion() {
    return group.isEmpty() ? version : group + "/" + version;
  }

  /** As in error messages: {@code leases.coordination.k8s.io}. */
  public String qualifiedResource() {
    return group.isEmpty() ? resource : resource + "." + group;
  }

  ObjectKey key(String namespace, String name) {
    return new ObjectKey(qualifiedResource(), namespaced ? namespace : "", name);
  }
}
