package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.ObjectWatch;
import io.apiserverupdater.lab.ProxyMode;
import io.apiserverupdater.lab.PublishedAddresses;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * deploy/kustomize/base as it is, with the image as the build makes it, run by kubelets: the one
 * command that a reader of the README gives. The tests are one life of it.
 */
@Tag("real")
@Timeout(240)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DeploymentTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String PODS = "/api/v1/namespaces/kube-system/pods";
  private static final String LABEL = "app.kubernetes.io/name=apiserver-updater";

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
              "deployment",
              new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
              new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "nft"))
          .withoutUpdater();

  /**
   * @param ready whether the kubelet's probe of /readyz succeeds
   */
  private record Pod(String name, String node, boolean ready, int restarts) {}

  @Test
  @Order(1)
  void twoReplicasRunAndTheNodesHandOver() {
    for (int number = 1; number <= 2; number++) {
      BootedNode unusedNode = cluster.readyForUpdater(number);
    }
    assertOneOnEachNode(
        awaitStarts(
            2,
            () -> cluster.lab().kubectl().run("apply", "-k", "deploy/kustomize/base").orThrow()));
    cluster.awaitPublished();
    for (int number = 1; number <= 2; number++) {
      cluster.node(number).awaitHandover(SOON);
      assertEquals(Lab.APISERVER_SERVICE_ADDRESS, cluster.node(number).target(Lab.APISERVER_NAME));
    }
  }

  /** From within its pod the updater sees an apiserver die before its address expires. */
  @Test
  @Order(2)
  void deadApiserverLeavesTheService() {
    ControlPlaneHost first = cluster.lab().controlPlane(1);
    first.kill();
    awaitOthersAlone();
    cluster.restoreControlPlanes();
  }

  @Test
  @Order(3)
  void deletedLeaderIsFollowedByTheOther() {
    String leader = leader();
    cluster.lab().kubectl().run("delete", "pod", "-n", "kube-system", leader).orThrow();
    Deadline.in(SOON)
        .await("another leader", () -> !leader().isEmpty() && !leader().equals(leader));
    List<Pod> pods = awaitPods();
    assertTrue(pods.stream().noneMatch(pod -> pod.name().equals(leader)), pods::toString);
    assertOneOnEachNode(pods);
  }

  /** With a node for each replica and none to spare. */
  @Test
  @Order(4)
  void rolloutLeavesOneOnEachNode() {
    assertOneOnEachNode(awaitStarts(2, DeploymentTest::rollOut));
  }

  private static void rollOut() {
    cluster
        .lab()
        .kubectl()
        .run("rollout", "restart", "-n", "kube-system", "deployment/apiserver-updater")
        .orThrow();
    cluster
        .lab()
        .kubectl()
        .run(
            "rollout",
            "status",
            "-n",
            "kube-system",
            "deployment/apiserver-updater",
            "--timeout=50s")
        .orThrow();
  }

  private static void assertOneOnEachNode(List<Pod> pods) {
    assertEquals(
        Set.of("n1", "n2"),
        pods.stream().map(Pod::node).collect(Collectors.toSet()),
        pods::toString);
  }

  @Test
  @Order(5)
  void nodeOfTheLeaderLosesPower() {
    String leader = leader();
    Pod lost =
        awaitPods().stream().filter(pod -> pod.name().equals(leader)).findFirst().orElseThrow();
    cluster.node(lost.node().equals("n1") ? 1 : 2).powerOff();
    Deadline.in(SOON)
        .await("another leader", () -> !leader().isEmpty() && !leader().equals(leader));
    assertNotEquals(leader, leader());
    cluster.lab().controlPlane(1).kill();
    awaitOthersAlone();
  }

  /** Of the three control planes the last two are ready in the slice, and the first one is not. */
  private static void awaitOthersAlone() {
    Set<String> others =
        Set.of(cluster.lab().controlPlane(2).address(), cluster.lab().controlPlane(3).address());
    Optional<JsonObject> unusedSlice =
        cluster
            .admin()
            .await(
                "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices",
                "apiserver-ipv4",
                slice -> slice.map(PublishedAddresses::ready).orElse(Set.of()).equals(others),
                Duration.ofSeconds(10));
  }

  /** Does what starts that many pods, and says how long each took until it was Ready. */
  private static List<Pod> awaitStarts(int number, Runnable start) {
    PodStarts starts = new PodStarts();
    try (ObjectWatch watch = cluster.admin().watch(PODS + "?labelSelector=" + LABEL, "")) {
      start.run();
      List<Pod> pods = awaitPods();
      Deadline.in(SOON)
          .await(
              "the watch to show " + number + " pods start",
              () -> {
                starts.read(watch);
                return starts.took().size() >= number;
              });
      System.out.println(
          "figure: pod running to Ready: "
              + starts.took().stream()
                  .map(took -> took.toMillis() + " ms")
                  .collect(Collectors.joining(", ")));
      return pods;
    }
  }

  private static List<Pod> awaitPods() {
    List<Pod> pods = new ArrayList<>();
    Deadline.in(SOON)
        .await(
            "two ready pods",
            () -> {
              pods.clear();
              pods.addAll(pods());
              return pods.size() == 2 && pods.stream().allMatch(Pod::ready);
            },
            () ->
                pods
                    + "\n"
                    + cluster
                        .lab()
                        .kubectl()
                        .run("describe", "pods", "-n", "kube-system", "-l", LABEL)
                        .out());
    pods.forEach(pod -> assertEquals(0, pod.restarts(), pod::toString));
    return pods;
  }

  private static List<Pod> pods() {
    List<Pod> pods = new ArrayList<>();
    JsonObject list = cluster.admin().find(PODS + "?labelSelector=" + LABEL).orElseThrow();
    for (JsonElement item : list.getAsJsonArray("items")) {
      JsonObject pod = item.getAsJsonObject();
      JsonElement statuses = pod.getAsJsonObject("status").get("containerStatuses");
      if (statuses == null || pod.getAsJsonObject("metadata").has("deletionTimestamp")) {
        continue;
      }
      JsonObject container = statuses.getAsJsonArray().get(0).getAsJsonObject();
      pods.add(
          new Pod(
              pod.getAsJsonObject("metadata").get("name").getAsString(),
              pod.getAsJsonObject("spec").get("nodeName").getAsString(),
              container.get("ready").getAsBoolean(),
              container.get("restartCount").getAsInt()));
    }
    return pods;
  }

  /** The pod that holds the Lease: its name is what an identity begins with. */
  private static String leader() {
    Optional<JsonElement> holder =
        cluster
            .admin()
            .find("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/apiserver-updater")
            .map(lease -> lease.getAsJsonObject("spec").get("holderIdentity"));
    return holder.map(JsonElement::getAsString).orElse("").replaceFirst("_.*", "");
  }
}
