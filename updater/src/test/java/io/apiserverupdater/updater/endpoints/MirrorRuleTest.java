package io.apiserverupdater.updater.endpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class MirrorRuleTest {
  private static final TargetName TARGET = new TargetName("kube-system", "apiserver");
  private static final MirrorRule RULE = new MirrorRule("default/kubernetes", TARGET, true);
  private static final MirrorRule SLICES_ONLY = new MirrorRule("default/kubernetes", TARGET, false);
  private static final String SERVICE_NAME = "kubernetes.io/service-name";
  private static final String MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
  private static final Map<String, String> OURS =
      Map.of(SERVICE_NAME, "apiserver", MANAGED_BY, "apiserver-updater");
  private static final Map<String, String> SKIP_MIRROR =
      Map.of("endpointslice.kubernetes.io/skip-mirror", "true");
  private static final Port PORT = new Port("https", 6443, "TCP");
  private static final Service SERVICE = serviceWith(PORT);

  private static Service service(
      Map<String, String> selector, List<AddressFamily> families, Port... ports) {
    return new Service("apiserver", "ClusterIP", selector, "10.96.0.64", families, List.of(ports));
  }

  /** With the source as it is. */
  static Decision decide(MirrorRule rule, ObservedState state) {
    return rule.decide(state, rule.read(state.source()));
  }

  private static Service serviceWith(Port... ports) {
    return service(Map.of(), List.of(AddressFamily.IPV4), ports);
  }

  private static List<Endpoint> ready(String... addresses) {
    return Arrays.stream(addresses).map(Endpoint::ready).toList();
  }

  private static Endpoint unready(String address) {
    return Endpoint.ready(address).withReady(false);
  }

  private static EndpointSlice source(String type, String... addresses) {
    return new EndpointSlice("kubernetes", type, Map.of(), List.of(PORT), ready(addresses), "1");
  }

  private static EndpointSlice slice(AddressFamily family, String... addresses) {
    return new EndpointSlice(
        TARGET.slice(family), family.addressType(), OURS, List.of(PORT), ready(addresses), "7");
  }

  private static EndpointSlice labelled(EndpointSlice slice, Map<String, String> labels) {
    return new EndpointSlice(
        slice.name(), slice.addressType(), labels, slice.ports(), slice.endpoints(), "7");
  }

  private static Endpoints endpoints(String... addresses) {
    return present(SKIP_MIRROR, List.of(subset(ready(addresses), List.of(PORT))));
  }

  private static final List<EndpointSlice> ONE = List.of(source("IPv4", "192.0.2.1"));
  private static final List<EndpointSlice> TWO = List.of(source("IPv4", "192.0.2.1", "192.0.2.2"));
  private static final EndpointSlice SLICE = slice(AddressFamily.IPV4, "192.0.2.1");

  private static ObservedState state(
      List<EndpointSlice> source, Optional<Service> service, Object... present) {
    Map<AddressFamily, EndpointSlice> slices = new EnumMap<>(AddressFamily.class);
    Optional<Endpoints> endpoints = Optional.empty();
    for (Object object : present) {
      if (object instanceof EndpointSlice slice) {
        slices.put(slice.name().endsWith("ipv6") ? AddressFamily.IPV6 : AddressFamily.IPV4, slice);
      } else {
        endpoints = Optional.of((Endpoints) object);
      }
    }
    return new ObservedState(source, service, slices, endpoints);
  }

  private static ObservedState state(List<EndpointSlice> source, Object... present) {
    return state(source, Optional.of(SERVICE), present);
  }

  private static EndpointSlice ours(List<Port> ports, List<Endpoint> endpoints) {
    return new EndpointSlice("apiserver-ipv4", "IPv4", OURS, ports, endpoints, "7");
  }

  private static Endpoints.Subset subset(List<Endpoint> endpoints, List<Port> ports) {
    return new Endpoints.Subset(endpoints, ports);
  }

  private static Endpoints present(Map<String, String> labels, List<Endpoints.Subset> subsets) {
    return new Endpoints("apiserver", labels, subsets, "8");
  }

  private static DesiredObject.Slice desiredSlice(String... addresses) {
    return new DesiredObject.Slice(
        "apiserver-ipv4", AddressFamily.IPV4, OURS, List.of(PORT), ready(addresses));
  }

  private static DesiredObject.LegacyEndpoints desiredEndpoints(String... addresses) {
    return new DesiredObject.LegacyEndpoints(
        "apiserver", SKIP_MIRROR, subset(ready(addresses), List.of(PORT)));
  }

  private static void assertUpToDate(MirrorRule rule, ObservedState state) {
    assertInstanceOf(Decision.UpToDate.class, decide(rule, state));
  }

  private static List<Change> changes(MirrorRule rule, ObservedState state) {
    return assertInstanceOf(Decision.Apply.class, decide(rule, state)).changes();
  }

  private static List<String> described(MirrorRule rule, ObservedState state) {
    return changes(rule, state).stream().map(Change::describe).toList();
  }

  private static List<Refusal> refused(ObservedState state) {
    return assertInstanceOf(Decision.Refuse.class, decide(RULE, state)).refusals();
  }

  private static DesiredObject.Slice sliceIn(List<Change> changes) {
    return (DesiredObject.Slice) changes.get(0).desired().orElseThrow();
  }

  private static DesiredObject.LegacyEndpoints endpointsIn(List<Change> changes) {
    return (DesiredObject.LegacyEndpoints) changes.get(1).desired().orElseThrow();
  }

  @Nested
  class WhenNothingIsThere {
    @Test
    void createsTheSliceBeforeTheEndpoints() {
      assertEquals(
          List.of(
              new Change.Create(desiredSlice("192.0.2.1", "192.0.2.2")),
              new Change.Create(desiredEndpoints("192.0.2.1", "192.0.2.2"))),
          changes(RULE, state(TWO)));
    }

    @Test
    void createsOneSliceForEachFamily() {
      assertEquals(
          List.of("create EndpointSlice apiserver-ipv4", "create EndpointSlice apiserver-ipv6"),
          described(
              SLICES_ONLY,
              state(List.of(source("IPv6", "2001:db8::1"), source("IPv4", "192.0.2.1")))));
    }

    @Test
    void leavesTheEndpointsAloneWhenTheyAreNotOurs() {
      assertEquals(
          List.of("create EndpointSlice apiserver-ipv4"), described(SLICES_ONLY, state(ONE)));
    }
  }

  @Nested
  class WhenTheTargetIsRight {
    @Test
    void writesNothing() {
      Decision decision =
          decide(
              RULE,
              state(
                  TWO,
                  slice(AddressFamily.IPV4, "192.0.2.1", "192.0.2.2"),
                  endpoints("192.0.2.1", "192.0.2.2")));
      Decision.UpToDate upToDate = assertInstanceOf(Decision.UpToDate.class, decision);
      assertEquals(
          Map.of(
              AddressFamily.IPV4,
              new EndpointsSnapshot.Members(6443, ready("192.0.2.1", "192.0.2.2"))),
          upToDate.snapshot().members());
    }

    @Test
    void writesNothingWhateverTheOrder() {
      Service service = serviceWith(new Port("a", 1, "TCP"), new Port("b", 2, "TCP"));
      List<Port> ports = List.of(new Port("b", 6443, "TCP"), new Port("a", 6443, "TCP"));
      List<Endpoint> shuffled = ready("192.0.2.3", "192.0.2.1", "192.0.2.2");
      Endpoints endpoints = present(SKIP_MIRROR, List.of(subset(shuffled, ports)));
      assertUpToDate(
          RULE,
          state(
              List.of(source("IPv4", "192.0.2.1", "192.0.2.2", "192.0.2.3")),
              Optional.of(service),
              ours(ports, shuffled),
              endpoints));
    }

    @Test
    void foreignLabelsDoNotMatter() {
      Map<String, String> labels = new HashMap<>(OURS);
      labels.put("team", "platform");
      Endpoints endpoints =
          present(
              Map.of("endpointslice.kubernetes.io/skip-mirror", "true", "team", "platform"),
              endpoints("192.0.2.1").subsets());
      assertUpToDate(RULE, state(ONE, labelled(SLICE, labels), endpoints));
    }

    @Test
    void wrongEndpointsDoNotMatterWhenTheyAreNotOurs() {
      assertUpToDate(SLICES_ONLY, state(ONE, SLICE, endpoints("198.51.100.9")));
    }
  }

  static List<Arguments> differencesOfTheSlice() {
    EndpointSlice good = slice(AddressFamily.IPV4, "192.0.2.1", "192.0.2.2");
    Port other = new Port("https", 443, "TCP");
    return List.of(
        Arguments.of("an address is missing", SLICE),
        Arguments.of(
            "an address too many",
            slice(AddressFamily.IPV4, "192.0.2.1", "192.0.2.2", "192.0.2.3")),
        Arguments.of("another address", slice(AddressFamily.IPV4, "192.0.2.1", "192.0.2.9")),
        Arguments.of(
            "an address twice", slice(AddressFamily.IPV4, "192.0.2.1", "192.0.2.2", "192.0.2.2")),
        Arguments.of("no address", slice(AddressFamily.IPV4)),
        Arguments.of(
            "one twice instead of both", slice(AddressFamily.IPV4, "192.0.2.1", "192.0.2.1")),
        Arguments.of(
            "an address is marked unready",
            ours(List.of(PORT), List.of(unready("192.0.2.1"), Endpoint.ready("192.0.2.2")))),
        Arguments.of(
            "another node is named",
            ours(
                List.of(PORT),
                List.of(
                    new Endpoint("192.0.2.1", true, Optional.of("x"), Optional.empty()),
                    Endpoint.ready("192.0.2.2")))),
        Arguments.of("another port number", ours(List.of(other), good.endpoints())),
        Arguments.of("no port", ours(List.of(), good.endpoints())),
        Arguments.of(
            "the same, and a field that we do not write",
            new EndpointSlice(
                good.name(),
                good.addressType(),
                good.labels(),
                good.ports(),
                good.endpoints(),
                good.resourceVersion(),
                Optional.of(Map.of("endpoints", List.of())))),
        Arguments.of("our labels are gone", labelled(good, Map.of("team", "platform"))),
        Arguments.of(
            "the Service's label is gone",
            labelled(good, Map.of(MANAGED_BY, "apiserver-updater"))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void differencesOfTheSlice(String situation, EndpointSlice present) {
    List<Change> changes = changes(SLICES_ONLY, state(TWO, present));
    assertEquals(
        List.of(new Change.Update(desiredSlice("192.0.2.1", "192.0.2.2"), "7")),
        changes,
        situation);
  }

  static List<Arguments> differencesOfTheEndpoints() {
    List<Endpoints.Subset> good = endpoints("192.0.2.1").subsets();
    return List.of(
        Arguments.of("another address", endpoints("192.0.2.9")),
        Arguments.of("no subset", present(SKIP_MIRROR, List.of())),
        Arguments.of(
            "a second subset",
            present(
                SKIP_MIRROR,
                List.of(
                    good.get(0), subset(ready("192.0.2.1"), List.of(new Port("x", 1, "TCP")))))),
        Arguments.of(
            "the address is marked unready",
            present(SKIP_MIRROR, List.of(subset(List.of(unready("192.0.2.1")), List.of(PORT))))),
        Arguments.of(
            "the same, and a field that we do not write",
            new Endpoints(
                "apiserver", SKIP_MIRROR, good, "8", Optional.of(Map.of("subsets", List.of())))),
        Arguments.of("mirroring is not skipped", present(Map.of(), good)),
        Arguments.of(
            "mirroring is not skipped by the label's value",
            present(Map.of("endpointslice.kubernetes.io/skip-mirror", "false"), good)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void differencesOfTheEndpoints(String situation, Endpoints present) {
    assertEquals(
        List.of(new Change.Update(desiredEndpoints("192.0.2.1"), "8")),
        changes(RULE, state(ONE, SLICE, present)),
        situation);
  }

  @Nested
  class Families {
    @Test
    void deletesOurSliceOfFamilyThatIsGone() {
      assertEquals(
          List.of(new Change.DeleteSlice("apiserver-ipv6", "7")),
          changes(SLICES_ONLY, state(ONE, SLICE, slice(AddressFamily.IPV6, "2001:db8::1"))));
    }

    /** The source still lists the family, so what is wanted of it is not nothing. */
    @Test
    void keepsWhatIsPublishedOfAFamilyWhoseAddressesAreAllUnusable() {
      List<EndpointSlice> source =
          List.of(source("IPv4", "192.0.2.1"), source("IPv6", "fe80::1%eth0"));
      EndpointSlice ipv6 = slice(AddressFamily.IPV6, "2001:db8::1");
      assertUpToDate(SLICES_ONLY, state(source, SLICE, ipv6));
      assertEquals(
          List.of(new Change.Create(desiredSlice("192.0.2.1"))),
          changes(SLICES_ONLY, state(source, ipv6)));
      Service ipv6First =
          new Service(
              "apiserver",
              "ClusterIP",
              Map.of(),
              "fd00:96::64",
              List.of(AddressFamily.IPV6, AddressFamily.IPV4),
              List.of(PORT));
      assertUpToDate(
          RULE, state(source, Optional.of(ipv6First), SLICE, ipv6, endpoints("2001:db8::1")));
    }

    @Test
    void leavesTheSliceOfNobodyWhereItsFamilyIsGone() {
      EndpointSlice unlabelled =
          labelled(slice(AddressFamily.IPV6, "2001:db8::1"), Map.of("team", "platform"));
      assertUpToDate(SLICES_ONLY, state(ONE, SLICE, unlabelled));
    }

    @Test
    void replacesSliceOfAnotherAddressTypeByDeletingItFirst() {
      EndpointSlice wrong =
          new EndpointSlice(
              "apiserver-ipv4", "IPv6", OURS, List.of(PORT), ready("2001:db8::1"), "7");
      assertEquals(
          List.of(new Change.DeleteSlice("apiserver-ipv4", "7")),
          changes(SLICES_ONLY, state(ONE, wrong)));
    }

    static List<Arguments> primaryFamilies() {
      return List.of(
          Arguments.of("IPv4 first", List.of(AddressFamily.IPV4, AddressFamily.IPV6), "192.0.2.1"),
          Arguments.of(
              "IPv6 first", List.of(AddressFamily.IPV6, AddressFamily.IPV4), "2001:db8::1"),
          Arguments.of("IPv6 alone", List.of(AddressFamily.IPV6), "2001:db8::1"),
          Arguments.of("none is said", List.of(), "192.0.2.1"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("primaryFamilies")
    void endpointsHoldThePrimaryFamily(
        String situation, List<AddressFamily> families, String expected) {
      Service service = service(Map.of(), families, PORT);
      List<Change> changes =
          changes(
              RULE,
              state(
                  List.of(source("IPv4", "192.0.2.1"), source("IPv6", "2001:db8::1")),
                  Optional.of(service)));
      DesiredObject.LegacyEndpoints legacy =
          assertInstanceOf(
              DesiredObject.LegacyEndpoints.class, changes.get(2).desired().orElseThrow());
      assertEquals(ready(expected), legacy.subset().endpoints(), situation);
    }

    @Test
    void endpointsHoldTheOtherFamilyWhenThePrimaryOneHasNoMember() {
      List<Change> changes = changes(RULE, state(List.of(source("IPv6", "2001:db8::1"))));
      assertEquals(Optional.of(desiredEndpoints("2001:db8::1")), changes.get(1).desired());
    }
  }

  @Nested
  class Ports {
    private List<Port> portsFor(Port... ports) {
      List<Change> changes = changes(RULE, state(ONE, Optional.of(serviceWith(ports))));
      List<Port> ofSlice = sliceIn(changes).ports();
      assertEquals(
          ofSlice.stream().sorted().toList(),
          endpointsIn(changes).subset().ports(),
          "both name the same ports");
      return ofSlice;
    }

    @Test
    void takesTheNameFromTheServiceAndTheNumberFromTheSource() {
      assertEquals(List.of(new Port("api", 6443, "TCP")), portsFor(new Port("api", 443, "TCP")));
    }

    @Test
    void pairsEachTcpPortOfTheService() {
      assertEquals(
          List.of(new Port("api", 6443, "TCP"), new Port("https", 6443, "TCP")),
          portsFor(
              new Port("api", 6443, "TCP"),
              new Port("quic", 6443, "UDP"),
              new Port("https", 443, "TCP")));
    }

    @Test
    void theOnlyPortMayHaveNoName() {
      assertEquals(List.of(new Port("", 6443, "TCP")), portsFor(new Port("", 6443, "TCP")));
    }
  }

  @Test
  void keepsAnUnreadyMemberListedAsUnready() {
    EndpointSlice source =
        ServedObjects.source(List.of(unready("192.0.2.1"), Endpoint.ready("192.0.2.2")));
    List<Change> changes = changes(RULE, state(List.of(source)));
    assertEquals(source.endpoints(), sliceIn(changes).endpoints());
    assertEquals(source.endpoints(), endpointsIn(changes).subset().endpoints());
  }

  @Test
  void leavesTheZoneOutOfTheEndpointsOnly() {
    Endpoint placed = new Endpoint("192.0.2.1", true, Optional.of("cp-1"), Optional.of("zone-a"));
    EndpointSlice source = ServedObjects.source(List.of(placed));
    List<Change> changes = changes(RULE, state(List.of(source)));
    assertEquals(List.of(placed), sliceIn(changes).endpoints());
    assertEquals(
        List.of(new Endpoint("192.0.2.1", true, Optional.of("cp-1"), Optional.empty())),
        endpointsIn(changes).subset().endpoints());
  }

  @Test
  void copiesNoLabelOfTheSource() {
    EndpointSlice source =
        new EndpointSlice(
            "kubernetes",
            "IPv4",
            Map.of(SERVICE_NAME, "kubernetes", "from", "source"),
            List.of(PORT),
            ready("192.0.2.1"),
            "1");
    changes(RULE, state(List.of(source)))
        .forEach(
            change ->
                assertFalse(change.desired().orElseThrow().labels().containsKey("from"), "label"));
  }

  private static Arguments refusal(String situation, ObservedState state, String... reasons) {
    return Arguments.of(situation, state, List.of(reasons));
  }

  static List<Arguments> refusals() {
    List<EndpointSlice> good = ONE;
    List<AddressFamily> ipv4 = List.of(AddressFamily.IPV4);
    Service external = new Service("apiserver", "ExternalName", Map.of(), "", List.of(), List.of());
    EndpointSlice mirrored =
        labelled(
            SLICE,
            Map.of(
                SERVICE_NAME, "apiserver", MANAGED_BY, "endpointslicemirroring-controller.k8s.io"));
    EndpointSlice elsewhere = labelled(SLICE, Map.of(SERVICE_NAME, "web"));
    return List.of(
        refusal("no source", state(List.of()), "EmptySource"),
        refusal(
            "no source, and a target that is still good",
            state(List.of(), SLICE, endpoints("192.0.2.1")),
            "EmptySource"),
        refusal(
            "an unclear source port",
            state(
                List.of(
                    new EndpointSlice(
                        "kubernetes", "IPv4", Map.of(), List.of(), ready("192.0.2.1"), "1"))),
            "SourcePortUnclear"),
        refusal("no Service", state(good, Optional.empty()), "MissingService"),
        refusal(
            "a Service with a selector",
            state(good, Optional.of(service(Map.of("app", "x"), ipv4, PORT))),
            "ServiceHasSelector"),
        refusal(
            "an ExternalName Service", state(good, Optional.of(external)), "ServiceIsExternalName"),
        refusal(
            "a Service without a TCP port",
            state(good, Optional.of(serviceWith(new Port("https", 6443, "UDP")))),
            "ServiceWithoutTcpPort"),
        refusal("another controller's slice", state(good, mirrored), "ForeignSlice"),
        refusal(
            "another controller's slice under the name of a family that is not even wanted",
            state(
                good, SLICE, labelled(slice(AddressFamily.IPV6, "2001:db8::1"), mirrored.labels())),
            "ForeignSlice"),
        refusal("another Service's slice", state(good, elsewhere), "SliceOfOtherService"),
        refusal(
            "a slice of another address type that a person made",
            state(
                good,
                new EndpointSlice(
                    "apiserver-ipv4", "IPv6", Map.of(), List.of(PORT), ready("2001:db8::1"), "7")),
            "SliceOfOtherAddressType"),
        refusal(
            "several at once",
            state(List.of(), Optional.of(service(Map.of("app", "x"), ipv4)), mirrored),
            "EmptySource",
            "ServiceHasSelector",
            "ServiceWithoutTcpPort",
            "ForeignSlice"),
        refusal(
            "neither source nor Service",
            state(List.of(), Optional.empty()),
            "EmptySource",
            "MissingService"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void refusals(String situation, ObservedState state, List<String> reasons) {
    assertEquals(reasons, refused(state).stream().map(Refusal::reason).toList(), situation);
    for (Refusal refusal : refused(state)) {
      assertFalse(refusal.message().isBlank(), situation);
      assertFalse(refusal.remedy().isBlank(), situation);
    }
  }

  @Test
  void refusesToEraseEveryEndpoint() {
    ObservedState emptied =
        state(
            List.of(new EndpointSlice("kubernetes", "IPv4", Map.of(), List.of(), List.of(), "2")),
            SLICE,
            endpoints("192.0.2.1"));
    Refusal refusal = refused(emptied).get(0);
    assertTrue(refusal.message().contains("default/kubernetes"), refusal.message());
    assertTrue(refusal.remedy().contains("last good state stays"), refusal.remedy());
  }

  @Test
  void decidesTheSameForTheSameStateInAnotherOrder() {
    List<EndpointSlice> sources =
        new ArrayList<>(
            List.of(
                source("IPv4", "192.0.2.1"),
                source("IPv4", "192.0.2.2"),
                source("IPv6", "2001:db8::1")));
    Decision first = decide(RULE, state(sources));
    Collections.reverse(sources);
    assertEquals(first, decide(RULE, state(sources)));
  }
}
