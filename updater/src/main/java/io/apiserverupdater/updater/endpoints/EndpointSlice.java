package io.apiserverupdater.updater.endpoints;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An EndpointSlice as the API server holds it, reduced to what the rules look at.
 *
 * @param addressType as in the API: {@code IPv4}, {@code IPv6}, {@code FQDN} or one not known yet
 * @param resourceVersion the version that a write must name to be accepted
 * @param verbatim its endpoints and ports, word by word, where they say more than these values:
 *     field to value, as in JSON, the keys of each level in alphabetical order
 */
public record EndpointSlice(
    String name,
    String addressType,
    Map<String, String> labels,
    List<Port> ports,
    List<Endpoint> endpoints,
    String resourceVersion,
    Optional<Map<String, Object>> verbatim) {

  /** Names the Service that a slice belongs to. */
  public static final String SERVICE_NAME_LABEL = "kubernetes.io/service-name";

  /** Names the program that writes a slice. */
  public static final String MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";

  public EndpointSlice {
    labels = Map.copyOf(labels);
    ports = List.copyOf(ports);
    endpoints = List.copyOf(endpoints);
  }

  /** A slice of which these values say all. */
  public EndpointSlice(
      String name,
      String addressType,
      Map<String, String> labels,
      List<Port> ports,
      List<Endpoint> endpoints,
      String resourceVersion) {
    this(name, addressType, labels, ports, endpoints, resourceVersion, Optional.empty());
  }

  public Optional<String> managedBy() {
    return Optional.ofNullable(labels.get(MANAGED_BY_LABEL));
  }

  public Optional<String> serviceName() {
    return Optional.ofNullable(labels.get(SERVICE_NAME_LABEL));
  }

  /** The ports that may be the apiservers': the TCP port named https, or all TCP ports. */
  public List<Port> servingPorts() {
    List<Port> tcp = ports.stream().filter(port -> port.isTcp() && port.isValid()).toList();
    List<Port> named = tcp.stream().filter(port -> port.name().equals("https")).toList();
    return named.isEmpty() ? tcp : named;
  }
}
