package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.BuildScript;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Kubectl;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.LabProcess;
import io.apiserverupdater.lab.ProxyMode;
import io.apiserverupdater.manifests.Helm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * A release is pushed into a registry and installed from there, by the commands of docs/install.md
 * in the folder that {@code ./release} has made. The registry is on the loopback of each node,
 * where the kubelet's pull finds it without TLS.
 */
@Tag("real")
@Tag("arm64")
@Timeout(240)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ReleaseInstallTest {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final List<LabProcess> REGISTRIES = new ArrayList<>();

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
              "release",
              new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
              new NodePlan(2, ProxyMode.IPTABLES, ProxyPlacement.UNIT, "hosts"))
          .withoutUpdater();

  @AfterAll
  static void stopRegistries() {
    REGISTRIES.forEach(LabProcess::close);
  }

  @Test
  @Order(1)
  void chartInstallsTheImageFromTheRegistry() {
    for (int number = 1; number <= 2; number++) {
      push(cluster.ready(number).host());
    }
    // The chart brings the Role.
    cluster
        .lab()
        .kubectl()
        .run("delete", "-f", "deploy/kustomize/components/node-reader/role.yaml")
        .orThrow();
    follow("release, admin with Helm");
    awaitInstalled();
    for (int number = 1; number <= 2; number++) {
      cluster.node(number).awaitHandover(SOON);
      assertEquals(Lab.APISERVER_SERVICE_ADDRESS, cluster.node(number).target(Lab.APISERVER_NAME));
    }
  }

  /** Of the index each node has taken the image of its architecture. */
  @Test
  @Order(2)
  void nodesHaveTheImageByItsDigest() {
    String digest = ReleaseFiles.image().descriptor().get("digest").getAsString();
    for (int number = 1; number <= 2; number++) {
      String listed =
          cluster
              .node(number)
              .run("ctr", "-n", "k8s.io", "images", "list", "name==" + ReleaseFiles.IMAGE)
              .orThrow()
              .out();
      assertTrue(listed.contains(digest), listed);
    }
  }

  @Test
  @Order(3)
  void oneFileInstallsTheSame() {
    Execution unusedUninstalled =
        helm("uninstall", "apiserver-updater", "--namespace=kube-system", "--wait");
    follow("release, admin");
    awaitInstalled();
  }

  /**
   * By the README's lines after the build, with the registry of the lab. What they install again is
   * the updater; Service and slice stay, as the nodes use them.
   */
  @Test
  @Order(4)
  void readmeInstallsFromACheckout(@TempDir Path checkout) throws IOException {
    cluster
        .lab()
        .kubectl()
        .run("delete", "-n", "kube-system", "deployment/apiserver-updater")
        .orThrow();
    Execution.run(
            new ProcessBuilder(
                    "cp", "--recursive", "--parents", "deploy/kustomize", checkout.toString())
                .directory(cluster.lab().projectRoot().toFile()),
            SOON)
        .orThrow();
    String readme = Files.readString(cluster.lab().projectRoot().resolve("README.md"));
    List<String> lines =
        CommandsTest.blocks(readme)
            .map(line -> line.replace("CLUSTER-IP", Lab.APISERVER_SERVICE_ADDRESS))
            .map(line -> line.replace("REGISTRY", ReleaseFiles.REGISTRY))
            .filter(line -> line.startsWith("sed ") || line.startsWith("kubectl "))
            .toList();
    assertTrue(lines.size() >= 5, lines::toString);
    for (String line : lines) {
      if (line.startsWith("sed ")) {
        Execution.run(new ProcessBuilder("sh", "-ec", line).directory(checkout.toFile()), SOON)
            .orThrow();
      } else {
        kubectl(checkout, line.substring("kubectl ".length()).split(" +", -1)).orThrow();
      }
    }
    awaitInstalled();
  }

  /** Into a registry of its own on that node. */
  private static void push(LabHost host) {
    String crane =
        BuildScript.run(cluster.lab().projectRoot(), "crane").resolve("crane").toString();
    Map<String, String> home = Map.of("HOME", cluster.lab().work().toString());
    LabProcess registry =
        host.start(
            "registry",
            List.of(crane, "registry", "serve", "--address=" + ReleaseFiles.REGISTRY),
            home);
    REGISTRIES.add(registry);
    registry.awaitLog("the port", line -> line.contains("serving on port"), SOON);
    host.run(SOON, home, crane, "push", ReleaseFiles.file("image").toString(), ReleaseFiles.IMAGE)
        .orThrow();
  }

  private static void awaitInstalled() {
    cluster
        .lab()
        .kubectl()
        .run("rollout", "status", "-n", "kube-system", "deployment/apiserver-updater")
        .orThrow();
    cluster.awaitPublished();
  }

  /** Runs the lines of the guide's blocks of that kind in the folder of the release. */
  private static void follow(String where) {
    List<Guide.Block> blocks =
        Guide.read(cluster.lab().projectRoot().resolve("docs/install.md")).blocks(where);
    assertTrue(!blocks.isEmpty(), where);
    for (Guide.Block block : blocks) {
      for (String line : block.text().replace("\\\n", "").lines().toList()) {
        List<String> words = List.of(line.strip().split(" +", -1));
        String[] arguments = words.subList(1, words.size()).toArray(String[]::new);
        Execution done =
            switch (words.get(0)) {
              case "kubectl" -> kubectl(ReleaseFiles.FOLDER, arguments);
              case "helm" -> helm(arguments);
              default -> throw new IllegalStateException("not a command of the admin: " + line);
            };
        assertEquals(0, done.exitCode(), () -> GuideReader.at(block, done));
      }
    }
  }

  private static Execution kubectl(Path folder, String... arguments) {
    Kubectl kubectl = cluster.lab().kubectl();
    return new Kubectl(
            kubectl.program(), kubectl.kubeconfig(), kubectl.home(), folder, kubectl.address())
        .run(arguments);
  }

  private static Execution helm(String... arguments) {
    Lab lab = cluster.lab();
    Path kubeconfig =
        lab.kubeconfig(
            "helm",
            "https://" + lab.controlPlane(1).address() + ":" + Lab.APISERVER_PORT,
            lab.adminToken());
    Helm helm = Helm.locate(4, lab.projectRoot(), lab.work().resolve("helm"), kubeconfig);
    return new Helm(helm.program(), ReleaseFiles.FOLDER, helm.home(), helm.kubeconfig())
        .run(arguments);
  }
}
