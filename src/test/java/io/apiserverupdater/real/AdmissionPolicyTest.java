package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.lab.AdminClient;
import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.sandbox.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The component {@code deploy/kustomize/components/admission-policy}: what the Roles grant, to the
 * updater's own writes and to nothing else that the holder of its token may think of.
 */
@Tag("real")
@Timeout(180)
class AdmissionPolicyTest {
  @RegisterExtension
  static final UpdaterCluster cluster =
      new UpdaterCluster(Lab.builder("admission").controlPlanes(1));

  /** Nothing is stored by such a request; admission is asked all the same. */
  private static final String DRY_RUN = "?dryRun=All";

  private static final String IDENTITY = "apiserver.kubernetes.io/identity";

  /** A kind of object that the updater writes, as it writes it. */
  private enum Kind {
    SLICE(
        UpdaterCluster.SLICES,
        """
        {"metadata": {"name": "apiserver-ipv4", "labels": {
           "kubernetes.io/service-name": "apiserver",
           "endpointslice.kubernetes.io/managed-by": "apiserver-updater"}},
         "addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}],
         "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}]}
        """),
    ENDPOINTS(
        UpdaterCluster.ENDPOINTS,
        """
        {"metadata": {"name": "apiserver",
           "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
         "subsets": [{"addresses": [{"ip": "192.0.2.1"}],
                      "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}]}]}
        """),
    LEASE(
        UpdaterCluster.LEASES,
        """
        {"metadata": {"name": "apiserver-updater"},
         "spec": {"holderIdentity": "a", "leaseDurationSeconds": 4}}
        """),
    EVENT(
        UpdaterCluster.EVENTS,
        """
        {"metadata": {"name": "apiserver.1"}, "reason": "A", "type": "Normal", "message": "a",
         "involvedObject": {"kind": "Service", "namespace": "kube-system", "name": "apiserver"}}
        """);

    private final String collection;
    private final String own;

    Kind(String collection, String own) {
      this.collection = collection;
      this.own = own;
    }
  }

  /** A merge patch that makes a forbidden object of one of ours, and what the refusal says. */
  private record Forbidden(Kind kind, String patch, String refusal) {
    static Forbidden slice(String patch, String refusal) {
      return new Forbidden(Kind.SLICE, patch, refusal);
    }

    static Forbidden sliceLabel(String label, String refusal) {
      return slice("{\"metadata\": {\"labels\": {%s}}}".formatted(label), refusal);
    }

    static Forbidden slicePorts(String ports) {
      return slice("{\"ports\": %s}".formatted(ports), "one TCP port");
    }

    static Forbidden endpointsLabels(String labels) {
      return new Forbidden(
          Kind.ENDPOINTS,
          "{\"metadata\": {\"labels\": %s}}".formatted(labels),
          "mirrored to further slices");
    }

    static Forbidden subsets(String subsets) {
      return new Forbidden(Kind.ENDPOINTS, "{\"subsets\": %s}".formatted(subsets), "one TCP port");
    }

    static Forbidden event(String patch) {
      return new Forbidden(Kind.EVENT, patch, "anything but its own Service");
    }

    JsonObject madeOf(JsonObject own) {
      JsonObject made = own.deepCopy();
      merge(made, JsonParser.parseString(patch).getAsJsonObject());
      return made;
    }

    /** As RFC 7386 says. */
    private static void merge(JsonObject target, JsonObject patch) {
      patch
          .entrySet()
          .forEach(
              entry -> {
                JsonElement old = target.get(entry.getKey());
                if (entry.getValue().isJsonNull()) {
                  target.remove(entry.getKey());
                } else if (entry.getValue().isJsonObject() && old != null && old.isJsonObject()) {
                  merge(old.getAsJsonObject(), entry.getValue().getAsJsonObject());
                } else {
                  target.add(entry.getKey(), entry.getValue());
                }
              });
    }
  }

  private static final List<Forbidden> FORBIDDEN =
      List.of(
          // kube-proxy would send a part of the cluster's DNS to these addresses.
          Forbidden.sliceLabel("\"kubernetes.io/service-name\": \"kube-dns\"", "another Service"),
          Forbidden.sliceLabel("\"kubernetes.io/service-name\": null", "another Service"),
          Forbidden.slice("{\"metadata\": {\"labels\": null}}", "another Service"),
          Forbidden.sliceLabel(
              "\"endpointslice.kubernetes.io/managed-by\": \"endpointslice-controller.k8s.io\"",
              "another manager"),
          Forbidden.sliceLabel(
              "\"endpointslice.kubernetes.io/managed-by\": null", "another manager"),
          Forbidden.slicePorts("[]"),
          Forbidden.slicePorts("null"),
          Forbidden.slicePorts("[{\"name\": \"https\"}]"),
          Forbidden.slicePorts("[{\"name\": \"https\", \"port\": 6443, \"protocol\": \"UDP\"}]"),
          Forbidden.slicePorts(
              "[{\"name\": \"https\", \"port\": 6443}, {\"name\": \"dns\", \"port\": 53}]"),
          Forbidden.endpointsLabels("null"),
          Forbidden.endpointsLabels("{\"endpointslice.kubernetes.io/skip-mirror\": \"false\"}"),
          Forbidden.subsets("null"),
          Forbidden.subsets("[{\"addresses\": [{\"ip\": \"192.0.2.1\"}]}]"),
          Forbidden.subsets(
              "[{\"addresses\": [{\"ip\": \"192.0.2.1\"}],"
                  + " \"ports\": [{\"port\": 53, \"protocol\": \"UDP\"}]}]"),
          Forbidden.subsets(
              "[{\"addresses\": [{\"ip\": \"192.0.2.1\"}], \"ports\":"
                  + " [{\"name\": \"https\", \"port\": 6443}, {\"name\": \"dns\", \"port\": 53}]}]"),
          Forbidden.subsets(
              "[{\"addresses\": [{\"ip\": \"192.0.2.1\"}], \"ports\": [{\"port\": 6443}]},"
                  + " {\"addresses\": [{\"ip\": \"192.0.2.2\"}], \"ports\": [{\"port\": 53}]}]"),
          new Forbidden(
              Kind.LEASE,
              "{\"metadata\": {\"labels\": {\"%s\": \"kube-apiserver\"}}}".formatted(IDENTITY),
              "Lease of an apiserver"),
          Forbidden.event("{\"involvedObject\": {\"name\": \"kube-dns\"}}"),
          Forbidden.event("{\"involvedObject\": {\"kind\": \"Pod\"}}"));

  private static AdminClient account;

  @BeforeAll
  static void applyThePolicy() {
    cluster
        .lab()
        .kubectl()
        .run("apply", "-f", "deploy/kustomize/components/admission-policy/policy.yaml")
        .orThrow();
    account =
        cluster.admin().withToken(cluster.lab().requestToken("kube-system", "apiserver-updater"));
    // The apiserver takes a moment to learn of it.
    for (Kind kind : Kind.values()) {
      Deadline.in(Duration.ofSeconds(30))
          .await(
              "a refusal of a stranger's name in " + kind.collection,
              () -> create(kind, strangers(kind)).text().contains("but its own"));
    }
  }

  private static JsonObject own(Kind kind) {
    return JsonParser.parseString(kind.own).getAsJsonObject();
  }

  /** By the name of the object, or of what an Event is about. */
  private static JsonObject strangers(Kind kind) {
    JsonObject object = own(kind);
    object
        .getAsJsonObject(kind == Kind.EVENT ? "involvedObject" : "metadata")
        .addProperty("name", "other");
    return object;
  }

  private static AdminClient.Answer create(Kind kind, JsonObject object) {
    return account.request(
        "POST", kind.collection + DRY_RUN, "application/json", object.toString());
  }

  private static AdminClient.Answer update(Kind kind, JsonObject object) {
    String name = Json.text(object, "metadata/name");
    // Of Events it may change fields only.
    boolean patch = kind == Kind.EVENT;
    return account.request(
        patch ? "PATCH" : "PUT",
        kind.collection + "/" + name + DRY_RUN,
        patch ? "application/merge-patch+json" : "application/json",
        object.toString());
  }

  @Test
  void refusesToChangeAnEventAboutAnythingElse() {
    cluster.admin().create(UpdaterCluster.EVENTS, strangers(Kind.EVENT));
    AdminClient.Answer answer = update(Kind.EVENT, own(Kind.EVENT));
    assertTrue(answer.text().contains("anything but its own Service"), answer.text());
  }

  @Test
  void refusesToCreateAnythingElse() {
    for (Kind kind : Kind.values()) {
      assertEquals(201, create(kind, own(kind)).status(), kind + " as the updater writes it");
    }
    assertEquals(
        List.of(),
        FORBIDDEN.stream()
            .flatMap(
                forbidden ->
                    notRefused(
                        forbidden,
                        create(forbidden.kind(), forbidden.madeOf(own(forbidden.kind())))))
            .toList(),
        "created");
  }

  @Test
  void refusesToMakeAnythingElseOfItsOwn() {
    for (Kind kind : Kind.values()) {
      cluster.admin().create(kind.collection, own(kind));
      AdminClient.Answer same = update(kind, stored(kind));
      assertEquals(200, same.status(), same.text());
    }
    assertEquals(
        List.of(),
        FORBIDDEN.stream()
            .flatMap(
                forbidden ->
                    notRefused(
                        forbidden,
                        update(forbidden.kind(), forbidden.madeOf(stored(forbidden.kind())))))
            .toList(),
        "updated");
  }

  private static JsonObject stored(Kind kind) {
    return cluster.admin().get(kind.collection + "/" + Json.text(own(kind), "metadata/name"));
  }

  /** What was sent and answered, unless that is the refusal that was expected. */
  private static Stream<String> notRefused(Forbidden forbidden, AdminClient.Answer answer) {
    boolean refused =
        !answer.ok()
            && answer.text().contains("ValidatingAdmissionPolicy")
            && answer.text().contains(forbidden.refusal());
    return refused ? Stream.empty() : Stream.of(forbidden + ": " + answer.text());
  }

  /** Each write that the updater may ever have to make; it sees a refusal of any of them as 422. */
  @Test
  void acceptsEachWriteOfTheUpdater() {
    Instant begin = Instant.now();
    cluster.startBothAndAwaitTarget();
    String slice = UpdaterCluster.SLICES + "/" + UpdaterCluster.SLICE;
    String endpoints = UpdaterCluster.ENDPOINTS + "/" + UpdaterCluster.SERVICE;
    cluster.admin().patch(slice, "{\"metadata\": {\"labels\": null}, \"endpoints\": []}");
    cluster.awaitTarget();
    cluster.admin().patch(endpoints, "{\"metadata\": {\"labels\": null}, \"subsets\": null}");
    cluster.awaitTarget();
    cluster
        .admin()
        .create(
            UpdaterCluster.SLICES,
            own(Kind.SLICE)
                .toString()
                .replace("-ipv4", "-ipv6")
                .replace("IPv4", "IPv6")
                .replace("192.0.2.1", "2001:db8::1"));
    cluster.awaitTarget();
    withASecondPort();
    cluster.awaitRenewals(2);
    cluster.awaitEvent("LeaderElected", 1);

    List<AuditEntry> writes =
        cluster.auditOfUpdaters(begin).stream().filter(AuditEntry::isWrite).toList();
    assertEquals(
        List.of(),
        writes.stream().filter(entry -> entry.status() >= 400 && entry.status() != 409).toList(),
        "refused by the server");
    Set<String> verbs =
        writes.stream()
            .map(entry -> entry.verb() + " " + entry.resource())
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(
        new TreeSet<>(
            List.of(
                "create endpoints",
                "update endpoints",
                "create endpointslices",
                "update endpointslices",
                "delete endpointslices",
                "create events",
                "create leases",
                "update leases")),
        verbs);
  }

  private static void withASecondPort() {
    String service = UpdaterCluster.SERVICES + "/" + UpdaterCluster.SERVICE;
    JsonArray ports = cluster.admin().get(service).getAsJsonObject("spec").getAsJsonArray("ports");
    JsonArray two = ports.deepCopy();
    two.add(JsonParser.parseString("{\"name\": \"second\", \"port\": 443, \"targetPort\": 6443}"));
    cluster.admin().patch(service, "{\"spec\": {\"ports\": %s}}".formatted(two));
    try {
      awaitPorts(2);
    } finally {
      cluster.admin().patch(service, "{\"spec\": {\"ports\": %s}}".formatted(ports));
    }
    awaitPorts(1);
  }

  private static void awaitPorts(int count) {
    Optional<JsonObject> slice =
        cluster
            .admin()
            .await(
                UpdaterCluster.SLICES,
                UpdaterCluster.SLICE,
                found -> found.filter(it -> Json.arrayAt(it, "ports").size() == count).isPresent(),
                UpdaterCluster.SOON);
    assertTrue(slice.isPresent());
  }

  /** A field that a rule misspells would be a warning here, and no rule at all. */
  @Test
  void isWellTyped() {
    List<String> warnings = new ArrayList<>();
    for (String name : List.of("slices", "endpoints", "leases", "events")) {
      String policy =
          "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/apiserver-updater-"
              + name;
      Deadline.in(UpdaterCluster.SOON)
          .await(
              "the type check of " + name,
              () -> Json.objectAt(cluster.admin().get(policy), "status").has("typeChecking"));
      warnings.add(Json.objectAt(cluster.admin().get(policy), "status", "typeChecking").toString());
    }
    assertEquals(List.of("{}", "{}", "{}", "{}"), warnings);
  }
}
