package io.apiserverupdater.updater.endpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Random sources and targets against a model of the API server that holds a few objects. */
class MirrorRuleModelTest {
  private static final TargetName TARGET = new TargetName("kube-system", "apiserver");
  private static final int SEEDS = 3000;

  /** The target's objects, with the manners of an API server: versions, and any order. */
  private static final class ModelApi {
    private final Random random;
    private final Map<AddressFamily, EndpointSlice> slices = new EnumMap<>(AddressFamily.class);
    private Optional<Endpoints> endpoints = Optional.empty();
    private long version = 100;

    ModelApi(Random random) {
      this.random = random;
    }

    void apply(Change change) {
      version++;
      if (change instanceof Change.DeleteSlice delete) {
        EndpointSlice current = slices.remove(familyOf(delete.name()));
        assertEquals(
            delete.resourceVersion(), current == null ? "absent" : current.resourceVersion());
        return;
      }
      DesiredObject desired = change.desired().orElseThrow();
      if (desired instanceof DesiredObject.Slice slice) {
        EndpointSlice current = slices.get(slice.family());
        checkVersion(change, Optional.ofNullable(current).map(EndpointSlice::resourceVersion));
        assertTrue(
            current == null || current.addressType().equals(slice.family().addressType()),
            "an address type is immutable");
        slices.put(
            slice.family(),
            new EndpointSlice(
                slice.name(),
                slice.family().addressType(),
                merged(current == null ? Map.of() : current.labels(), slice.labels()),
                shuffled(slice.ports()),
                shuffled(slice.endpoints()),
                Long.toString(version)));
        return;
      }
      DesiredObject.LegacyEndpoints legacy = (DesiredObject.LegacyEndpoints) desired;
      checkVersion(change, endpoints.map(Endpoints::resourceVersion));
      endpoints =
          Optional.of(
              new Endpoints(
                  legacy.name(),
                  merged(endpoints.map(Endpoints::labels).orElse(Map.of()), legacy.labels()),
                  List.of(legacy.subset()),
                  Long.toString(version)));
    }

    Decision decide(MirrorRule rule, List<EndpointSlice> source, Optional<Service> service) {
      return MirrorRuleTest.decide(rule, new ObservedState(source, service, slices, endpoints));
    }

    private static void checkVersion(Change change, Optional<String> current) {
      Optional<String> named =
          change instanceof Change.Update update
              ? Optional.of(update.resourceVersion())
              : Optional.empty();
      assertEquals(current, named, "a create finds nothing, an update names what is there");
    }

    private static Map<String, String> merged(Map<String, String> a, Map<String, String> b) {
      Map<String, String> all = new HashMap<>(a);
      all.putAll(b);
      return all;
    }

    <T> List<T> shuffled(List<T> list) {
      List<T> copy = new ArrayList<>(list);
      Collections.shuffle(copy, random);
      return copy;
    }
  }

  private static AddressFamily familyOf(String sliceName) {
    return sliceName.endsWith("-ipv6") ? AddressFamily.IPV6 : AddressFamily.IPV4;
  }

  private static Endpoint randomEndpoint(Random random, String type) {
    String address =
        type.equals("IPv6") ? "2001:db8::" + random.nextInt(6) : "192.0.2." + random.nextInt(6);
    return new Endpoint(
        address,
        random.nextInt(4) > 0,
        random.nextBoolean() ? Optional.of("cp-" + random.nextInt(3)) : Optional.empty(),
        random.nextBoolean() ? Optional.of("zone-" + random.nextInt(2)) : Optional.empty());
  }

  private static EndpointSlice randomSlice(Random random, String name, Map<String, String> labels) {
    String type = List.of("IPv4", "IPv4", "IPv6", "FQDN").get(random.nextInt(4));
    List<Endpoint> endpoints =
        Stream.generate(() -> randomEndpoint(random, type)).limit(random.nextInt(4)).toList();
    List<Port> ports = new ArrayList<>();
    ports.add(new Port("https", random.nextInt(20) == 0 ? 443 : 6443, "TCP"));
    if (random.nextInt(4) == 0) {
      ports.add(new Port("metrics", 9090, "TCP"));
    }
    return new EndpointSlice(name, type, labels, ports, endpoints, "" + random.nextInt(50));
  }

  private static List<EndpointSlice> randomSource(Random random) {
    List<EndpointSlice> slices = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      slices.add(randomSlice(random, "kubernetes-" + i, Map.of()));
    }
    return slices;
  }

  private static Service randomService(Random random) {
    List<AddressFamily> families = new ArrayList<>(List.of(AddressFamily.values()));
    Collections.shuffle(families, random);
    List<Port> ports = new ArrayList<>();
    ports.add(new Port("https", 6443, "TCP"));
    if (random.nextBoolean()) {
      ports.add(new Port("api", 443, "TCP"));
    }
    return new Service(
        "apiserver",
        "ClusterIP",
        Map.of(),
        "10.96.0.64",
        families.subList(0, random.nextInt(3)),
        ports);
  }

  private static void randomTarget(Random random, ModelApi api) {
    for (AddressFamily family : AddressFamily.values()) {
      if (random.nextBoolean()) {
        Map<String, String> labels = new HashMap<>();
        if (random.nextInt(3) > 0) {
          labels.put(EndpointSlice.MANAGED_BY_LABEL, MirrorRule.MANAGER);
        }
        if (random.nextInt(3) > 0) {
          labels.put(EndpointSlice.SERVICE_NAME_LABEL, "apiserver");
        }
        labels.put("team", "platform");
        api.slices.put(family, randomSlice(random, TARGET.slice(family), labels));
      }
    }
    if (random.nextBoolean()) {
      Endpoints.Subset subset =
          new Endpoints.Subset(
              List.of(randomEndpoint(random, "IPv4")), List.of(new Port("https", 6443, "TCP")));
      api.endpoints =
          Optional.of(new Endpoints("apiserver", Map.of("a", "b"), List.of(subset), "3"));
    }
  }

  @Test
  void whatWasDecidedLeavesNothingMoreToDo() {
    int applied = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
      Random random = new Random(seed);
      ModelApi api = new ModelApi(random);
      randomTarget(random, api);
      List<EndpointSlice> source = randomSource(random);
      Optional<Service> service = Optional.of(randomService(random));
      MirrorRule rule = new MirrorRule("default/kubernetes", TARGET, random.nextBoolean());
      String story = "seed " + seed;

      Decision decision = api.decide(rule, source, service);
      // A slice of the wrong address type goes first and comes back right in the second round.
      for (int round = 0; round < 2 && decision instanceof Decision.Apply apply; round++) {
        applied++;
        assertFalse(apply.changes().isEmpty(), story);
        apply.changes().forEach(api::apply);
        decision = api.decide(rule, api.shuffled(source), service);
      }
      if (decision instanceof Decision.Refuse) {
        continue;
      }
      assertInstanceOf(Decision.UpToDate.class, decision, story);
      checkTarget(rule, source, service.orElseThrow(), api, story);
    }
    assertTrue(applied > SEEDS / 4, "the seeds reach the rule: " + applied);
  }

  private static void checkTarget(
      MirrorRule rule, List<EndpointSlice> source, Service service, ModelApi api, String story) {
    Set<String> addresses = new HashSet<>();
    for (AddressFamily family : AddressFamily.values()) {
      Set<String> expected = addresses(source, family);
      addresses.addAll(expected);
      EndpointSlice slice = api.slices.get(family);
      if (expected.isEmpty()) {
        assertTrue(slice == null || slice.managedBy().isEmpty(), story);
        continue;
      }
      if (slice == null) {
        throw new AssertionError(story + ": no slice for " + family);
      }
      assertEquals(
          expected,
          slice.endpoints().stream().map(Endpoint::address).collect(Collectors.toSet()),
          story);
      assertEquals(service.ports().size(), slice.ports().size(), story);
      assertEquals(Optional.of(MirrorRule.MANAGER), slice.managedBy(), story);
      assertEquals(Optional.of("apiserver"), slice.serviceName(), story);
    }
    assertFalse(addresses.isEmpty(), story + ": an empty source is never mirrored");
    if (rule.writeEndpoints()) {
      assertFalse(api.endpoints.orElseThrow().subsets().get(0).endpoints().isEmpty(), story);
    }
  }

  private static Set<String> addresses(List<EndpointSlice> source, AddressFamily family) {
    return source.stream()
        .filter(slice -> slice.addressType().equals(family.addressType()))
        .flatMap(slice -> slice.endpoints().stream())
        .map(Endpoint::address)
        .collect(Collectors.toSet());
  }

  @Test
  void neverEmptiesTheTargetWhateverTheSourceTurnsInto() {
    for (int seed = 0; seed < SEEDS; seed++) {
      Random random = new Random(seed);
      ModelApi api = new ModelApi(random);
      Optional<Service> service = Optional.of(randomService(random));
      MirrorRule rule = new MirrorRule("default/kubernetes", TARGET, true);
      boolean published = false;
      for (int step = 0; step < 6; step++) {
        List<EndpointSlice> source = randomSource(random);
        Decision decision = api.decide(rule, source, service);
        if (decision instanceof Decision.Apply apply) {
          apply.changes().forEach(api::apply);
          published = true;
        }
        if (published) {
          String story = "seed " + seed + " step " + step;
          assertTrue(
              api.slices.values().stream().anyMatch(slice -> !slice.endpoints().isEmpty()), story);
          assertFalse(api.endpoints.orElseThrow().subsets().get(0).endpoints().isEmpty(), story);
        }
      }
    }
  }
}
