package io.apiserverupdater.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.apiserverupdater.compat.LabKubernetes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import okhttp3.Protocol;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("component")
class SandboxApiTest {
  private SandboxCluster cluster = SandboxCluster.builder().apiservers(1).start();
  private SandboxClient admin = new SandboxClient(cluster.pki(), cluster.adminToken());

  private final String slices = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
  private final String leases = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
  private final String endpoints = "/api/v1/namespaces/kube-system/endpoints";

  @AfterEach
  void close() {
    admin.close();
    cluster.close();
  }

  private String url(String path) {
    return cluster.apiserver(0).url() + path;
  }

  private static JsonObject slice(String name, String address) {
    return Json.parse(
        """
        {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice",
         "metadata":{"name":"%s","labels":{"kubernetes.io/service-name":"apiserver"}},
         "addressType":"IPv4","endpoints":[{"addresses":["%s"]}],
         "ports":[{"name":"https","port":6443}]}
        """
            .formatted(name, address));
  }

  private static JsonObject lease(String name, String holder) {
    return Json.parse(
        """
        {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"%s"},
         "spec":{"holderIdentity":"%s","leaseDurationSeconds":4,
                 "renewTime":"2026-01-02T03:04:05.678901Z"}}
        """
            .formatted(name, holder));
  }

  private static String version(JsonObject object) {
    return Json.text(object, "metadata/resourceVersion");
  }

  @Test
  void speaksHttp2OverTls() throws IOException {
    SandboxClient.Answer answer = admin.get(url("/readyz"));
    assertEquals(Protocol.HTTP_2, answer.protocol());
    assertEquals("ok", answer.body());
  }

  @Test
  void saysThatItIsTheKubernetesOfTheLab() throws IOException {
    LabKubernetes lab = LabKubernetes.read(Path.of(System.getProperty("project.root")));
    JsonObject version = admin.get(url("/version")).json();
    assertEquals(lab.standard(), Json.text(version, "gitVersion"));
    assertTrue(lab.standard().startsWith("v1." + Json.text(version, "minor") + "."));
  }

  @Test
  void publishesItsSourceAsARealOneDoes() throws IOException {
    JsonObject slice =
        admin
            .get(url("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"))
            .json();
    assertEquals("IPv4", Json.text(slice, "addressType"));
    assertEquals("kubernetes", Json.text(slice, "metadata/labels/kubernetes.io~service-name"));
    assertEquals(cluster.runningAddresses(), cluster.sliceAddresses("default", "kubernetes"));
    assertEquals(cluster.runningAddresses(), cluster.endpointsAddresses("default", "kubernetes"));
  }

  @Test
  void createsAndDefaults() throws IOException {
    SandboxClient.Answer answer = admin.post(url(slices), slice("a", "10.0.0.1")).expect(201);
    JsonObject created = answer.json();
    assertEquals("1", Json.text(created, "metadata/generation"));
    assertFalse(Json.text(created, "metadata/uid").isEmpty());
    assertEquals(
        "TCP", Json.text(Json.arrayAt(created, "ports").get(0).getAsJsonObject(), "protocol"));

    SandboxClient.Answer again = admin.post(url(slices), slice("a", "10.0.0.1")).expect(409);
    assertEquals("AlreadyExists", again.reason());
    assertEquals("endpointslices.discovery.k8s.io \"a\" already exists", again.message());
  }

  @Test
  void writesNothingWhenNothingChanges() throws IOException {
    JsonObject created = admin.post(url(slices), slice("a", "10.0.0.1")).json();
    long before = cluster.store().revision();
    SandboxClient.Answer same = admin.put(url(slices + "/a"), slice("a", "10.0.0.1")).expect(200);
    assertEquals(version(created), version(same.json()));
    assertEquals(before, cluster.store().revision());
  }

  @Test
  void refusesStaleWritesAndAcceptsUnconditionalOnes() throws IOException {
    JsonObject first = admin.post(url(slices), slice("a", "10.0.0.1")).json();
    SandboxClient.Answer second = admin.put(url(slices + "/a"), slice("a", "10.0.0.2")).expect(200);
    assertEquals("2", Json.text(second.json(), "metadata/generation"));

    first.add("endpoints", slice("a", "10.0.0.3").get("endpoints"));
    SandboxClient.Answer stale = admin.put(url(slices + "/a"), first).expect(409);
    assertEquals("Conflict", stale.reason());
    assertTrue(stale.message().contains("the object has been modified"), stale.message());
  }

  @Test
  void putCreatesOnlyWhereTheRealServerDoes() throws IOException {
    assertEquals(404, admin.put(url(slices + "/a"), slice("a", "10.0.0.1")).code());
    assertEquals(201, admin.put(url(leases + "/l"), lease("l", "me")).code());
    JsonObject gone = admin.get(url(leases + "/l")).json();
    assertEquals(200, admin.delete(url(leases + "/l"), "").code());
    SandboxClient.Answer revived = admin.put(url(leases + "/l"), gone).expect(409);
    assertTrue(revived.message().contains("UID in precondition"), revived.message());
  }

  @Test
  void leasesMustSayWhichVersionTheyReplace() throws IOException {
    assertEquals(201, admin.post(url(leases), lease("l", "me")).code());
    SandboxClient.Answer answer = admin.put(url(leases + "/l"), lease("l", "you")).expect(422);
    assertEquals("Invalid", answer.reason());
    assertTrue(answer.message().endsWith("must be specified for an update"), answer.message());
  }

  @Test
  void leaseTimesAreMicroseconds() throws IOException {
    JsonObject lease = lease("l", "me");
    Json.objectAt(lease, "spec").addProperty("renewTime", "2026-01-02T03:04:05Z");
    assertEquals(400, admin.post(url(leases), lease).code());
    Json.objectAt(lease, "spec").addProperty("renewTime", "2026-01-02T05:04:05.000001+02:00");
    JsonObject created = admin.post(url(leases), lease).json();
    assertEquals("2026-01-02T03:04:05.000001Z", Json.text(created, "spec/renewTime"));
  }

  @Test
  void aSliceKeepsItsAddressFamily() throws IOException {
    admin.post(url(slices), slice("a", "10.0.0.1"));
    JsonObject other = slice("a", "fd00::1");
    other.addProperty("addressType", "IPv6");
    SandboxClient.Answer answer = admin.put(url(slices + "/a"), other).expect(422);
    assertTrue(answer.message().contains("field is immutable"), answer.message());
  }

  @Test
  void anEmptySliceHasNullLists() throws IOException {
    JsonObject empty = slice("a", "10.0.0.1");
    empty.add("endpoints", new JsonArray());
    JsonObject created = admin.post(url(slices), empty).json();
    assertTrue(created.get("endpoints").isJsonNull());
  }

  @Test
  void dryRunChangesNothing() throws IOException {
    long before = cluster.store().revision();
    assertEquals(201, admin.post(url(slices + "?dryRun=All"), slice("a", "10.0.0.1")).code());
    assertEquals(before, cluster.store().revision());
    assertEquals(404, admin.get(url(slices + "/a")).code());
  }

  @Test
  void deletesUnderPreconditions() throws IOException {
    JsonObject created = admin.post(url(slices), slice("a", "10.0.0.1")).json();
    admin.delete(url(slices + "/a"), "{\"preconditions\":{\"resourceVersion\":\"1\"}}").expect(409);
    SandboxClient.Answer deleted =
        admin
            .delete(
                url(slices + "/a"),
                "{\"preconditions\":{\"resourceVersion\":\"%s\"}}".formatted(version(created)))
            .expect(200);
    assertEquals("Success", Json.text(deleted.json(), "status"));
    assertEquals(404, admin.delete(url(slices + "/a"), "").code());
  }

  @Test
  void patches() throws IOException {
    admin.post(url(slices), slice("a", "10.0.0.1"));
    SandboxClient.Answer patched =
        admin
            .patch(
                url(slices + "/a"),
                "application/merge-patch+json",
                "{\"metadata\":{\"labels\":{\"x\":\"y\",\"kubernetes.io/service-name\":null}}}")
            .expect(200);
    assertEquals("{\"x\":\"y\"}", Json.metadata(patched.json()).get("labels").toString());
    assertEquals(415, admin.patch(url(slices + "/a"), "application/apply-patch+yaml", "{}").code());
  }

  @Test
  void listsBySelector() throws IOException {
    admin.post(url(slices), slice("a", "10.0.0.1"));
    admin.post(url(slices), slice("b", "10.0.0.2"));
    JsonObject byName = admin.get(url(slices + "?fieldSelector=metadata.name%3Da")).json();
    assertEquals("EndpointSliceList", Json.text(byName, "kind"));
    assertEquals(1, Json.arrayAt(byName, "items").size());
    String label = "?labelSelector=kubernetes.io%2Fservice-name%3D";
    assertEquals(
        2, Json.arrayAt(admin.get(url(slices + label + "apiserver")).json(), "items").size());
    String everywhere = "/apis/discovery.k8s.io/v1/endpointslices";
    assertEquals(
        1, Json.arrayAt(admin.get(url(everywhere + label + "kubernetes")).json(), "items").size());
  }

  @Test
  void listsFromTheFutureAreTimeouts() throws IOException {
    SandboxClient.Answer answer = admin.get(url(slices + "?resourceVersion=99999")).expect(504);
    assertTrue(answer.message().startsWith("Timeout: Too large resource version: 99999"));
    assertTrue(answer.body().contains("ResourceVersionTooLarge"));
  }

  @Test
  void endpointsCarryTheirWarning() throws IOException {
    assertEquals(
        "299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\"",
        admin.get(url(endpoints)).headers().get("Warning"));
    assertEquals(null, admin.get(url(slices)).headers().get("Warning"));
  }

  @Test
  void knowsItsUsers() throws IOException {
    try (SandboxClient stranger = new SandboxClient(cluster.pki(), "nobody's");
        SandboxClient anonymous = new SandboxClient(cluster.pki(), "");
        SandboxClient certified =
            new SandboxClient(cluster.pki(), cluster.clientPki().client("system:cert"))) {
      SandboxClient.Answer unknown = stranger.get(url(slices)).expect(401);
      assertEquals("Unauthorized", unknown.message());
      assertEquals(200, anonymous.get(url("/readyz")).code());
      SandboxClient.Answer forbidden = anonymous.get(url(slices)).expect(403);
      assertTrue(forbidden.message().contains("User \"system:anonymous\" cannot list"));
      assertEquals(200, certified.get(url(slices)).code());
      assertEquals(1, cluster.audit().of("system:cert").size());
    }
  }

  @Test
  void rotatedTokensAreUnknown() throws IOException {
    String old = cluster.access().issueToken("u");
    try (SandboxClient user = new SandboxClient(cluster.pki(), old)) {
      assertEquals(200, user.get(url(slices)).code());
      String renewed = cluster.access().rotateToken("u");
      assertNotEquals(old, renewed);
      assertEquals(401, user.get(url(slices)).code());
    }
  }

  @Test
  void deniesAsRbacDoes() throws IOException {
    String token = cluster.access().issueToken("u");
    AccessControl.Denial denial =
        cluster.access().deny("u", "update", "leases", "kube-system", "x");
    try (SandboxClient user = new SandboxClient(cluster.pki(), token)) {
      SandboxClient.Answer answer = user.put(url(leases + "/x"), lease("x", "u")).expect(403);
      assertEquals(
          "leases.coordination.k8s.io \"x\" is forbidden: User \"u\" cannot update resource"
              + " \"leases\" in API group \"coordination.k8s.io\" in the namespace"
              + " \"kube-system\"",
          answer.message());
      cluster.access().allowAgain(denial);
      assertEquals(201, user.put(url(leases + "/x"), lease("x", "u")).code());
    }
  }

  @Test
  void auditsWrites() throws IOException {
    long start = System.nanoTime();
    admin.get(url(slices));
    admin.post(url(slices), slice("a", "10.0.0.1"));
    List<AuditLog.Entry> writes = cluster.audit().writesSince(start);
    assertEquals(1, writes.size());
    assertEquals("create", writes.get(0).request().verb());
    assertEquals("sandbox-test", writes.get(0).request().userAgent());
    assertEquals(2, cluster.audit().since(start).size());
  }

  @Test
  void missingNamespacesAndPathsAreNotFound() throws IOException {
    SandboxClient.Answer answer =
        admin
            .post(
                url("/apis/discovery.k8s.io/v1/namespaces/nowhere/endpointslices"),
                slice("a", "10.0.0.1"))
            .expect(404);
    assertEquals("namespaces \"nowhere\" not found", answer.message());
    assertEquals(404, admin.get(url("/apis/nothing.io/v1/things")).code());
  }

  @Test
  void refusesWhatItCannotRead() throws IOException {
    JsonObject wrong = slice("a", "10.0.0.1");
    wrong.addProperty("kind", "EndpointSlice");
    wrong.add("endpoints", Json.array("10.0.0.1"));
    SandboxClient.Answer answer = admin.post(url(slices), wrong).expect(400);
    assertTrue(answer.message().contains("cannot be handled as a EndpointSlice"));
    assertEquals(422, admin.post(url(slices), slice("a", "fd00::1")).code());
  }

  @Test
  void healthPagesListTheirChecks() throws IOException {
    assertTrue(admin.get(url("/readyz?verbose")).body().contains("[+]ping ok"));
    cluster.apiserver(0).failReadyz("etcd");
    SandboxClient.Answer answer = admin.get(url("/readyz")).expect(500);
    assertTrue(answer.body().contains("[-]etcd failed: reason withheld"));
    assertTrue(answer.body().endsWith("readyz check failed\n"));
    assertEquals(200, admin.get(url("/livez")).code());
  }
}
