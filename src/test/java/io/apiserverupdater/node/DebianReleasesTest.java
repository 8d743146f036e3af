package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.BuildScript;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.ProxyMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The package comes, is upgraded and goes on nodes of the Debian releases before and after that of
 * the other tests' nodes.
 */
@Tag("real")
@Timeout(300)
class DebianReleasesTest {
  private static final Path PROJECT = Path.of(System.getProperty("project.root"));
  private static final Path JDKS = Path.of("/usr/lib/jvm");
  private static final Duration SOON = Duration.ofSeconds(60);

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "debian-releases",
          // Its nft is too old for kube-proxy's nftables mode.
          new NodePlan(
              1, ProxyMode.IPTABLES, ProxyPlacement.UNIT, NodePlan.WITHOUT_BOOTSTRAP, "bullseye"),
          new NodePlan(
              2, ProxyMode.NFTABLES, ProxyPlacement.UNIT, NodePlan.WITHOUT_BOOTSTRAP, "trixie"));

  @TempDir Path folder;

  /**
   * From Debian 11's own JDK, since the files of a newer one need a newer glibc; then a rebuild of
   * the same version, from a JDK as a release should be built from, if the machine has one.
   */
  @Test
  @Tag("debian11")
  void debian11() throws IOException {
    String jdk = BuildScript.run(PROJECT, "debian11").toString();
    String another = temurin().map(Path::toString).orElse(jdk);
    System.out.println("figure: Debian 11: from the runtime of " + jdk + " to that of " + another);
    Path rebuilt = built(another, "2");
    assertEquals(System.getProperty("build.version") + "-2", version(rebuilt));
    BootedNode node = cluster.node(1);
    comes(node, "11", built(jdk, "1"));
    isUpgraded(node, rebuilt);
    goes(node);
  }

  /** With what the .rpm adds for SELinux, which is not on here: it must do nothing then. */
  @Test
  void debian13() throws IOException {
    BootedNode node = cluster.node(2);
    node.disk().copy(PROJECT.resolve("deploy/rpm/tree") + "/.", "/");
    Path upgrade = PackageFormat.DEB.withVersion("9.9.9", folder);
    comes(node, "13", PackageFormat.DEB.file());
    assertRestoresTheLabel(node, "apiserver-bootstrap.service", "ExecStartPost");
    assertRestoresTheLabel(node, "apiserver-bootstrap-handover.service", "ExecStopPost");
    isUpgraded(node, upgrade);
    goes(node);
  }

  /** It runs once the unit's program has ended, which is a moment after the name is handed over. */
  private static void assertRestoresTheLabel(BootedNode node, String unit, String setting) {
    Deadline.in(SOON)
        .await(
            setting + " of " + unit,
            () -> {
              String command = node.unit(unit, setting);
              return command.contains("restorecon") && command.contains("code=exited ; status=0 ");
            },
            () -> node.unit(unit, setting) + node.unit(unit, "ActiveState"));
  }

  /** A JDK of this machine whose files need an old glibc: Temurin's, 2.17. */
  private static Optional<Path> temurin() throws IOException {
    try (Stream<Path> jdks = Files.list(JDKS)) {
      return jdks.filter(jdk -> jdk.getFileName().toString().startsWith("temurin-"))
          .filter(jdk -> Files.isExecutable(jdk.resolve("bin/jlink")))
          .min(Comparator.naturalOrder());
    }
  }

  private Path built(String jdk, String revision) {
    return BuildCopy.of(PROJECT, folder.resolve("revision-" + revision)).deb(jdk, revision);
  }

  /** Installed on a machine that is off, as an image for machines is made. */
  private static void comes(BootedNode node, String debian, Path deb) {
    assertTrue(
        node.disk().text("/etc/debian_version").startsWith(debian + "."),
        () -> node.disk().text("/etc/debian_version"));
    NodePackage.install(node.disk(), deb);
    configure(node, "hosts");
    node.powerOn();
    long ready = node.awaitSettled(SOON);
    System.out.println("figure: Debian " + debian + ": " + BootTimes.of(node, ready));
    assertKubeletUsesTheClusterIp(node);
  }

  /** Running, and with the other strategy at the next boot. */
  private static void isUpgraded(BootedNode node, Path upgrade) {
    String kubelet = node.unit("kubelet.service", "MainPID");
    byte[] hosts = node.hostsFile();
    node.disk().copy(upgrade.toString(), "/root/upgrade.deb");
    node.runWithin(SOON, "dpkg", "--install", "/root/upgrade.deb").orThrow();
    assertEquals(version(upgrade), NodePackage.version(node));
    assertArrayEquals(hosts, node.hostsFile());
    assertEquals(kubelet, node.unit("kubelet.service", "MainPID"), "the kubelet was restarted");

    configure(node, "nft");
    node.reboot();
    long ready = node.awaitSettled(SOON);
    System.out.println("figure: " + node.name() + ", nft: " + BootTimes.of(node, ready));
    node.run("nft", "list", "table", "ip", "apiserver_bootstrap").orThrow();
    assertKubeletUsesTheClusterIp(node);
  }

  /** Running; then it boots without it. */
  private static void goes(BootedNode node) {
    Execution removed = node.runWithin(SOON, "dpkg", "--remove", "apiserver-bootstrap").orThrow();
    PackageLifeTest.assertLeadsToAControlPlane(cluster, node, removed);
    assertTrue(Files.exists(node.disk().path(NodePackage.CONFIGURATION)));
    Execution purged = node.runWithin(SOON, "dpkg", "--purge", "apiserver-bootstrap").orThrow();
    PackageLifeTest.assertLeadsToAControlPlane(cluster, node, purged);
    assertFalse(Files.exists(node.disk().path(NodePackage.CONFIGURATION)));
    assertFalse(Files.exists(node.disk().path("/var/lib/apiserver-bootstrap")));
    node.reboot();
    long unusedReady = node.awaitReady(SOON);
    cluster.awaitClusterIp(node);
    node.powerOff();
  }

  private static void configure(BootedNode node, String strategy) {
    List<String> controlPlanes =
        cluster.lab().controlPlanes().stream().map(ControlPlaneHost::address).toList();
    NodePackage.configure(node.disk(), strategy, controlPlanes, Lab.APISERVER_SERVICE_ADDRESS);
  }

  /** The kubelet connects again for that: what it has opened before outlives the hand-over. */
  private static void assertKubeletUsesTheClusterIp(BootedNode node) {
    assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
    node.run("systemctl", "restart", "kubelet").orThrow();
    Deadline.in(SOON)
        .await(
            "answers to the kubelet of " + node.name(),
            () -> answered(node) > 5,
            () -> node.journalTail(60));
    List<String> connections =
        node.run("ss", "-Htnp", "state", "established", "dport", "=", ":" + Lab.APISERVER_PORT)
            .orThrow()
            .out()
            .lines()
            .filter(line -> line.contains("\"kubelet\""))
            .toList();
    String clusterIp = Lab.APISERVER_SERVICE_ADDRESS + ":" + Lab.APISERVER_PORT;
    assertFalse(connections.isEmpty());
    assertTrue(
        connections.stream().allMatch(line -> line.contains(clusterIp)), connections::toString);
  }

  /** None yet, if the kubelet does not tell. */
  private static long answered(BootedNode node) {
    try {
      return Kubelet.answeredRequests(node);
    } catch (LabException e) {
      return 0;
    }
  }

  private static String version(Path deb) {
    return Execution.run(SOON, "dpkg-deb", "--field", deb.toString(), "Version")
        .orThrow()
        .out()
        .strip();
  }
}
