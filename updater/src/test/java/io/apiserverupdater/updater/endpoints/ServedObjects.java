package io.apiserverupdater.updater.endpoints;

import java.util.List;
import java.util.Map;

/** What an API server holds in the tests: the source, the Service, and what was written. */
public final class ServedObjects {
  private static final List<Port> PORTS = List.of(new Port("https", 6443, Port.TCP));

  private ServedObjects() {}

  /** The source's slice of IPv4. */
  public static EndpointSlice source(List<Endpoint> members) {
    return new EndpointSlice("kubernetes", "IPv4", Map.of(), PORTS, members, "1");
  }

  /** The target's Service, without a selector. */
  public static Service service() {
    return service(Drains.NONE);
  }

  /** The same, with members taken out. */
  public static Service service(Drains drains) {
    return new Service(
        "apiserver",
        "ClusterIP",
        Map.of(),
        "10.96.0.64",
        List.of(AddressFamily.IPV4),
        PORTS,
        false,
        false,
        drains);
  }

  /** The target's slice, as the updater writes it. */
  public static EndpointSlice target(List<Endpoint> endpoints) {
    return written(
        new DesiredObject.Slice(
            "apiserver-ipv4",
            AddressFamily.IPV4,
            Map.of(
                EndpointSlice.SERVICE_NAME_LABEL,
                "apiserver",
                EndpointSlice.MANAGED_BY_LABEL,
                MirrorRule.MANAGER),
            PORTS,
            endpoints),
        "7");
  }

  public static EndpointSlice written(DesiredObject.Slice slice, String version) {
    String type = slice.family().addressType();
    return new EndpointSlice(
        slice.name(), type, slice.labels(), slice.ports(), slice.endpoints(), version);
  }

  public static Endpoints written(DesiredObject.LegacyEndpoints legacy, String version) {
    return new Endpoints(legacy.name(), legacy.labels(), List.of(legacy.subset()), version);
  }
}
