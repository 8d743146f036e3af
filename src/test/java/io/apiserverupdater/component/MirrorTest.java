package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.QUIET;
import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.sandbox.ApiResource;
import io.apiserverupdater.sandbox.Json;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("component")
@Tag("quick")
class MirrorTest extends OnOneCluster {
  private static final String READY = "\"conditions\":{\"ready\":true}";

  private final String user = Replicas.fresh("updater");

  @SuppressWarnings("NullAway") // JUnit starts the replicas before it makes an instance.
  private final String namespace = replicas.namespace();

  private static String[] all() {
    return cluster.runningAddresses().toArray(new String[0]);
  }

  /** A single replica, once the target is the source. */
  private UpdaterProcess mirroring() {
    UpdaterProcess updater = replicas.single(user, namespace);
    replicas.awaitMirrored(namespace, all());
    return updater;
  }

  private static boolean exists(ApiResource resource, String namespace, String name) {
    return cluster.store().get(resource, namespace, name).isPresent();
  }

  private static List<String> sixes(String namespace) {
    return cluster.sliceAddresses(namespace, "apiserver-ipv6");
  }

  /** As somebody else would. */
  private static void patch(ApiResource resource, String namespace, String name, String json) {
    cluster.store().patch(resource, namespace, name, json);
  }

  @Test
  void createsSliceAndEndpointsAndFollowsEachChange() throws Exception {
    UpdaterProcess updater = mirroring();
    JsonObject slice = replicas.slice(namespace);
    assertEquals("IPv4", Json.text(slice, "addressType"));
    assertEquals("apiserver", Json.text(slice, "metadata/labels/kubernetes.io~service-name"));
    assertEquals(
        "apiserver-updater",
        Json.text(slice, "metadata/labels/endpointslice.kubernetes.io~managed-by"));
    assertEquals("6443", Json.text(slice, "ports/0/port"));
    assertEquals("https", Json.text(slice, "ports/0/name"));
    assertEquals("true", Json.text(slice, "endpoints/0/conditions/ready"));
    JsonObject endpoints = cluster.store().require(ApiResource.ENDPOINTS, namespace, "apiserver");
    assertEquals(
        "true", Json.text(endpoints, "metadata/labels/endpointslice.kubernetes.io~skip-mirror"));

    for (int members = 1; members <= 5; members++) {
      String[] addresses = new String[members];
      for (int i = 0; i < members; i++) {
        addresses[i] = "10.0." + members + "." + i;
      }
      cluster.source().set(addresses);
      replicas.awaitMirrored(namespace, addresses);
    }
    assertTrue(updater.isAlive());
    assertEquals(List.of(), updater.log(" (WARN|ERROR) "));
  }

  @Test
  void manyChangesAtOnceEndRightWithFewWrites() {
    mirroring();
    long start = System.nanoTime();
    for (int i = 0; i < 500; i++) {
      cluster.source().set("10.1." + i / 250 + "." + (i % 250 + 1));
    }
    replicas.awaitMirrored(namespace, "10.1.1.250");
    assertTrue(
        replicas.writes(user, start).size() < 500,
        () -> replicas.writes(user, start).size() + " writes for 500 changes");
  }

  @Test
  void repairsWhatSomebodyElseEdits() {
    mirroring();
    List<String> edits =
        List.of(
            "{\"endpoints\":[{\"addresses\":[\"192.0.2.1\"],\"conditions\":{\"ready\":true}}]}",
            "{\"endpoints\":[]}",
            "{\"ports\":[{\"name\":\"wrong\",\"port\":1,\"protocol\":\"TCP\"}]}",
            "{\"metadata\":{\"labels\":{\"kubernetes.io/service-name\":null}}}",
            // Whose first address alone is used by kube-proxy.
            "{\"endpoints\":[{\"addresses\":[\"%s\"],\"conditions\":{\"ready\":true}}]}"
                .formatted(String.join("\",\"", all())),
            endpointsWith("\"conditions\":{\"ready\":true,\"serving\":false}"),
            endpointsWith("\"hints\":{\"forZones\":[{\"name\":\"a\"}]}"));
    for (String edit : edits) {
      patch(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv4", edit);
      awaitRight(namespace, edit);
    }
    patch(
        ApiResource.ENDPOINTS,
        namespace,
        "apiserver",
        "{\"subsets\":[{\"addresses\":[{\"ip\":\"192.0.2.1\"}],\"ports\":[{\"port\":1}]}]}");
    awaitRight(namespace, "Endpoints");
    patch(ApiResource.ENDPOINTS, namespace, "apiserver", "{\"subsets\":null}");
    awaitRight(namespace, "Endpoints without subsets");
  }

  /** All members, each with something that the updater has not written. */
  private static String endpointsWith(String more) {
    return cluster.runningAddresses().stream()
        .map(ip -> "{\"addresses\":[\"" + ip + "\"]," + more + "}")
        .collect(Collectors.joining(",", "{\"endpoints\":[", "]}"));
  }

  private static Set<JsonElement> endpoints(JsonObject slice) {
    return Set.copyOf(Json.arrayAt(slice, "endpoints").asList());
  }

  private static void awaitRight(String namespace, String after) {
    cluster.awaitTrue(
        "repaired after " + after,
        () -> {
          JsonObject slice = replicas.slice(namespace);
          return replicas.isMirrored(namespace, cluster.runningAddresses())
              && endpoints(slice).equals(endpoints(Json.parse(endpointsWith(READY))))
              && Json.text(slice, "ports/0/port").equals("6443")
              && Json.text(slice, "ports/0/name").equals("https")
              && Json.text(slice, "metadata/labels/kubernetes.io~service-name").equals("apiserver");
        });
  }

  @Test
  void repairsWhatSomebodyElseDeletesWithinASecond() {
    mirroring();
    long best = Long.MAX_VALUE;
    // The machine may be busy with something else meanwhile: one turn that is quick proves it.
    for (int i = 0; i < 3; i++) {
      long start = System.nanoTime();
      cluster.store().delete(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv4");
      replicas.awaitMirrored(namespace, all());
      cluster.store().delete(ApiResource.ENDPOINTS, namespace, "apiserver");
      replicas.awaitMirrored(namespace, all());
      best = Math.min(best, lastWrite(start));
    }
    assertTrue(best < TimeUnit.SECONDS.toNanos(1), "repaired after " + best + " ns");
  }

  /** How long after a moment the updater wrote last. */
  private long lastWrite(long since) {
    return replicas.writes(user, since).stream()
        .mapToLong(write -> write.nanoTime() - since)
        .max()
        .orElseThrow();
  }

  @Test
  void writesNothingWhenNothingDiffersAlsoAfterARestart() throws Exception {
    UpdaterProcess first = mirroring();
    assertEquals(0, first.stop());
    long quiet = System.nanoTime();

    UpdaterProcess second = replicas.single(user, namespace);
    second.awaitLog("target=" + namespace + "/apiserver ", SOON);
    // Neither does a change that makes no difference to the target.
    patch(
        ApiResource.ENDPOINT_SLICES,
        "default",
        "kubernetes",
        "{\"metadata\":{\"annotations\":{\"seen\":\"yes\"}}}");
    patch(
        ApiResource.SERVICES,
        namespace,
        "apiserver",
        "{\"metadata\":{\"annotations\":{\"seen\":\"yes\"}}}");
    cluster.awaitNever("a write", QUIET, () -> !replicas.writes(user, quiet).isEmpty());
  }

  @Test
  void mirrorsIpv6Alone() {
    cluster.source().set(List.of(), List.of("fd00::1", "fd00::2"));
    replicas.single(user, namespace);
    cluster.awaitTrue(
        "IPv6 in slice and Endpoints",
        () ->
            sixes(namespace).equals(List.of("fd00::1", "fd00::2"))
                && cluster
                    .endpointsAddresses(namespace, "apiserver")
                    .equals(List.of("fd00::1", "fd00::2")));
    assertFalse(exists(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv4"));

    // The control planes change their family: the slice of the old one goes.
    cluster.source().set("10.0.0.1");
    cluster.awaitTrue(
        "IPv4 alone",
        () ->
            !exists(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv6")
                && replicas.isMirrored(namespace, List.of("10.0.0.1")));
  }

  @Test
  void mirrorsBothFamiliesAndRemovesTheSliceOfOneThatIsGone() {
    createSource(namespace, "dual-4", "dual", "IPv4", "10.0.0.1");
    createSource(namespace, "dual-6", "dual", "IPv6", "fd00::1");
    replicas.single(user, namespace, "--source=" + namespace + "/dual");
    cluster.awaitTrue(
        "both",
        () ->
            sixes(namespace).equals(List.of("fd00::1"))
                && replicas.isMirrored(namespace, List.of("10.0.0.1")));
    cluster.store().delete(ApiResource.ENDPOINT_SLICES, namespace, "dual-6");
    cluster.awaitTrue(
        "its slice is removed",
        () -> !exists(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv6"));
    assertTrue(replicas.isMirrored(namespace, List.of("10.0.0.1")));
  }

  /** A slice of a source Service. */
  private static void createSource(
      String namespace, String name, String service, String family, String address) {
    String slice =
        """
        {"metadata":{"name":"%s","labels":{"kubernetes.io/service-name":"%s"}},
         "addressType":"%s","ports":[{"name":"https","port":6443,"protocol":"TCP"}],
         "endpoints":[{"addresses":["%s"],"conditions":{"ready":true}}]}
        """;
    cluster
        .store()
        .create(
            ApiResource.ENDPOINT_SLICES,
            namespace,
            slice.formatted(name, service, family, address));
  }

  @Test
  void takesAnotherSourceAndAnotherService() {
    String namespace = replicas.emptyNamespace();
    cluster.createApiserverService(namespace, "front", "10.96.0.65");
    String slice =
        """
        {"metadata":{"name":"elsewhere-x1","labels":{"kubernetes.io/service-name":"elsewhere"}},
         "addressType":"IPv4","ports":[{"name":"https","port":7443,"protocol":"TCP"}],
         "endpoints":[{"addresses":["10.7.0.1"],"conditions":{"ready":true}}]}
        """;
    cluster.store().create(ApiResource.ENDPOINT_SLICES, namespace, slice);
    replicas.single(user, namespace, "--source=" + namespace + "/elsewhere", "--service=front");
    cluster.awaitTrue(
        "mirrored",
        () ->
            cluster.sliceAddresses(namespace, "front-ipv4").equals(List.of("10.7.0.1"))
                && cluster.endpointsAddresses(namespace, "front").equals(List.of("10.7.0.1")));
    assertEquals(
        "7443",
        Json.text(
            cluster.store().require(ApiResource.ENDPOINT_SLICES, namespace, "front-ipv4"),
            "ports/0/port"));
    assertFalse(exists(ApiResource.ENDPOINTS, namespace, "apiserver"));
  }

  @Test
  void leavesTheEndpointsAloneWhenToldTo() {
    replicas.single(user, namespace, "--write-endpoints=false");
    cluster.awaitTrue(
        "slice",
        () ->
            cluster
                .sliceAddresses(namespace, "apiserver-ipv4")
                .equals(cluster.runningAddresses().stream().sorted().toList()));
    cluster.awaitNever(
        "Endpoints", QUIET, () -> exists(ApiResource.ENDPOINTS, namespace, "apiserver"));
    assertEquals(
        List.of(),
        cluster.audit().of(user).stream()
            .filter(e -> e.request().resource().equals("endpoints"))
            .toList());
  }

  @Test
  void takesThePortsNameFromTheServiceAlsoWhenItChanges() {
    mirroring();
    patch(
        ApiResource.SERVICES,
        namespace,
        "apiserver",
        "{\"spec\":{\"ports\":[{\"name\":\"api\",\"port\":443,\"protocol\":\"TCP\"}]}}");
    cluster.awaitTrue(
        "the new name, and the port of the source",
        () -> {
          JsonObject slice = replicas.slice(namespace);
          JsonObject endpoints =
              cluster.store().require(ApiResource.ENDPOINTS, namespace, "apiserver");
          return Json.text(slice, "ports/0/name").equals("api")
              && Json.text(slice, "ports/0/port").equals("6443")
              && Json.text(endpoints, "subsets/0/ports/0/name").equals("api");
        });
  }

  @Test
  void keepsForeignLabelsAndAnnotationsAndNeverCopiesTheSources() {
    mirroring();
    String foreign =
        "{\"metadata\":{\"labels\":{\"team\":\"a\"},\"annotations\":{\"note\":\"keep\"}}}";
    patch(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv4", foreign);
    patch(ApiResource.ENDPOINTS, namespace, "apiserver", foreign);
    patch(
        ApiResource.ENDPOINT_SLICES,
        "default",
        "kubernetes",
        "{\"metadata\":{\"labels\":{\"source\":\"only\"}}}");
    cluster.source().set("10.0.0.9");
    replicas.awaitMirrored(namespace, "10.0.0.9");
    for (JsonObject object :
        List.of(
            replicas.slice(namespace),
            cluster.store().require(ApiResource.ENDPOINTS, namespace, "apiserver"))) {
      assertEquals("a", Json.text(object, "metadata/labels/team"));
      assertEquals("keep", Json.text(object, "metadata/annotations/note"));
      assertEquals("", Json.text(object, "metadata/labels/source"));
    }
  }

  @Test
  void waitsForAMissingServiceAndActsWithinASecondOfItsCreation() throws Exception {
    String namespace = replicas.emptyNamespace();
    UpdaterProcess updater = replicas.single(user, namespace);
    updater.awaitLog("refused=MissingService", SOON);
    assertFalse(exists(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv4"));
    long best = Long.MAX_VALUE;
    for (int i = 1; i <= 3; i++) {
      long created = System.nanoTime();
      cluster.createApiserverService(namespace, "apiserver", "10.96.0.64");
      replicas.awaitMirrored(namespace, all());
      best = Math.min(best, lastWrite(created));
      int mark = updater.logSize();
      cluster.store().delete(ApiResource.SERVICES, namespace, "apiserver");
      updater.awaitLog(mark, "refused=MissingService", SOON);
      assertEquals(i + 1, updater.log("refused=MissingService").size(), updater::logText);
      assertEquals(i, updater.log("refused=none").size(), updater::logText);
      cluster.store().delete(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv4");
      cluster.store().delete(ApiResource.ENDPOINTS, namespace, "apiserver");
    }
    assertTrue(best < TimeUnit.SECONDS.toNanos(1), "acted after " + best + " ns");
  }

  @Test
  void keepsTheLastGoodStateWhenTheSourceIsEmptyOrGone() throws Exception {
    UpdaterProcess updater = replicas.single(user, namespace);
    cluster.source().set("10.0.0.1", "10.0.0.2");
    replicas.awaitMirrored(namespace, "10.0.0.1", "10.0.0.2");
    updater.awaitLog("target=.*10.0.0.1,10.0.0.2", SOON); // The slice's write is answered.
    cluster.awaitTrue(
        "the answer to the Endpoints object's write, which comes after the slice's",
        () ->
            replicas.writes(user, 0).stream()
                .reduce((earlier, later) -> later)
                .filter(last -> last.request().resource().equals("endpoints"))
                .isPresent());
    long emptied = System.nanoTime();
    cluster.source().setEmpty();
    updater.awaitLog("refused=EmptySource", SOON);
    cluster.source().deleteAll();
    cluster.awaitNever("a write", QUIET, () -> !replicas.writes(user, emptied).isEmpty());
    assertEquals(1, updater.log("refused=EmptySource").size(), updater::logText);
    assertTrue(replicas.isMirrored(namespace, List.of("10.0.0.1", "10.0.0.2")));

    cluster.source().set("10.0.0.3");
    replicas.awaitMirrored(namespace, "10.0.0.3");
    updater.awaitLog("refused=none", SOON);
  }

  /** As with an endpoint writer of its own: k0s with an external address has one. */
  @Test
  void findsTheSourceByItsLabelWhereNoSliceHasItsName() throws Exception {
    cluster.source().deleteAll();
    createSource("default", "kubernetes-nw6h9", "kubernetes", "IPv4", "10.0.0.1");
    try {
      replicas.single(user, namespace);
      replicas.awaitMirrored(namespace, "10.0.0.1");
      patch(
          ApiResource.ENDPOINT_SLICES,
          "default",
          "kubernetes-nw6h9",
          "{\"endpoints\":[{\"addresses\":[\"10.0.0.2\"]}]}");
      replicas.awaitMirrored(namespace, "10.0.0.2");

      String bound = Replicas.fresh("bound");
      cluster.access().deny(bound, "list", "endpointslices", "default", "");
      UpdaterProcess byName = replicas.single(bound, replicas.namespace());
      byName.awaitLog("refused=EmptySource .*remedy=.*resourceNames", SOON);
    } finally {
      cluster.store().delete(ApiResource.ENDPOINT_SLICES, "default", "kubernetes-nw6h9");
    }
  }

  @Test
  void passesOverAnotherServicesSliceOfTheSourcesName() throws Exception {
    cluster.source().deleteAll();
    createSource("default", "kubernetes", "dns", "IPv4", "10.0.0.8");
    createSource("default", "kubernetes-nw6h9", "kubernetes", "IPv4", "10.0.0.1");
    try {
      replicas.single(user, namespace);
      replicas.awaitMirrored(namespace, "10.0.0.1");
    } finally {
      cluster.store().delete(ApiResource.ENDPOINT_SLICES, "default", "kubernetes");
      cluster.store().delete(ApiResource.ENDPOINT_SLICES, "default", "kubernetes-nw6h9");
    }
  }

  @Test
  void refusesAServiceWithASelectorUntilItIsGone() throws Exception {
    String namespace = replicas.emptyNamespace();
    cluster.createApiserverService(namespace, "apiserver", "10.96.0.64");
    patch(
        ApiResource.SERVICES,
        namespace,
        "apiserver",
        "{\"spec\":{\"selector\":{\"app\":\"mine\"}}}");
    long start = System.nanoTime();
    UpdaterProcess updater = replicas.single(user, namespace);
    updater.awaitLog("refused=ServiceHasSelector .*app=mine", SOON);
    cluster.source().set("10.0.0.1");
    cluster.awaitNever("a write", QUIET, () -> !replicas.writes(user, start).isEmpty());
    assertEquals(1, updater.log("refused=").size(), updater::logText);

    patch(ApiResource.SERVICES, namespace, "apiserver", "{\"spec\":{\"selector\":null}}");
    replicas.awaitMirrored(namespace, "10.0.0.1");
  }

  @Test
  void refusesASliceOfAnotherControllerUntilItIsGone() throws Exception {
    String foreign =
        """
        {"metadata":{"name":"apiserver-ipv4","labels":{
           "kubernetes.io/service-name":"apiserver",
           "endpointslice.kubernetes.io/managed-by":"somebody.example.com"}},
         "addressType":"IPv4","ports":[],
         "endpoints":[{"addresses":["192.0.2.7"],"conditions":{"ready":true}}]}
        """;
    cluster.store().create(ApiResource.ENDPOINT_SLICES, namespace, foreign);
    long start = System.nanoTime();
    UpdaterProcess updater = replicas.single(user, namespace);
    updater.awaitLog("refused=ForeignSlice .*somebody.example.com", SOON);
    cluster.awaitNever("a write", QUIET, () -> !replicas.writes(user, start).isEmpty());
    assertEquals(1, updater.log("refused=").size(), updater::logText);
    cluster.store().delete(ApiResource.ENDPOINT_SLICES, namespace, "apiserver-ipv4");
    replicas.awaitMirrored(namespace, all());
  }

  @Test
  void writesASliceAnewWhoseFamilyIsWrong() {
    JsonObject wrong =
        Json.parse(
            """
            {"metadata":{"name":"apiserver-ipv4","labels":{
               "kubernetes.io/service-name":"apiserver",
               "endpointslice.kubernetes.io/managed-by":"apiserver-updater"}},
             "addressType":"IPv6",
             "endpoints":[{"addresses":["fd00::9"],"conditions":{"ready":true}}]}
            """);
    wrong.add("ports", new JsonArray());
    cluster.store().create(ApiResource.ENDPOINT_SLICES, namespace, wrong);
    mirroring();
    assertEquals("IPv4", Json.text(replicas.slice(namespace), "addressType"));
  }
}
