package io.apiserverupdater.updater.dryrun;

import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Endpoint;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.Endpoints;
import io.apiserverupdater.updater.endpoints.EndpointsSnapshot;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.Member;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Port;
import io.apiserverupdater.updater.endpoints.Service;
import io.apiserverupdater.updater.endpoints.TargetName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A state to compare, made from one in which nothing is to be done. */
record Cluster(
    ObservedState state, boolean writeEndpoints, boolean read, Surroundings surroundings) {
  static final TargetName TARGET = new TargetName("kube-system", "apiserver");
  static final Surroundings NOTHING_ELSE =
      new Surroundings(Optional.of(List.of()), List.of(), List.of(), List.of());

  private static final List<Port> PORTS = List.of(new Port("https", 6443, "TCP"));

  /** Two IPv4 members, mirrored. */
  static Cluster settled() {
    return new Cluster(
        new ObservedState(
            List.of(source("IPv4", "10.0.0.1", "10.0.0.2")),
            Optional.of(service(Map.of(), "10.96.0.64", 6443)),
            Map.of(AddressFamily.IPV4, slice(AddressFamily.IPV4, "IPv4", "10.0.0.1", "10.0.0.2")),
            Optional.of(endpoints(Map.of(), "10.0.0.1", "10.0.0.2"))),
        true,
        true,
        NOTHING_ELSE);
  }

  static Service service(Map<String, String> selector, String clusterIp, int port) {
    return new Service(
        "apiserver",
        "ClusterIP",
        selector,
        clusterIp,
        List.of(AddressFamily.IPV4),
        List.of(new Port("https", port, "TCP")));
  }

  static Service service(String clusterIp, List<AddressFamily> families, String protocol) {
    List<Port> ports = List.of(new Port("https", 6443, protocol));
    return new Service("apiserver", "ClusterIP", Map.of(), clusterIp, families, ports);
  }

  /** A slice under our name for a family, whatever addresses are in it. */
  static EndpointSlice slice(AddressFamily family, String addressType, String... addresses) {
    return new EndpointSlice(
        TARGET.slice(family),
        addressType,
        Map.of(
            EndpointSlice.SERVICE_NAME_LABEL,
            "apiserver",
            EndpointSlice.MANAGED_BY_LABEL,
            MirrorRule.MANAGER),
        PORTS,
        members(addresses),
        "7");
  }

  static Endpoints endpoints(Map<String, String> labels, String... addresses) {
    Map<String, String> all = new TreeMap<>(labels);
    all.put(Endpoints.SKIP_MIRROR_LABEL, "true");
    return new Endpoints(
        "apiserver", all, List.of(new Endpoints.Subset(members(addresses), PORTS)), "8");
  }

  Cluster withSource(String... addresses) {
    return with(List.of(source("IPv4", addresses)));
  }

  Cluster withIpv6Source(String... addresses) {
    return with(List.of(source("IPv6", addresses)));
  }

  Cluster with(List<EndpointSlice> source) {
    return with(new ObservedState(source, state.service(), state.slices(), state.endpoints()));
  }

  Cluster withService(Optional<Service> service) {
    return with(new ObservedState(state.source(), service, state.slices(), state.endpoints()));
  }

  /** With this slice too, or in place of the one of the same name. */
  Cluster withSlice(EndpointSlice slice) {
    Map<AddressFamily, EndpointSlice> slices = new TreeMap<>(state.slices());
    for (AddressFamily family : AddressFamily.values()) {
      if (TARGET.slice(family).equals(slice.name())) {
        slices.put(family, slice);
      }
    }
    return with(slices, state.endpoints());
  }

  Cluster withoutSlices() {
    return with(Map.of(), state.endpoints());
  }

  Cluster withoutEndpoints() {
    return with(state.slices(), Optional.empty());
  }

  Cluster with(Endpoints endpoints) {
    return with(state.slices(), Optional.of(endpoints));
  }

  private Cluster with(Map<AddressFamily, EndpointSlice> slices, Optional<Endpoints> endpoints) {
    return with(new ObservedState(state.source(), state.service(), slices, endpoints));
  }

  private Cluster with(ObservedState changed) {
    return new Cluster(changed, writeEndpoints, read, surroundings);
  }

  Cluster writing(boolean endpoints) {
    return new Cluster(state, endpoints, read, surroundings);
  }

  Cluster unread() {
    return new Cluster(state, writeEndpoints, false, Surroundings.UNKNOWN);
  }

  Cluster withRange(String cidr) {
    List<ServiceRange> ranges = List.of(ServiceRange.parse(cidr).orElseThrow());
    return in(new Surroundings(Optional.of(List.of()), ranges, List.of(), List.of()));
  }

  Cluster in(Surroundings others) {
    return new Cluster(state, writeEndpoints, read, others);
  }

  Report compare() {
    return compare(reading(), Map.of(), GateState.INITIAL);
  }

  Report compare(
      EndpointsSnapshot.Reading reading, Map<Member, MemberHealth> health, GateState gate) {
    return compare(reading, health, gate, Map.of());
  }

  Report compare(
      EndpointsSnapshot.Reading reading,
      Map<Member, MemberHealth> health,
      GateState gate,
      Map<Member, Instant> drained) {
    return new DryRun(new MirrorRule("default/kubernetes", TARGET, writeEndpoints), read)
        .compare(state, reading, health, gate, drained, surroundings);
  }

  EndpointsSnapshot.Reading reading() {
    return new MirrorRule("default/kubernetes", TARGET, writeEndpoints).read(state.source());
  }

  private static EndpointSlice source(String addressType, String... addresses) {
    return new EndpointSlice("kubernetes", addressType, Map.of(), PORTS, members(addresses), "1");
  }

  private static List<Endpoint> members(String... addresses) {
    return Stream.of(addresses).map(Endpoint::ready).toList();
  }
}
