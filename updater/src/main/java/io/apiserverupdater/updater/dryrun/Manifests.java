package io.apiserverupdater.updater.dryrun;

import io.apiserverupdater.updater.endpoints.DesiredObject;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Endpoints;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.endpoints.TargetName;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** The objects of one target as manifests. */
record Manifests(TargetName target) {

  /** The label of everything that the base manifests install. */
  private static final Map<String, String> BASE_LABELS =
      Map.of("app.kubernetes.io/name", "apiserver-updater");

  /** A slice as it is. */
  Manifest of(EndpointSlice slice) {
    // The rule compares elements as a set, so their order must not look like a difference.
    Map<String, Object> content = new TreeMap<>();
    content.put("addressType", slice.addressType());
    content.put("endpoints", each(slice.endpoints(), Manifests::sliceEndpoint));
    content.put("ports", each(slice.ports(), port -> port(port, true)));
    slice.verbatim().ifPresent(content::putAll);
    return new Manifest(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        target.namespace(),
        slice.name(),
        slice.labels(),
        content);
  }

  /** A slice as it would be, with the labels that it has and keeps. */
  Manifest of(DesiredObject.Slice desired, Map<String, String> kept) {
    return of(
        new EndpointSlice(
            desired.name(),
            desired.family().addressType(),
            merged(kept, desired.labels()),
            desired.ports(),
            desired.endpoints(),
            ""));
  }

  /** The Endpoints object as it is. */
  Manifest of(Endpoints endpoints) {
    return new Manifest(
        "v1",
        "Endpoints",
        target.namespace(),
        endpoints.name(),
        endpoints.labels(),
        endpoints
            .verbatim()
            .orElseGet(
                () ->
                    Map.of(
                        "subsets", endpoints.subsets().stream().map(Manifests::subset).toList())));
  }

  /** The Endpoints object as it would be, with the labels that it has and keeps. */
  Manifest of(DesiredObject.LegacyEndpoints desired, Map<String, String> kept) {
    return of(
        new Endpoints(
            desired.name(), merged(kept, desired.labels()), List.of(desired.subset()), ""));
  }

  /** The Service to create. */
  Manifest of(Service service) {
    SortedMap<String, Object> spec = new TreeMap<>();
    if (service.clusterIp().isEmpty()) {
      spec.put(
          "ipFamilies", service.families().stream().map(family -> family.addressType()).toList());
    } else {
      spec.put("clusterIP", service.clusterIp());
    }
    spec.put(
        "ports",
        service.ports().stream()
            .map(
                port -> {
                  SortedMap<String, Object> fields = port(port, false);
                  fields.put("targetPort", port.port());
                  return fields;
                })
            .toList());
    return new Manifest(
        "v1", "Service", target.namespace(), service.name(), BASE_LABELS, Map.of("spec", spec));
  }

  private static SortedMap<String, Object> sliceEndpoint(Endpoint endpoint) {
    SortedMap<String, Object> fields = new TreeMap<>();
    fields.put("addresses", List.of(endpoint.address()));
    fields.put("conditions", new TreeMap<>(Map.of("ready", endpoint.ready())));
    endpoint.nodeName().ifPresent(node -> fields.put("nodeName", node));
    endpoint.zone().ifPresent(zone -> fields.put("zone", zone));
    return fields;
  }

  private static SortedMap<String, Object> subset(Endpoints.Subset subset) {
    SortedMap<String, Object> fields = new TreeMap<>();
    addresses(subset, true, "addresses", fields);
    addresses(subset, false, "notReadyAddresses", fields);
    fields.put("ports", each(subset.ports(), port -> port(port, false)));
    return fields;
  }

  private static void addresses(
      Endpoints.Subset subset, boolean ready, String key, SortedMap<String, Object> into) {
    List<SortedMap<String, Object>> addresses =
        each(
            subset.endpoints().stream().filter(endpoint -> endpoint.ready() == ready).toList(),
            endpoint -> {
              SortedMap<String, Object> fields = new TreeMap<>();
              fields.put("ip", endpoint.address());
              endpoint.nodeName().ifPresent(node -> fields.put("nodeName", node));
              return fields;
            });
    if (!addresses.isEmpty()) {
      into.put(key, addresses);
    }
  }

  /** A slice always says the name of its ports; the older kinds leave an empty one out. */
  private static SortedMap<String, Object> port(Port port, boolean withEmptyName) {
    SortedMap<String, Object> fields = new TreeMap<>();
    if (withEmptyName || !port.name().isEmpty()) {
      fields.put("name", port.name());
    }
    fields.put("port", port.port());
    fields.put("protocol", port.protocol());
    return fields;
  }

  private static Map<String, String> merged(Map<String, String> kept, Map<String, String> wanted) {
    Map<String, String> labels = new TreeMap<>(kept);
    labels.putAll(wanted);
    return labels;
  }

  private static <T extends Comparable<T>> List<SortedMap<String, Object>> each(
      List<T> elements, Function<T, SortedMap<String, Object>> fields) {
    return elements.stream().sorted().map(fields).toList();
  }
}
