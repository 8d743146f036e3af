package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.AdminClient;
import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.PodObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The Roles of {@code deploy/kustomize/base}: everything that is needed, and nothing else. */
@Tag("real")
@Timeout(180)
class RightsTest {
  @RegisterExtension
  static final UpdaterCluster cluster = new UpdaterCluster(Lab.builder("rights").controlPlanes(1));

  private static final String DISCOVERY = "/apis/discovery.k8s.io/v1";
  private static final String COORDINATION = "/apis/coordination.k8s.io/v1";
  private static final String RBAC = "/apis/rbac.authorization.k8s.io/v1";

  /** Every deed that the updater may ever have to do, and what it was asked for by it. */
  @Test
  void eachRightIsUsedAndNoOtherIsMissed() {
    Instant begin = Instant.now();
    cluster.startBothAndAwaitTarget();
    String slice = UpdaterCluster.SLICES + "/" + UpdaterCluster.SLICE;
    String endpoints = UpdaterCluster.ENDPOINTS + "/" + UpdaterCluster.SERVICE;
    cluster.admin().patch(slice, "{\"endpoints\": []}");
    cluster.awaitTarget();
    cluster.admin().patch(endpoints, "{\"subsets\": null}");
    cluster.awaitTarget();
    leaveASliceOfAnAddressFamilyThatIsGone();
    cluster.awaitTarget();
    cluster.awaitRenewals(2);
    tellTheSameTwice();

    List<AuditEntry> asked = cluster.auditOfUpdaters(begin);
    assertEquals(
        List.of(),
        asked.stream().filter(entry -> entry.status() == 401 || entry.status() == 403).toList(),
        "refused by the server");
    Set<String> used =
        asked.stream()
            .map(entry -> right(entry.namespace(), entry.group(), entry.resource(), entry.verb()))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(granted(), used);
  }

  /** The second time the Event is counted up. */
  private static void tellTheSameTwice() {
    String last = "\"%s=2099-01-01T00:00:00Z\"".formatted(cluster.lab().controlPlane(1).address());
    cluster.drain(last);
    cluster.awaitEvent("Refused", 1);
    cluster.drain("null");
    cluster.awaitEvent("Accepted", 1);
    cluster.drain(last);
    cluster.awaitEvent("Refused", 2);
    cluster.awaitTarget();
  }

  /** With a pod for each replica: the apiserver connects to its address, without a kubelet. */
  @Test
  void statusAsksTheReplicasThroughTheApiServer() {
    List<Replica> both = cluster.startBoth();
    cluster.awaitTarget();
    both.forEach(
        replica -> PodObject.create(cluster.admin(), replica.pod().name(), replica.worker()));
    try {
      Replica leader = cluster.leader();
      long fastest = Long.MAX_VALUE;
      Execution status = cluster.runAsAdmin("status");
      for (int i = 0; i < 5; i++) {
        long begin = System.nanoTime();
        status = cluster.runAsAdmin("status");
        fastest = Math.min(fastest, System.nanoTime() - begin);
      }
      System.out.println("updater status took " + fastest / 1_000_000 + " ms at best\n" + status);
      String out = status.out();
      // The lab's certificates last for two days, and the pods of the Deployment are pending.
      assertEquals(1, status.exitCode(), status::toString);
      for (Replica replica : both) {
        String role = replica == leader ? "leader" : "standby";
        assertTrue(
            out.lines().anyMatch(line -> line.matches(replica.pod().name() + " +" + role + " .*")),
            status::toString);
      }
      for (String address : cluster.addresses()) {
        assertTrue(
            out.lines()
                .anyMatch(line -> line.matches(address + ":6443 +ready +\\S+ +ready +.* ms .*")),
            status::toString);
      }
      assertTrue(out.contains("Target: in step with the source"), status::toString);
      // Without the class archive that the launcher uses, and on a machine that does other things.
      assertTrue(fastest < 3_000_000_000L, status::toString);
    } finally {
      both.forEach(replica -> PodObject.delete(cluster.admin(), replica.pod().name()));
    }
  }

  private static void leaveASliceOfAnAddressFamilyThatIsGone() {
    cluster
        .admin()
        .create(
            UpdaterCluster.SLICES,
            """
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
             "metadata": {"name": "apiserver-ipv6", "labels": {
               "kubernetes.io/service-name": "apiserver",
               "endpointslice.kubernetes.io/managed-by": "apiserver-updater"}},
             "addressType": "IPv6", "ports": [{"name": "https", "port": 6443}],
             "endpoints": [{"addresses": ["fd00::1"]}]}
            """);
  }

  private static String right(String namespace, String group, String resource, String verb) {
    return namespace + ": " + verb + " " + resource + (group.isEmpty() ? "" : "." + group);
  }

  /** What all Roles and ClusterRoles grant that are bound to the ServiceAccount by its name. */
  private static Set<String> granted() {
    assertEquals(
        List.of(),
        boundRoles(RBAC + "/clusterrolebindings"),
        "nothing is granted in the whole cluster");
    Set<String> granted = new TreeSet<>();
    for (JsonObject binding : boundRoles(RBAC + "/rolebindings")) {
      String namespace = binding.getAsJsonObject("metadata").get("namespace").getAsString();
      JsonObject ref = binding.getAsJsonObject("roleRef");
      assertEquals("Role", ref.get("kind").getAsString());
      JsonObject role =
          cluster
              .admin()
              .get(RBAC + "/namespaces/" + namespace + "/roles/" + ref.get("name").getAsString());
      for (JsonElement element : role.getAsJsonArray("rules")) {
        JsonObject rule = element.getAsJsonObject();
        for (String group : texts(rule, "apiGroups")) {
          for (String resource : texts(rule, "resources")) {
            texts(rule, "verbs")
                .forEach(verb -> granted.add(right(namespace, group, resource, verb)));
          }
        }
      }
    }
    return granted;
  }

  private static List<JsonObject> boundRoles(String bindings) {
    return cluster.admin().list(bindings).stream()
        .filter(
            binding ->
                binding.has("subjects")
                    && binding.getAsJsonArray("subjects").asList().stream()
                        .map(subject -> subject.getAsJsonObject().get("name").getAsString())
                        .anyMatch("apiserver-updater"::equals))
        .toList();
  }

  private static List<String> texts(JsonObject object, String key) {
    return object.getAsJsonArray(key).asList().stream().map(JsonElement::getAsString).toList();
  }

  /** One request, and what would be wrong with granting it. */
  private record Forbidden(String method, String path, String body) {
    static Forbidden get(String path) {
      return new Forbidden("GET", path, "");
    }

    static Forbidden delete(String path) {
      return new Forbidden("DELETE", path, "");
    }

    static Forbidden patch(String path) {
      return new Forbidden("PATCH", path, "{\"metadata\": {\"labels\": {\"a\": \"b\"}}}");
    }

    static Forbidden put(String path, JsonObject object) {
      return new Forbidden("PUT", path, object.toString());
    }

    static Forbidden post(String path, String kind, String apiVersion) {
      return new Forbidden(
          "POST",
          path,
          "{\"apiVersion\": \"%s\", \"kind\": \"%s\", \"metadata\": {\"name\": \"x\"}}"
              .formatted(apiVersion, kind));
    }
  }

  @Test
  void serverRefusesEverythingElse() {
    AdminClient account =
        cluster.admin().withToken(cluster.lab().requestToken("kube-system", "apiserver-updater"));
    List<String> granted = new ArrayList<>();
    for (Forbidden forbidden : forbidden()) {
      String contentType =
          forbidden.method().equals("PATCH") ? "application/merge-patch+json" : "application/json";
      AdminClient.Answer answer =
          account.request(forbidden.method(), forbidden.path(), contentType, forbidden.body());
      if (answer.status() != 403) {
        granted.add(answer.status() + " for " + forbidden);
      }
    }
    assertEquals(List.of(), granted);
    // The token is good, so it was the rights that were missing.
    AdminClient.Answer own =
        account.request(
            "GET",
            UpdaterCluster.SLICES + "?fieldSelector=metadata.name%3D" + UpdaterCluster.SLICE,
            "application/json",
            "");
    assertEquals(200, own.status(), own.text());
  }

  private static List<Forbidden> forbidden() {
    String source = DISCOVERY + "/namespaces/default/endpointslices/kubernetes";
    String other = otherSlice();
    String otherLease = otherLease();
    String service = UpdaterCluster.SERVICES + "/" + UpdaterCluster.SERVICE;
    String secrets = "/api/v1/namespaces/kube-system/secrets";
    String accounts = "/api/v1/namespaces/kube-system/serviceaccounts";
    return List.of(
        // Secrets, and whatever else leads to more rights.
        Forbidden.get("/api/v1/secrets"),
        Forbidden.get(secrets),
        Forbidden.get(secrets + "/apiserver-updater"),
        Forbidden.get("/api/v1/namespaces/default/secrets"),
        Forbidden.post(secrets, "Secret", "v1"),
        Forbidden.post(accounts + "/default/token", "TokenRequest", "authentication.k8s.io/v1"),
        Forbidden.get("/api/v1/namespaces/kube-system/configmaps"),
        Forbidden.get("/api/v1/namespaces/kube-system/pods"),
        Forbidden.post("/api/v1/namespaces/kube-system/pods", "Pod", "v1"),
        Forbidden.get("/api/v1/nodes"),
        // What others tell.
        Forbidden.get(UpdaterCluster.EVENTS),
        Forbidden.delete(UpdaterCluster.EVENTS),
        Forbidden.post("/api/v1/namespaces/default/events", "Event", "v1"),
        Forbidden.post(
            "/apis/events.k8s.io/v1/namespaces/kube-system/events", "Event", "events.k8s.io/v1"),
        Forbidden.get(RBAC + "/namespaces/kube-system/roles"),
        Forbidden.patch(RBAC + "/namespaces/kube-system/roles/apiserver-updater"),
        Forbidden.post(
            RBAC + "/namespaces/kube-system/rolebindings",
            "RoleBinding",
            "rbac.authorization.k8s.io/v1"),
        // Another Service's slices, Endpoints and Leases in the same namespace.
        Forbidden.get(UpdaterCluster.SLICES),
        Forbidden.get(other),
        Forbidden.put(other, cluster.admin().get(other)),
        Forbidden.patch(other),
        Forbidden.delete(other),
        Forbidden.delete(UpdaterCluster.SLICES),
        Forbidden.get(UpdaterCluster.ENDPOINTS),
        Forbidden.delete(UpdaterCluster.ENDPOINTS + "/other"),
        Forbidden.get(UpdaterCluster.LEASES),
        Forbidden.put(otherLease, cluster.admin().get(otherLease)),
        Forbidden.delete(otherLease),
        // The source, which it reads by its one name and never writes.
        Forbidden.get(DISCOVERY + "/namespaces/default/endpointslices"),
        Forbidden.put(source, cluster.admin().get(source)),
        Forbidden.patch(source),
        Forbidden.delete(source),
        // Other namespaces.
        Forbidden.post(
            DISCOVERY + "/namespaces/default/endpointslices",
            "EndpointSlice",
            "discovery.k8s.io/v1"),
        Forbidden.post("/api/v1/namespaces/default/endpoints", "Endpoints", "v1"),
        Forbidden.post(
            COORDINATION + "/namespaces/default/leases", "Lease", "coordination.k8s.io/v1"),
        Forbidden.post(
            COORDINATION + "/namespaces/kube-node-lease/leases", "Lease", "coordination.k8s.io/v1"),
        Forbidden.get(DISCOVERY + "/endpointslices"),
        Forbidden.get("/api/v1/endpoints"),
        // Its own objects, beyond what it needs.
        Forbidden.patch(service),
        Forbidden.put(service, cluster.admin().get(service)),
        Forbidden.delete(service),
        Forbidden.post(UpdaterCluster.SERVICES, "Service", "v1"),
        Forbidden.delete(UpdaterCluster.ENDPOINTS + "/" + UpdaterCluster.SERVICE),
        Forbidden.delete(UpdaterCluster.LEASES + "/" + UpdaterCluster.LEASE),
        Forbidden.patch(UpdaterCluster.SLICES + "/" + UpdaterCluster.SLICE));
  }

  private static String otherSlice() {
    return present(
        UpdaterCluster.SLICES + "/other-ipv4",
        UpdaterCluster.SLICES,
        """
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
         "metadata": {"name": "other-ipv4", "labels": {"kubernetes.io/service-name": "other"}},
         "addressType": "IPv4", "ports": [], "endpoints": []}
        """);
  }

  private static String otherLease() {
    return present(
        UpdaterCluster.LEASES + "/other",
        UpdaterCluster.LEASES,
        """
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
         "metadata": {"name": "other"}, "spec": {}}
        """);
  }

  private static String present(String path, String collection, String object) {
    if (cluster.admin().find(path).isEmpty()) {
      cluster.admin().create(collection, object);
    }
    return path;
  }

  @Test
  void kubectlSaysTheSame() {
    String token = cluster.lab().requestToken("kube-system", "apiserver-updater");
    for (String question :
        List.of(
            "get secrets --all-namespaces",
            "get secrets --namespace=kube-system",
            "update endpointslices/other-ipv4 --namespace=kube-system",
            "delete endpointslices --namespace=kube-system",
            "create endpointslices --namespace=default",
            "update endpointslices/kubernetes --namespace=default",
            "create leases --namespace=default",
            "update services/apiserver --namespace=kube-system",
            "patch services/apiserver --namespace=kube-system",
            "list events --namespace=kube-system",
            "create events --namespace=default",
            "impersonate serviceaccounts --namespace=kube-system",
            "escalate roles --namespace=kube-system")) {
      assertEquals("no", canI(token, question), question);
    }
    for (String question :
        List.of(
            "list endpointslices/kubernetes --namespace=default",
            "update endpointslices/apiserver-ipv4 --namespace=kube-system",
            "update endpointslices/apiserver-ipv6 --namespace=kube-system",
            "update endpoints/apiserver --namespace=kube-system",
            "update leases/apiserver-updater --namespace=kube-system")) {
      assertEquals("yes", canI(token, question), question);
    }
  }

  private static String canI(String token, String question) {
    List<String> command = new ArrayList<>(List.of("--token", token, "auth", "can-i"));
    command.addAll(List.of(question.split(" ", -1)));
    Execution asked = cluster.lab().kubectl().run(command.toArray(String[]::new));
    Optional<String> answer = asked.out().lines().findFirst();
    assertTrue(answer.isPresent(), asked.err());
    return answer.get();
  }
}
