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
 * @param localTrafficOnly whether a node's connections go to endpoints on that node only: its
 *     internalTrafficPolicy
 * @param localExternalTrafficOnly the same of connections to its external addresses and node ports:
 *     its externalTrafficPolicy
 * @param drains who is taken out by an annotation
 */
public record Service(
    String name,
    String type,
    Map<String, String> selector,
    String clusterIp,
    List<AddressFamily> families,
    List<Port> ports,
    boolean localTrafficOnly,
    boolean localExternalTrafficOnly,
    Drains drains) {

  /** One whose connections go to any node, and of which nobody is drained. */
  public Service(
      String name,
      String type,
      Map<String, String> selector,
      String clusterIp,
      List<AddressFamily> families,
      List<Port> ports) {
    this(name, type, selector, clusterIp, families, ports, false, false, Drains.NONE);
  }

  public Service {
    selector = Map.copyOf(selector);
    families = List.copyOf(families);
    ports = List.copyOf(ports);
  }

  public List<Port> tcpPorts() {
    return ports.stream().filter(Port::isTcp).toList();
  }

  /** The family whose addresses the v1 Endpoints object holds, as Kubernetes' own writers do. */
  public Optional<AddressFamily> primaryFamily() {
    return families.stream().findFirst();
  }
}
