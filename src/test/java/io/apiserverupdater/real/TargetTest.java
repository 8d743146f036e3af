package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the updater writes, when it writes, and when it does not. */
@Tag("real")
@Timeout(180)
class TargetTest {
  @RegisterExtension
  static final UpdaterCluster cluster = new UpdaterCluster(Lab.builder("target"));

  private static final String SLICE = UpdaterCluster.SLICES + "/" + UpdaterCluster.SLICE;
  private static final String ENDPOINTS = UpdaterCluster.ENDPOINTS + "/" + UpdaterCluster.SERVICE;
  private static final String SERVICE = UpdaterCluster.SERVICES + "/" + UpdaterCluster.SERVICE;

  @Test
  void dryRunShowsWhatOnceWritesAndWritesNothingItself() {
    Instant begin = Instant.now();
    Map<String, String> before = versionsAtRest();
    Execution dry = cluster.runAsAdmin("--dry-run");
    assertEquals(1, dry.exitCode(), dry.out() + dry.err());
    for (String shown : List.of("EndpointSlice", UpdaterCluster.SLICE, "Endpoints")) {
      assertTrue(dry.out().contains(shown), dry.out());
    }
    for (String address : cluster.addresses()) {
      assertTrue(dry.out().contains("+") && dry.out().contains(address), dry.out());
    }
    assertEquals(before, versions());
    List<AuditEntry> asked =
        cluster.lab().auditSince(begin).stream()
            .filter(entry -> entry.userAgent().startsWith("apiserver-updater/"))
            .toList();
    assertFalse(asked.isEmpty(), "the dry run has read nothing");
    assertEquals(List.of(), asked.stream().filter(AuditEntry::isWrite).toList());

    Execution once = cluster.runInPod("--once");
    assertEquals(0, once.exitCode(), once.err());
    cluster.awaitTarget();

    Instant between = Instant.now();
    Execution again = cluster.runAsAdmin("--dry-run");
    assertEquals(0, again.exitCode(), again.out() + again.err());
    assertEquals("", again.out());
    Execution twice = cluster.runInPod("--once");
    assertEquals(0, twice.exitCode(), twice.err());
    assertEquals(List.of(), cluster.writesOfTarget(between));
  }

  /** Everything in both namespaces by kind and name, with its version. */
  private static Map<String, String> versions() {
    String kinds =
        String.join(
            ",",
            cluster
                .lab()
                .kubectl()
                .run("api-resources", "--namespaced", "--verbs=list", "--output=name")
                .orThrow()
                .out()
                .lines()
                .toList());
    Map<String, String> versions = new TreeMap<>();
    for (String namespace : List.of("kube-system", "default")) {
      cluster
          .lab()
          .kubectl()
          .run(
              "--namespace",
              namespace,
              "get",
              kinds,
              "--no-headers",
              // An apiserver renews the Lease that names it, whatever we do.
              "--selector=apiserver.kubernetes.io/identity!=kube-apiserver",
              "--output=custom-columns=KIND:.kind,NAME:.metadata.name,V:.metadata.resourceVersion")
          .orThrow()
          .out()
          .lines()
          .map(line -> line.strip().split("\\s+"))
          .forEach(row -> versions.put(namespace + " " + row[0] + " " + row[1], row[2]));
    }
    return versions;
  }

  /** The controllers need a moment after the manifests have been applied. */
  private static Map<String, String> versionsAtRest() {
    Map<String, String> seen = new TreeMap<>(versions());
    assertTrue(seen.containsKey("kube-system Service apiserver"), seen::toString);
    Deadline.in(UpdaterCluster.SOON)
        .await(
            "two equal looks at the cluster",
            () -> {
              Map<String, String> now = versions();
              boolean same = now.equals(seen);
              seen.clear();
              seen.putAll(now);
              return same;
            });
    return seen;
  }

  @Test
  void repairsWhatSomebodyEdits() {
    cluster.startBothAndAwaitTarget();
    for (String edit :
        List.of(
            "{\"endpoints\": [{\"addresses\": [\"172.30.1.77\"]}]}",
            "{\"endpoints\": []}",
            "{\"ports\": [{\"name\": \"https\", \"port\": 7777}]}",
            "{\"ports\": [{\"name\": \"other\", \"port\": 6443}]}",
            "{\"metadata\": {\"labels\": {\"endpointslice.kubernetes.io/managed-by\": null}}}",
            "{\"metadata\": {\"labels\": null}}")) {
      JsonObject edited = cluster.admin().patch(SLICE, edit);
      awaitNewer(UpdaterCluster.SLICES, UpdaterCluster.SLICE, edited);
      cluster.awaitTarget();
    }
    for (String edit :
        List.of(
            "{\"subsets\": [{\"addresses\": [{\"ip\": \"172.30.1.77\"}], \"ports\": [{\"port\": 1}]}]}",
            "{\"subsets\": null}",
            // From here until the repair the controller-manager may mirror it, and must let go.
            "{\"metadata\": {\"labels\": null}}")) {
      JsonObject edited = cluster.admin().patch(ENDPOINTS, edit);
      awaitNewer(UpdaterCluster.ENDPOINTS, UpdaterCluster.SERVICE, edited);
      cluster.awaitTarget();
    }
    cluster.assertNobodyDied();
  }

  private static void awaitNewer(String collection, String name, JsonObject than) {
    Optional<JsonObject> unusedNewer =
        cluster
            .admin()
            .await(
                collection,
                name,
                now -> !now.map(TargetTest::version).equals(Optional.of(version(than))),
                UpdaterCluster.SOON);
  }

  private static String version(JsonObject object) {
    return object.getAsJsonObject("metadata").get("resourceVersion").getAsString();
  }

  @Test
  void bringsBackWhatSomebodyDeletes() {
    cluster.startBothAndAwaitTarget();
    cluster.admin().delete(SLICE);
    cluster.awaitTarget();
    cluster.admin().delete(ENDPOINTS);
    cluster.awaitTarget();
    cluster.admin().delete(SLICE);
    cluster.admin().delete(ENDPOINTS);
    cluster.awaitTarget();
  }

  @Test
  void keepsWhatOthersWriteBesideIt() {
    cluster.startBothAndAwaitTarget();
    String foreign =
        """
        {"metadata": {"labels": {"team": "blue"}, "annotations": {"example.com/note": "ours"}}}
        """;
    Instant begin = Instant.now();
    cluster.admin().patch(SLICE, foreign);
    cluster.admin().patch(ENDPOINTS, foreign);
    // The edits that need a repair come after, so the repair has seen what must stay.
    cluster.admin().patch(SLICE, "{\"endpoints\": []}");
    cluster.admin().patch(ENDPOINTS, "{\"subsets\": null}");
    cluster.awaitTarget();
    for (String path : List.of(SLICE, ENDPOINTS)) {
      JsonObject metadata = cluster.admin().get(path).getAsJsonObject("metadata");
      assertEquals("blue", metadata.getAsJsonObject("labels").get("team").getAsString());
      assertEquals(
          "ours", metadata.getAsJsonObject("annotations").get("example.com/note").getAsString());
    }
    assertTrue(
        cluster.writesOfTarget(begin).stream().allMatch(entry -> entry.verb().equals("update")),
        "nothing was created again");
  }

  @Test
  void needsNoControllerManager() {
    cluster.startBothAndAwaitTarget();
    JsonObject slice = content(cluster.admin().get(SLICE));
    JsonObject endpoints = content(cluster.admin().get(ENDPOINTS));
    cluster.lab().stopControllerManager();
    cluster.admin().delete(SLICE);
    cluster.admin().delete(ENDPOINTS);
    cluster.awaitTarget();
    assertEquals(slice, content(cluster.admin().get(SLICE)));
    assertEquals(endpoints, content(cluster.admin().get(ENDPOINTS)));
    ControlPlaneHost leaving = cluster.lab().controlPlane(3);
    leaving.terminate();
    cluster.awaitSource(cluster.addressesWithout(leaving));
    cluster.awaitTarget(cluster.addressesWithout(leaving));
    // What is left of its graceful stop is of no interest here.
    leaving.kill();
  }

  /** Without what the server alone decides. */
  private static JsonObject content(JsonObject object) {
    JsonObject content = object.deepCopy();
    JsonObject metadata = content.getAsJsonObject("metadata");
    for (String key :
        List.of("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")) {
      metadata.remove(key);
    }
    return content;
  }

  @Test
  void waitsForTheServiceAndWritesWhenItIsThere() {
    cluster.admin().delete(SERVICE);
    Instant begin = Instant.now();
    List<Replica> both = cluster.startBoth();
    Replica leader = cluster.leader();
    leader
        .pod()
        .process()
        .awaitLog(
            "what is missing",
            line -> line.contains("refused=") && line.contains("kube-system/apiserver"),
            UpdaterCluster.SOON);
    assertEquals(List.of(), cluster.writesOfTarget(begin));
    cluster.applyManifests();
    cluster.awaitTarget();
    // The server deletes the Endpoints together with the Service, and leaves the slice.
    cluster.admin().delete(SERVICE);
    cluster.applyManifests();
    cluster.awaitTarget();
    assertEquals(2, both.size());
    cluster.assertNobodyDied();
  }

  /** What a person does before an upgrade, and what kubectl tells of it. */
  @Test
  void drainedMemberIsOutAndKubectlTellsTheStory() {
    cluster.startBothAndAwaitTarget();
    ControlPlaneHost upgraded = cluster.lab().controlPlane(3);
    Execution drain = cluster.runAsAdmin("drain", upgraded.address(), "--for=1h");
    assertEquals(0, drain.exitCode(), drain.out() + drain.err());
    cluster.awaitTarget(cluster.addressesWithout(upgraded));
    Execution undrain = cluster.runAsAdmin("undrain", upgraded.address());
    assertEquals(0, undrain.exitCode(), undrain.out() + undrain.err());
    cluster.awaitTarget();
    cluster.awaitEvent("MemberUndrained", 1);
    String story =
        cluster
            .lab()
            .kubectl()
            .run("-n", "kube-system", "describe", "service", "apiserver")
            .orThrow()
            .out();
    String member = upgraded.address() + ":6443";
    for (String told :
        List.of(
            "Normal +LeaderElected .*apiserver-updater +leading: started",
            "Normal +MemberDrained .*apiserver-updater +" + member + " is drained until ",
            "Normal +MemberUndrained .*apiserver-updater +" + member + " is no longer drained")) {
      assertTrue(Pattern.compile(told).matcher(story).find(), story);
    }
    System.out.println("real: " + story.substring(story.indexOf("Events:")));
  }

  @Test
  void writesNothingButTheLeaseForAQuietMinute() {
    cluster.startBoth();
    Replica leader = cluster.leader();
    cluster.awaitTarget();
    cluster.awaitRenewals(2);
    Instant begin = Instant.now();
    Instant end = begin.plus(Duration.ofMinutes(1));
    cluster.awaitRenewalsUntil(Deadline.in(Duration.between(Instant.now(), end)));
    List<AuditEntry> minute =
        cluster.auditOfUpdaters(begin).stream()
            .filter(entry -> entry.received().isBefore(end))
            .toList();
    List<AuditEntry> renewals =
        minute.stream()
            .filter(leader::sent)
            .filter(entry -> entry.verb().equals("update") && entry.resource().equals("leases"))
            .toList();
    assertTrue(renewals.size() > 30, "renewals: " + renewals.size());
    assertEquals(
        List.of(),
        minute.stream()
            .filter(AuditEntry::isWrite)
            .filter(entry -> !renewals.contains(entry))
            .toList());
    assertEquals(
        List.of(), minute.stream().filter(entry -> entry.status() >= 400).toList(), "refused");
    // Watches stay open for minutes; a few may have come to their end.
    long reads = minute.stream().filter(entry -> !entry.isWrite()).count();
    assertTrue(reads <= 28, "reads in a minute in which nothing happened: " + reads);
    System.out.println(
        "real: a quiet minute of two replicas: "
            + renewals.size()
            + " renewals, "
            + reads
            + " reads");
  }
}
