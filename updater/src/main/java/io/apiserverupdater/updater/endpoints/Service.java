package io.apiserverupdater.updater.endpoints;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The Service whose endpoints are written, reduced to what the rules look at.
 *
 * @param type {@code ClusterIP}, {@code NodePort}, {@code LoadBalancer} or {@code ExternalName}
 * @param clusterIp empty while none is assigned; {@code None} for a headless Service
 * @param families the Service's address families, the primary one first
 */
public record Service(
    String name,
    String type,
    Map<String, String> selector,
    String clusterIp,
    List<AddressFamily> families,
    List<Port> ports) {

  public Service {
    selector = Map.copyOf(selector);
    families = List.copyOf(families);
    ports = List.copyOf(ports);
  }

  /**
   * A port of the Service.
   *
   * @param name empty where the Service's only port has none
   */
  public record Port(String name, int port, String protocol) {}

  /** The family whose addresses the v1 Endpoints object holds, as Kubernetes' own writers do. */
  public Optional<AddressFamily> primaryFamily() {
    return families.stream().findFirst();
  }
}
