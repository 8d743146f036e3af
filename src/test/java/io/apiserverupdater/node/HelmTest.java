package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.ProxyMode;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.TrafficTarget;
import io.apiserverupdater.manifests.Helm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * deploy/helm on a cluster whose kubelets run its pods and use its Service: installed as the README
 * says, tested, upgraded and uninstalled, by Helm 3 and then by Helm 4. The tests are one life of
 * it.
 */
@Tag("real")
@Timeout(240)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class HelmTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String KUBE_SYSTEM = "/namespaces/kube-system/";
  private static final String DEPLOYMENT =
      "/apis/apps/v1" + KUBE_SYSTEM + "deployments/apiserver-updater";
  private static final String SERVICE = "/api/v1" + KUBE_SYSTEM + "services/apiserver";
  private static final String ENDPOINTS = "/api/v1" + KUBE_SYSTEM + "endpoints/apiserver";
  private static final String SLICE =
      "/apis/discovery.k8s.io/v1" + KUBE_SYSTEM + "endpointslices/apiserver-ipv4";
  private static final String LEASE =
      "/apis/coordination.k8s.io/v1" + KUBE_SYSTEM + "leases/apiserver-updater";
  private static final String NODE_READER =
      "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/apiserver-bootstrap";
  private static final String NODE_LEASES =
      "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
              "helm",
              new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
              new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "hosts"))
          .withoutUpdater();

  @Test
  @Order(1)
  void installsAsTheReadmeSays() {
    for (int number = 1; number <= 2; number++) {
      BootedNode unusedNode = cluster.readyForUpdater(number);
    }
    // The chart brings the Role.
    kubectl("delete", "-f", "deploy/kustomize/components/node-reader/role.yaml");

    Execution installed = helm(3, readmeCommand());
    assertTrue(installed.out().contains("helm test apiserver-updater"), installed.out());
    kubectl("rollout", "status", "-n", "kube-system", "deployment/apiserver-updater");
    cluster.awaitPublished();
    assertTrue(cluster.admin().find(NODE_READER).isPresent());
    for (int number = 1; number <= 2; number++) {
      cluster.node(number).awaitHandover(SOON);
      assertEquals(Lab.APISERVER_SERVICE_ADDRESS, cluster.node(number).target(Lab.APISERVER_NAME));
    }
  }

  /** Step 2 of the guide has the same command, and what to do next. */
  @Test
  @Order(2)
  void guideInstallsTheSameAndItsTestPasses() {
    List<String> lines =
        Guide.read(cluster.lab().projectRoot().resolve("docs/install.md"))
            .blocks("admin with Helm")
            .stream()
            .flatMap(block -> block.text().replace("\\\n", "").lines())
            .toList();
    assertEquals(words(readmeCommand()), words(lines.get(0)));
    for (String line : lines.subList(1, lines.size())) {
      assertTrue(line.startsWith("helm ") || line.startsWith("kubectl "), line);
      if (line.startsWith("helm ")) {
        Execution unusedDone = helm(3, line);
      } else {
        kubectl(line.substring("kubectl ".length()).split(" +", -1));
      }
    }
  }

  @Test
  @Order(3)
  void testFailsWhenWhatIsPublishedIsWrong() {
    kubectl("scale", "-n", "kube-system", "deployment/apiserver-updater", "--replicas=0");
    awaitNoPods();
    // The cluster IP must go on working: the kubelet that runs the test needs it.
    JsonObject unusedSlice =
        cluster
            .admin()
            .patch(
                SLICE,
                "{\"endpoints\": [{\"addresses\": [\"%s\"], \"conditions\": {\"ready\": true}}]}"
                    .formatted(cluster.lab().controlPlane(1).address()));
    Execution failed = program(3).run("test", "apiserver-updater", "--namespace=kube-system");
    assertTrue(failed.exitCode() != 0, failed.out());
    JsonObject pod = cluster.admin().get("/api/v1" + KUBE_SYSTEM + "pods/apiserver-updater-test");
    // There would be changes.
    assertEquals(1, exitCode(pod), pod::toString);
    kubectl("scale", "-n", "kube-system", "deployment/apiserver-updater", "--replicas=2");
    cluster.awaitPublished();
  }

  @Test
  @Order(4)
  void upgradesWithoutTouchingTheService() {
    assertUpgrades(3);
  }

  @Test
  @Order(5)
  void refusesAnotherClusterIpInsteadOfReplacingTheService() {
    String before = cluster.admin().get(SERVICE).toString();
    Execution refused =
        program(3)
            .run(
                "upgrade",
                "apiserver-updater",
                "deploy/helm",
                "--namespace=kube-system",
                "--reuse-values",
                "--set=clusterIP=10.96.0.65");
    assertTrue(refused.exitCode() != 0, refused.out());
    assertTrue(refused.err().contains("set clusterIP=10.96.0.64"), refused.err());
    assertEquals(before, cluster.admin().get(SERVICE).toString());
  }

  @Test
  @Order(6)
  void uninstallCutsOffNoNode() {
    assertUninstallCutsOffNoNode(3);
  }

  /** What kubectl has installed, upon what Helm has left, is Helm's again. */
  @Test
  @Order(7)
  void takesOverWhatTheOneFileInstalled() {
    kubectl("apply", "-f", "deploy/image/target/components.yaml");
    kubectl("rollout", "status", "-n", "kube-system", "deployment/apiserver-updater");
    Execution unusedInstalled =
        helm(4, readmeCommand() + " --take-ownership --server-side=false --wait");
    Execution unusedTested = helm(4, "helm test apiserver-updater --namespace=kube-system");
  }

  @Test
  @Order(8)
  void upgradesAndUninstallsWithHelm4() {
    assertUpgrades(4);
    assertUninstallCutsOffNoNode(4);
  }

  /** And by the commands of its notes nothing is left in the end. */
  @Test
  @Order(9)
  void continuesWithWhatHasStayed() {
    Execution unusedInstalled = helm(4, readmeCommand() + " --wait");
    assertUpgrades(4);
    String notes = helm(4, "helm get notes apiserver-updater --namespace=kube-system").out();
    Execution unusedUninstalled =
        helm(4, "helm uninstall apiserver-updater --namespace=kube-system --wait");

    for (String line : notes.lines().map(String::strip).toList()) {
      if (line.startsWith("kubectl ") && line.contains(" delete ")) {
        kubectl(line.substring("kubectl ".length()).split(" +", -1));
      }
    }
    for (String left : List.of(SERVICE, SLICE, ENDPOINTS, LEASE)) {
      assertFalse(cluster.admin().find(left).isPresent(), left);
    }
  }

  private static void assertUpgrades(int version) {
    JsonObject before = cluster.admin().get(SERVICE);
    Execution unusedUpgraded =
        helm(
            version,
            "helm upgrade apiserver-updater deploy/helm --namespace=kube-system --reuse-values"
                + " --set=healthCheck.interval=400ms --set=admissionPolicy.enabled=true --wait");
    assertTrue(
        cluster.admin().get(DEPLOYMENT).toString().contains("\"--probe-interval=400ms\""),
        () -> cluster.admin().get(DEPLOYMENT).toString());
    assertEquals(before.get("spec"), cluster.admin().get(SERVICE).get("spec"));
    cluster.awaitPublished();
  }

  /** Every request through the cluster IP is answered, and a kubelet starts again through it. */
  private static void assertUninstallCutsOffNoNode(int version) {
    BootedNode node = cluster.node(1);
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
    String slice = cluster.admin().get(SLICE).get("endpoints").toString();
    long begin = System.nanoTime();
    try (Traffic traffic =
        cluster
            .lab()
            .traffic(
                node.host(),
                TrafficTarget.of(
                        Lab.APISERVER_SERVICE_ADDRESS, Lab.APISERVER_PORT, Lab.APISERVER_NAME)
                    .path("/version")
                    .every(Duration.ofMillis(50))
                    .within(Duration.ofSeconds(5)))) {
      traffic.await("requests", samples -> samples.size() >= 20, SOON);
      Execution uninstalled =
          helm(version, "helm uninstall apiserver-updater --namespace=kube-system --wait");
      String said = uninstalled.out() + uninstalled.err();
      assertTrue(said.contains("kept due to the resource policy"), said);
      assertTrue(said.contains("[Service] apiserver"), said);
      awaitNoPods();
      String renewed = renewTime(node);
      node.run("systemctl", "restart", "kubelet").orThrow();
      Deadline.in(SOON)
          .await(
              "the kubelet to renew its Lease",
              () -> !renewTime(node).equals(renewed),
              () -> node.journalTail(60));
      long unusedReady = node.awaitReady(SOON);
      int soFar = traffic.samples().size();
      traffic.await("more requests", samples -> samples.size() >= soFar + 20, SOON);
      assertEquals(List.of(), traffic.failuresSince(begin));
    }
    assertEquals(slice, cluster.admin().get(SLICE).get("endpoints").toString());
    assertTrue(cluster.admin().find(ENDPOINTS).isPresent());
    assertFalse(cluster.admin().find(NODE_READER).isPresent());
  }

  private static int exitCode(JsonObject pod) {
    return pod.getAsJsonObject("status")
        .getAsJsonArray("containerStatuses")
        .get(0)
        .getAsJsonObject()
        .getAsJsonObject("state")
        .getAsJsonObject("terminated")
        .get("exitCode")
        .getAsInt();
  }

  private static String renewTime(BootedNode node) {
    return cluster
        .admin()
        .get(NODE_LEASES + "/" + node.name())
        .getAsJsonObject("spec")
        .get("renewTime")
        .getAsString();
  }

  private static void awaitNoPods() {
    Deadline.in(SOON)
        .await(
            "no pod of the updater",
            () ->
                cluster
                    .admin()
                    .list(
                        "/api/v1"
                            + KUBE_SYSTEM
                            + "pods?labelSelector=app.kubernetes.io/name=apiserver-updater")
                    .isEmpty());
  }

  /** The command of the README, with the addresses and the image of the lab. */
  private static String readmeCommand() {
    Path readme = cluster.lab().projectRoot().resolve("README.md");
    Matcher command =
        Pattern.compile("`(helm install [^`]*)`")
            .matcher(
                LabException.wrap("cannot read " + readme, () -> Files.readString(readme))
                    .replace('\n', ' '));
    assertTrue(command.find(), "the README has no command for Helm");
    return command.group(1).replace("CLUSTER-IP", Lab.APISERVER_SERVICE_ADDRESS);
  }

  /** Runs a command line of Helm and wants it to succeed. */
  private static Execution helm(int version, String line) {
    List<String> words = words(line);
    assertEquals("helm", words.get(0));
    Execution done = program(version).run(words.subList(1, words.size()).toArray(String[]::new));
    assertEquals(
        0,
        done.exitCode(),
        () ->
            line
                + "\n"
                + done.out()
                + done.err()
                + cluster.lab().kubectl().run("describe", "pods", "-n", "kube-system").out());
    return done;
  }

  /** The image is on the nodes under its own name. */
  private static List<String> words(String line) {
    return List.of(line.replace("REGISTRY/", "").strip().split(" +", -1));
  }

  private static Helm program(int version) {
    Lab lab = cluster.lab();
    Path home = lab.work().resolve("helm");
    Path kubeconfig =
        lab.kubeconfig(
            "helm",
            "https://" + lab.controlPlane(1).address() + ":" + Lab.APISERVER_PORT,
            lab.adminToken());
    return Helm.locate(version, lab.projectRoot(), home, kubeconfig);
  }

  private static void kubectl(String... arguments) {
    cluster.lab().kubectl().run(arguments).orThrow();
  }
}
