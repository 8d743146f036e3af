package io.apiserverupdater.updater.endpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class EndpointsSnapshotTest {
  private static final TargetName TARGET = new TargetName("kube-system", "apiserver");
  private static final Port HTTPS = tcp("https", 6443);

  private static Port tcp(String name, int port) {
    return new Port(name, port, "TCP");
  }

  private static Port udp(String name, int port) {
    return new Port(name, port, "UDP");
  }

  private static EndpointSlice slice(String type, List<Port> ports, Endpoint... endpoints) {
    return new EndpointSlice("kubernetes", type, Map.of(), ports, List.of(endpoints), "1");
  }

  private static EndpointSlice ipv4(String... addresses) {
    return https(Arrays.stream(addresses).map(Endpoint::ready).toArray(Endpoint[]::new));
  }

  private static EndpointsSnapshot.Members members(int port, Endpoint... endpoints) {
    return new EndpointsSnapshot.Members(port, List.of(endpoints));
  }

  private static EndpointSlice https(Endpoint... endpoints) {
    return slice("IPv4", List.of(HTTPS), endpoints);
  }

  private static Map<AddressFamily, EndpointsSnapshot.Members> ipv4Members(Endpoint... endpoints) {
    return Map.of(AddressFamily.IPV4, members(6443, endpoints));
  }

  static List<Arguments> usableSources() {
    Endpoint a = Endpoint.ready("192.0.2.1");
    Endpoint b = Endpoint.ready("192.0.2.2");
    Endpoint six = Endpoint.ready("2001:db8::1");
    Endpoint placed = new Endpoint("192.0.2.1", true, Optional.of("cp-1"), Optional.of("zone-a"));
    return List.of(
        Arguments.of("one slice", List.of(ipv4("192.0.2.1", "192.0.2.2")), ipv4Members(a, b)),
        Arguments.of(
            "addresses in any order", List.of(ipv4("192.0.2.2", "192.0.2.1")), ipv4Members(a, b)),
        Arguments.of(
            "an address twice in one slice",
            List.of(ipv4("192.0.2.1", "192.0.2.1", "192.0.2.2")),
            ipv4Members(a, b)),
        Arguments.of(
            "an address in two slices",
            List.of(ipv4("192.0.2.1"), ipv4("192.0.2.1", "192.0.2.2")),
            ipv4Members(a, b)),
        Arguments.of(
            "an address ready in one slice and unready in the other",
            List.of(https(a.withReady(false)), ipv4("192.0.2.1")),
            ipv4Members(a)),
        Arguments.of(
            "the same, the other way round",
            List.of(ipv4("192.0.2.1"), https(a.withReady(false))),
            ipv4Members(a)),
        Arguments.of(
            "an unready address stays a member",
            List.of(https(a.withReady(false), b)),
            ipv4Members(a.withReady(false), b)),
        Arguments.of(
            "nothing but unready addresses",
            List.of(https(a.withReady(false))),
            ipv4Members(a.withReady(false))),
        Arguments.of("node and zone are kept", List.of(https(placed)), ipv4Members(placed)),
        Arguments.of(
            "two families with a port each",
            List.of(ipv4("192.0.2.1"), slice("IPv6", List.of(tcp("https", 8443)), six)),
            Map.of(AddressFamily.IPV4, members(6443, a), AddressFamily.IPV6, members(8443, six))),
        Arguments.of(
            "a family whose slice is empty is none",
            List.of(ipv4("192.0.2.1"), slice("IPv6", List.of())),
            ipv4Members(a)),
        Arguments.of(
            "host names are passed over",
            List.of(ipv4("192.0.2.1"), slice("FQDN", List.of(), Endpoint.ready("cp.example"))),
            ipv4Members(a)),
        Arguments.of(
            "an address type of the future is passed over",
            List.of(ipv4("192.0.2.1"), slice("IPv8", List.of(), Endpoint.ready("1"))),
            ipv4Members(a)),
        Arguments.of(
            "the only TCP port, whatever its name",
            List.of(slice("IPv4", List.of(tcp("", 443), udp("dns", 53)), a)),
            Map.of(AddressFamily.IPV4, members(443, a))),
        Arguments.of(
            "of several TCP ports the one named https",
            List.of(slice("IPv4", List.of(tcp("metrics", 9090), HTTPS), a)),
            ipv4Members(a)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void usableSources(
      String situation,
      List<EndpointSlice> slices,
      Map<AddressFamily, EndpointsSnapshot.Members> expected) {
    assertEquals(
        new EndpointsSnapshot.Usable(new EndpointsSnapshot(expected)),
        read("default/kubernetes", slices),
        situation);
  }

  private static EndpointsSnapshot.Reading read(String source, List<EndpointSlice> slices) {
    return new MirrorRule(source, TARGET, false).read(slices);
  }

  private static Arguments unusable(String situation, String reason, EndpointSlice... slices) {
    return Arguments.of(situation, List.of(slices), List.of(reason));
  }

  static List<Arguments> unusableSources() {
    Endpoint a = Endpoint.ready("192.0.2.1");
    return List.of(
        unusable("no slice", "EmptySource"),
        unusable("a slice without addresses", "EmptySource", ipv4()),
        unusable("a slice without addresses and ports", "EmptySource", slice("IPv4", List.of())),
        unusable(
            "no address that can be used",
            "UnusableAddress",
            ipv4("010.1.2.3", "192.0.2.256", "cp.example", "2001:db8::1", "")),
        unusable(
            "a port that no server has",
            "SourcePortUnclear",
            slice("IPv4", List.of(tcp("https", 70000)), a)),
        unusable(
            "host names only",
            "EmptySource",
            slice("FQDN", List.of(HTTPS), Endpoint.ready("cp.example"))),
        unusable("no port", "SourcePortUnclear", slice("IPv4", List.of(), a)),
        unusable("no TCP port", "SourcePortUnclear", slice("IPv4", List.of(udp("https", 6443)), a)),
        unusable(
            "two TCP ports, none named https",
            "SourcePortUnclear",
            slice("IPv4", List.of(tcp("a", 1), tcp("b", 2)), a)),
        unusable(
            "two slices of a family with different numbers",
            "SourcePortsDiffer",
            ipv4("192.0.2.1"),
            slice("IPv4", List.of(tcp("https", 443)), a)),
        unusable(
            "one good family does not hide the fault of the other",
            "SourcePortUnclear",
            ipv4("192.0.2.1"),
            slice("IPv6", List.of(), Endpoint.ready("2001:db8::1"))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void unusableSources(String situation, List<EndpointSlice> slices, List<String> reasons) {
    EndpointsSnapshot.Unusable unusable =
        assertInstanceOf(EndpointsSnapshot.Unusable.class, read("ns/source", slices), situation);
    assertEquals(reasons, unusable.refusals().stream().map(Refusal::reason).toList());
    unusable
        .refusals()
        .forEach(
            refusal ->
                assertTrue(
                    refusal.message().contains("ns/source"), "names the source: " + refusal));
  }

  static List<Arguments> unusableAddresses() {
    return List.of(
        Arguments.of("IPv4", "010.1.2.3"),
        Arguments.of("IPv4", "192.0.2.256"),
        Arguments.of("IPv4", "cp.example"),
        Arguments.of("IPv4", "2001:db8::1"),
        Arguments.of("IPv4", ""),
        Arguments.of("IPv6", "192.0.2.1"),
        Arguments.of("IPv6", "fe80::1%eth0"),
        Arguments.of("IPv6", "::ffff:192.0.2.1"));
  }

  /** Kubernetes itself has accepted some of these, and one of them must not stop the others. */
  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("unusableAddresses")
  void leavesOutAnAddressThatCannotBeUsedAndKeepsTheOthers(String type, String address) {
    Endpoint good = Endpoint.ready(type.equals("IPv4") ? "192.0.2.9" : "2001:db8::9");
    EndpointsSnapshot.Usable usable =
        assertInstanceOf(
            EndpointsSnapshot.Usable.class,
            read(
                "default/kubernetes",
                List.of(slice(type, List.of(HTTPS), Endpoint.ready(address), good))));
    assertEquals(List.of(new Member(good.address(), 6443)), List.copyOf(usable.snapshot().all()));
    assertEquals(
        List.of(
            "slice kubernetes of the source default/kubernetes lists [%s], expected %s addresses"
                .formatted(address, type)),
        usable.leftOut().stream().map(Refusal::message).toList());
  }

  @Test
  void namesTheSliceOfEachFamily() {
    assertEquals("apiserver-ipv4", TARGET.slice(AddressFamily.IPV4));
    assertEquals("apiserver-ipv6", TARGET.slice(AddressFamily.IPV6));
  }
}
