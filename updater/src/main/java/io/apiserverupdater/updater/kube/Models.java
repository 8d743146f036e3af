package io.apiserverupdater.updater.kube;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.DesiredObject;
import io.apiserverupdater.updater.endpoints.Drains;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Endpoints;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.kube.api.KubeJson;
import io.apiserverupdater.updater.kube.watch.Resource;
import io.kubernetes.client.openapi.models.CoreV1EndpointPort;
import io.kubernetes.client.openapi.models.DiscoveryV1EndpointPort;
import io.kubernetes.client.openapi.models.V1Endpoint;
import io.kubernetes.client.openapi.models.V1EndpointAddress;
import io.kubernetes.client.openapi.models.V1EndpointConditions;
import io.kubernetes.client.openapi.models.V1EndpointSlice;
import io.kubernetes.client.openapi.models.V1EndpointSubset;
import io.kubernetes.client.openapi.models.V1Endpoints;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1ServiceCIDR;
import io.kubernetes.client.openapi.models.V1ServiceCIDRList;
import io.kubernetes.client.openapi.models.V1ServiceSpec;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The client library's models to and from our own values. Any field of a model may be null, also
 * those that the API calls required.
 */
final class Models {
  private Models() {}

  /** A slice of the source, or of somebody else. */
  static EndpointSlice slice(V1EndpointSlice model) {
    return slice(model, ports(model), listed(model), Optional.empty());
  }

  /** A slice of the target: with its fields, where they say more than we would have written. */
  static EndpointSlice targetSlice(V1EndpointSlice model) {
    List<Port> ports = ports(model);
    List<Endpoint> endpoints = listed(model);
    return slice(
        model,
        ports,
        endpoints,
        Verbatim.unlessSame(
            new V1EndpointSlice().ports(model.getPorts()).endpoints(model.getEndpoints()),
            new V1EndpointSlice()
                .ports(written(ports))
                .endpoints(endpoints.stream().map(Models::written).toList())));
  }

  private static EndpointSlice slice(
      V1EndpointSlice model,
      List<Port> ports,
      List<Endpoint> endpoints,
      Optional<Map<String, Object>> verbatim) {
    return new EndpointSlice(
        name(model.getMetadata()),
        KubeJson.orEmpty(model.getAddressType()),
        labels(model.getMetadata()),
        ports,
        endpoints,
        version(model.getMetadata()),
        verbatim);
  }

  private static List<Port> ports(V1EndpointSlice model) {
    return each(model.getPorts())
        // A slice's port without a number means "all ports": there is nothing to mirror.
        .filter(port -> port.getPort() != null)
        .map(port -> port(port.getName(), port.getPort(), port.getProtocol()))
        .toList();
  }

  private static List<Endpoint> listed(V1EndpointSlice model) {
    return each(model.getEndpoints()).flatMap(Models::endpoints).toList();
  }

  private static Stream<Endpoint> endpoints(V1Endpoint model) {
    V1EndpointConditions conditions = model.getConditions();
    boolean ready = conditions == null || !Boolean.FALSE.equals(conditions.getReady());
    return each(model.getAddresses())
        .map(
            address ->
                new Endpoint(
                    address,
                    ready,
                    Optional.ofNullable(model.getNodeName()),
                    Optional.ofNullable(model.getZone())));
  }

  static Endpoints endpoints(V1Endpoints model) {
    List<Endpoints.Subset> subsets = each(model.getSubsets()).map(Models::subset).toList();
    return new Endpoints(
        name(model.getMetadata()),
        labels(model.getMetadata()),
        subsets,
        version(model.getMetadata()),
        Verbatim.unlessSame(
            new V1Endpoints().subsets(model.getSubsets()),
            new V1Endpoints().subsets(subsets.stream().map(Models::written).toList())));
  }

  private static Endpoints.Subset subset(V1EndpointSubset model) {
    Stream<Endpoint> ready = each(model.getAddresses()).map(address -> endpoint(address, true));
    Stream<Endpoint> unready =
        each(model.getNotReadyAddresses()).map(address -> endpoint(address, false));
    return new Endpoints.Subset(
        Stream.concat(ready, unready).toList(),
        each(model.getPorts())
            .map(port -> port(port.getName(), port.getPort(), port.getProtocol()))
            .toList());
  }

  private static Endpoint endpoint(V1EndpointAddress address, boolean ready) {
    return new Endpoint(
        KubeJson.orEmpty(address.getIp()),
        ready,
        Optional.ofNullable(address.getNodeName()),
        Optional.empty());
  }

  /** Keeps a node out of load balancers, by Kubernetes' own rule. */
  private static final String EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers";

  /**
   * A node as a slice of its own, with its first internal address of each family; without one if it
   * is not for load balancers.
   *
   * @param port that all nodes listen on: a NodePort
   */
  static EndpointSlice node(NodeModel model, AddressFamily family, int port) {
    String name = name(model.getMetadata());
    Map<String, String> labels = labels(model.getMetadata());
    return new EndpointSlice(
        name,
        family.addressType(),
        labels,
        List.of(new Port("", port, Port.TCP)),
        each(model.addresses())
            .filter(it -> "InternalIP".equals(it.type()) && !labels.containsKey(EXCLUDED))
            .map(it -> KubeJson.orEmpty(it.address()))
            .filter(family::contains)
            .limit(1)
            .map(it -> new Endpoint(it, true, Optional.of(name), Optional.empty()))
            .toList(),
        version(model.getMetadata()));
  }

  static Service service(V1Service model) {
    V1ServiceSpec spec = model.getSpec() == null ? new V1ServiceSpec() : model.getSpec();
    return new Service(
        name(model.getMetadata()),
        spec.getType() == null ? "ClusterIP" : spec.getType(),
        withoutNulls(spec.getSelector()),
        KubeJson.orEmpty(spec.getClusterIP()),
        each(spec.getIpFamilies()).flatMap(family -> AddressFamily.of(family).stream()).toList(),
        each(spec.getPorts())
            .map(port -> port(port.getName(), port.getPort(), port.getProtocol()))
            .toList(),
        "Local".equals(spec.getInternalTrafficPolicy()),
        "Local".equals(spec.getExternalTrafficPolicy()),
        Drains.of(annotations(model.getMetadata()).getOrDefault(Drains.ANNOTATION, "")));
  }

  private static Port port(
      @Nullable String name, @Nullable Integer number, @Nullable String protocol) {
    return new Port(
        KubeJson.orEmpty(name),
        number == null ? 0 : number,
        protocol == null ? Port.TCP : protocol);
  }

  /** The ranges of cluster IPs, as the API writes them. */
  static List<String> ranges(V1ServiceCIDRList model) {
    return each(model.getItems())
        .map(V1ServiceCIDR::getSpec)
        .filter(spec -> spec != null)
        .flatMap(spec -> each(spec.getCidrs()))
        .toList();
  }

  /** The object to create. */
  static V1EndpointSlice slice(DesiredObject.Slice desired, String namespace) {
    V1EndpointSlice model =
        new V1EndpointSlice()
            .apiVersion(Resource.ENDPOINT_SLICES.apiVersion())
            .kind(Resource.ENDPOINT_SLICES.kind())
            .metadata(metadata(namespace, desired.name()))
            .addressType(desired.family().addressType());
    return update(model, desired);
  }

  /** Another object with our fields as desired, and everything else as in this one. */
  static V1EndpointSlice update(V1EndpointSlice model, DesiredObject.Slice desired) {
    return new V1EndpointSlice()
        .apiVersion(model.getApiVersion())
        .kind(model.getKind())
        .addressType(model.getAddressType())
        .metadata(withLabels(model.getMetadata(), desired.labels()))
        .ports(written(desired.ports()))
        .endpoints(desired.endpoints().stream().map(Models::written).toList());
  }

  private static List<DiscoveryV1EndpointPort> written(List<Port> ports) {
    return ports.stream()
        .map(
            port ->
                new DiscoveryV1EndpointPort()
                    .name(port.name())
                    .port(port.port())
                    .protocol(port.protocol()))
        .toList();
  }

  private static V1Endpoint written(Endpoint endpoint) {
    return new V1Endpoint()
        .addresses(List.of(endpoint.address()))
        .conditions(new V1EndpointConditions().ready(endpoint.ready()))
        .nodeName(endpoint.nodeName().orElse(null))
        .zone(endpoint.zone().orElse(null))
        .deprecatedTopology(null);
  }

  /** The object to create. */
  static V1Endpoints endpoints(DesiredObject.LegacyEndpoints desired, String namespace) {
    V1Endpoints model =
        new V1Endpoints()
            .apiVersion(Resource.ENDPOINTS.apiVersion())
            .kind(Resource.ENDPOINTS.kind())
            .metadata(metadata(namespace, desired.name()));
    return update(model, desired);
  }

  /** Another object with our fields as desired, and everything else as in this one. */
  static V1Endpoints update(V1Endpoints model, DesiredObject.LegacyEndpoints desired) {
    return new V1Endpoints()
        .apiVersion(model.getApiVersion())
        .kind(model.getKind())
        .metadata(withLabels(model.getMetadata(), desired.labels()))
        .subsets(List.of(written(desired.subset())));
  }

  private static V1EndpointSubset written(Endpoints.Subset subset) {
    return new V1EndpointSubset()
        .addresses(addresses(subset, true))
        .notReadyAddresses(addresses(subset, false))
        .ports(
            subset.ports().stream()
                .map(
                    port ->
                        new CoreV1EndpointPort()
                            .name(port.name().isEmpty() ? null : port.name())
                            .port(port.port())
                            .protocol(port.protocol()))
                .toList());
  }

  private static @Nullable List<V1EndpointAddress> addresses(
      Endpoints.Subset subset, boolean ready) {
    List<V1EndpointAddress> addresses =
        subset.endpoints().stream()
            .filter(endpoint -> endpoint.ready() == ready)
            .map(
                endpoint ->
                    new V1EndpointAddress()
                        .ip(endpoint.address())
                        .nodeName(endpoint.nodeName().orElse(null)))
            .toList();
    return addresses.isEmpty() ? null : addresses;
  }

  /** Metadata of a new object, without the empty lists that the models start with. */
  static V1ObjectMeta metadata(String namespace, String name) {
    return new V1ObjectMeta()
        .namespace(namespace)
        .name(name)
        .annotations(null)
        .finalizers(null)
        .labels(null)
        .ownerReferences(null);
  }

  private static V1ObjectMeta withLabels(V1ObjectMeta metadata, Map<String, String> wanted) {
    Map<String, String> labels = new HashMap<>(labels(metadata));
    labels.putAll(wanted);
    // All but managedFields: the server keeps those of an update that does not mention them.
    return new V1ObjectMeta()
        .name(metadata.getName())
        .generateName(metadata.getGenerateName())
        .namespace(metadata.getNamespace())
        .uid(metadata.getUid())
        .resourceVersion(metadata.getResourceVersion())
        .generation(metadata.getGeneration())
        .creationTimestamp(metadata.getCreationTimestamp())
        .deletionTimestamp(metadata.getDeletionTimestamp())
        .deletionGracePeriodSeconds(metadata.getDeletionGracePeriodSeconds())
        .selfLink(metadata.getSelfLink())
        .annotations(metadata.getAnnotations())
        .ownerReferences(metadata.getOwnerReferences())
        .finalizers(metadata.getFinalizers())
        .labels(labels);
  }

  private static Map<String, String> labels(@Nullable V1ObjectMeta metadata) {
    return withoutNulls(metadata == null ? null : metadata.getLabels());
  }

  private static Map<String, String> annotations(@Nullable V1ObjectMeta metadata) {
    return withoutNulls(metadata == null ? null : metadata.getAnnotations());
  }

  /** A null value is what Go would read as an empty one. */
  private static Map<String, String> withoutNulls(@Nullable Map<String, String> map) {
    Map<String, String> copy = new HashMap<>();
    if (map != null) {
      map.forEach((key, value) -> copy.put(key, KubeJson.orEmpty(value)));
    }
    return copy;
  }

  private static String name(@Nullable V1ObjectMeta metadata) {
    return metadata == null ? "" : KubeJson.orEmpty(metadata.getName());
  }

  private static String version(@Nullable V1ObjectMeta metadata) {
    return metadata == null ? "" : KubeJson.orEmpty(metadata.getResourceVersion());
  }

  private static <T> Stream<T> each(@Nullable List<T> list) {
    return list == null ? Stream.of() : list.stream().filter(element -> element != null);
  }
}
