package io.apiserverupdater.updater.endpoints;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A v1 Endpoints object as the API server holds it, reduced to what the rules look at. The API
 * server reorders and repacks subsets, so they are compared as sets ({@code k8s.io/kubernetes},
 * pkg/api/v1/endpoints, RepackSubsets).
 *
 * @param verbatim its subsets, word by word, where they say more than these values: as in {@link
 *     EndpointSlice}
 */
public record Endpoints(
    String name,
    Map<String, String> labels,
    List<Subset> subsets,
    String resourceVersion,
    Optional<Map<String, Object>> verbatim) {

  /** Keeps the controller-manager from mirroring this object into slices of its own. */
  public static final String SKIP_MIRROR_LABEL = "endpointslice.kubernetes.io/skip-mirror";

  public Endpoints {
    labels = Map.copyOf(labels);
    subsets = List.copyOf(subsets);
  }

  /** An object of which these values say all. */
  public Endpoints(
      String name, Map<String, String> labels, List<Subset> subsets, String resourceVersion) {
    this(name, labels, subsets, resourceVersion, Optional.empty());
  }

  /** Addresses, ready or not, that share the same ports. */
  public record Subset(List<Endpoint> endpoints, List<Port> ports) {
    public Subset {
      endpoints = endpoints.stream().sorted().toList();
      ports = ports.stream().sorted().toList();
    }
  }
}
