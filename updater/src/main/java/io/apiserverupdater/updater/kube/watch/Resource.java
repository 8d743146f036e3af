package io.apiserverupdater.updater.kube.watch;

import io.kubernetes.client.openapi.models.V1EndpointSlice;
import io.kubernetes.client.openapi.models.V1Endpoints;
import io.kubernetes.client.openapi.models.V1Lease;
import io.kubernetes.client.openapi.models.V1Service;

/**
 * A kind of object and where the API serves it.
 *
 * @param plural the kind in the path
 */
public record Resource<T>(String apiVersion, String kind, String plural, Class<T> type) {
  public static final Resource<V1EndpointSlice> ENDPOINT_SLICES =
      new Resource<>(
          "discovery.k8s.io/v1", "EndpointSlice", "endpointslices", V1EndpointSlice.class);
  public static final Resource<V1Endpoints> ENDPOINTS =
      new Resource<>("v1", "Endpoints", "endpoints", V1Endpoints.class);
  public static final Resource<V1Service> SERVICES =
      new Resource<>("v1", "Service", "services", V1Service.class);
  public static final Resource<V1Lease> LEASES =
      new Resource<>("coordination.k8s.io/v1", "Lease", "leases", V1Lease.class);

  /**
   * The path of all objects.
   *
   * @param namespace empty for a kind that is in none
   */
  public String collection(String namespace) {
    // Only the oldest group has no name.
    String root = apiVersion.contains("/") ? "/apis/" : "/api/";
    String within = namespace.isEmpty() ? "/" : "/namespaces/" + namespace + "/";
    return root + apiVersion + within + plural;
  }

  public String object(String namespace, String name) {
    return collection(namespace) + "/" + name;
  }
}
