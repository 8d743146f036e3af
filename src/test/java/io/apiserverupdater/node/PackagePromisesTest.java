package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the coming and going of the node package leaves, whatever its format. */
@Tag("real")
@Timeout(180)
class PackagePromisesTest {
  private static final Path PROJECT = Path.of(System.getProperty("project.root"));
  private static final String NAME = "apiserver.cluster.local";
  private static final String PROGRAM = "apiserver-bootstrap";
  private static final String CONFIGURATION = NodePackage.CONFIGURATION;
  private static final String TIMER =
      "/etc/systemd/system/timers.target.wants/apiserver-bootstrap-refresh.timer";
  private static final List<String> LINKS =
      List.of(
          "/etc/systemd/system/kubelet.service.wants/apiserver-bootstrap.service",
          "/etc/systemd/system/kube-proxy.service.wants/apiserver-bootstrap.service",
          "/etc/systemd/system/kubelet.service.wants/apiserver-bootstrap-handover.service",
          TIMER);

  @TempDir Path folder;
  private BareNode node;

  @BeforeEach
  void makeNode() {
    node = BareNode.create(PROJECT, folder.resolve("node"));
  }

  @AfterEach
  void deleteNode() {
    node.close();
  }

  @ParameterizedTest
  @EnumSource
  void isEnabledAndLeavesNothingBehindWhereItWasNeverUsed(PackageFormat format) {
    String before = node.hosts();
    String installed = format.install(node, format.file());
    assertTrue(installed.contains("set CONTROL_PLANE and CLUSTER_IP"), installed);
    for (String link : LINKS) {
      assertTrue(Files.isSymbolicLink(node.disk().path(link)), link);
    }
    String said = format.remove(node) + format.purge(node);
    assertFalse(said.contains("WARNING"), said);
    assertEquals(before, node.hosts());
    assertGone();
  }

  private void assertGone() {
    for (String gone : List.of(CONFIGURATION, "/usr/lib/apiserver-bootstrap")) {
      assertFalse(Files.exists(node.disk().path(gone)), gone);
    }
    for (String link : LINKS) {
      assertFalse(Files.isSymbolicLink(node.disk().path(link)), link);
    }
  }

  @ParameterizedTest
  @EnumSource
  void keepsWhatTheAdministratorDidOverAnUpgradeAndADowngrade(PackageFormat format)
      throws IOException {
    try (SandboxCluster cluster = SandboxCluster.start()) {
      installAndPin(format, cluster);
      String configuration = node.disk().text(CONFIGURATION);
      String hosts = node.hosts();
      Files.delete(node.disk().path(TIMER));
      Path other = Files.createDirectory(folder.resolve("other"));
      String unusedWords = format.install(node, format.withVersion("999", other));
      assertEquals(configuration, node.disk().text(CONFIGURATION));
      assertEquals(hosts, node.hosts());
      assertFalse(Files.exists(node.disk().path(TIMER)), "a disabled timer came back");
      String unusedToo = format.install(node, format.file());
      assertEquals(configuration, node.disk().text(CONFIGURATION));
      assertEquals(hosts, node.hosts());
      assertTrue(Files.isSymbolicLink(node.disk().path(LINKS.get(0))));
      assertTrue(node.run(PROGRAM, "status").orThrow().out().contains("phase     pinned"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void givesBackAnAdoptedEntryWhenItIsRemoved(PackageFormat format) {
    try (SandboxCluster cluster = SandboxCluster.start()) {
      String before = "127.0.0.1\tlocalhost\n10.9.9.9   " + NAME + " # by hand";
      node.disk().write("/etc/hosts", before);
      String unusedWords = format.install(node, format.file());
      configure(cluster);
      node.run(PROGRAM, "pin", "--adopt").orThrow();
      assertEquals(List.of(cluster.apiserver(0).ip()), targets());
      String unusedToo = format.remove(node);
      assertEquals(before, node.hosts());
    }
  }

  /** What a removed package leaves has to survive a reboot: the clusterIP would not. */
  @ParameterizedTest
  @EnumSource
  void leavesTheNameAtAControlPlaneWhenItIsRemoved(PackageFormat format) {
    try (SandboxCluster cluster = SandboxCluster.start()) {
      installAndPin(format, cluster);
      node.run(PROGRAM, "handover").orThrow();
      assertEquals(List.of(cluster.apiserver(1).ip()), targets());
      removeAndKeepTheName(format, cluster);
      String purged = format.purge(node);
      assertEquals(List.of(cluster.apiserver(0).ip()), targets(), purged);
    }
    assertGone();
  }

  @Test
  void keepsItsConfigurationUntilItIsPurged() {
    try (SandboxCluster cluster = SandboxCluster.start()) {
      installAndPin(PackageFormat.DEB, cluster);
      removeAndKeepTheName(PackageFormat.DEB, cluster);
      assertTrue(Files.exists(node.disk().path(CONFIGURATION)));
      String purged = PackageFormat.DEB.purge(node);
      assertTrue(purged.contains("the marked block stays in /etc/hosts"), purged);
    }
    for (String gone : List.of("/etc/apiserver-bootstrap", "/var/lib/apiserver-bootstrap")) {
      assertFalse(Files.exists(node.disk().path(gone)), gone);
    }
  }

  @Test
  void keepsAChangedConfigurationBesideAsRpmDoes() {
    try (SandboxCluster cluster = SandboxCluster.start()) {
      installAndPin(PackageFormat.RPM, cluster);
      String configuration = node.disk().text(CONFIGURATION);
      removeAndKeepTheName(PackageFormat.RPM, cluster);
      assertEquals(configuration, node.disk().text(CONFIGURATION + ".rpmsave"));
    }
  }

  /** Its last line changes with the block: that is no entry that comes back. */
  @Test
  void leavesTheNameAlsoWhereTheHostsFileHadNoBreakAtItsEnd() {
    node.disk().write("/etc/hosts", "127.0.0.1 localhost\n10.0.0.5 registry.local");
    try (SandboxCluster cluster = SandboxCluster.start()) {
      installAndPin(PackageFormat.DEB, cluster);
      removeAndKeepTheName(PackageFormat.DEB, cluster);
    }
  }

  @ParameterizedTest
  @EnumSource
  void leavesTheNameAtAControlPlaneWhateverTheStrategyWas(PackageFormat format) {
    try (SandboxCluster cluster = SandboxCluster.start()) {
      installAndPin(format, cluster);
      node.disk()
          .write(
              CONFIGURATION,
              node.disk().text(CONFIGURATION) + "STRATEGY = nft\nREMOVE_AFTER_HANDOVER = true\n");
      removeAndKeepTheName(format, cluster);
    }
  }

  @Test
  void saysWhyTheNameCannotBePinnedWhenItIsRemoved() {
    try (SandboxCluster cluster = SandboxCluster.start()) {
      installAndPin(PackageFormat.DEB, cluster);
      // The rule could lead to another port; an entry of the hosts file cannot.
      node.disk()
          .write(
              CONFIGURATION,
              node.disk().text(CONFIGURATION).replaceFirst("(?m)^(CONTROL_PLANE = .*)$", "$1:7443")
                  + "STRATEGY = nft\n");
      String said = PackageFormat.DEB.remove(node);
      assertTrue(said.contains("WARNING: the name could not be pinned (see above)"), said);
      assertTrue(said.contains("7443"), said);
    }
  }

  @ParameterizedTest
  @EnumSource
  void keepsTheEntryWhenItIsRemovedAndNoControlPlaneAnswers(PackageFormat format) {
    String hosts;
    try (SandboxCluster cluster = SandboxCluster.start()) {
      installAndPin(format, cluster);
      hosts = node.hosts();
    }
    String said = format.remove(node);
    assertTrue(said.contains("WARNING: no control plane answered"), said);
    assertEquals(hosts, node.hosts());
  }

  /** The first apiserver is the control plane, the second stands for the clusterIP. */
  private void configure(SandboxCluster cluster) {
    node.disk().write("/etc/kubernetes/pki/ca.crt", cluster.pki().authorityPem());
    node.disk()
        .write(
            CONFIGURATION,
            """
            CONTROL_PLANE = %s
            CLUSTER_IP = %s
            PORT = %d
            TIMEOUT = 3s
            """
                .formatted(
                    cluster.apiserver(0).ip(),
                    cluster.apiserver(1).ip(),
                    cluster.apiserver(0).port()));
  }

  private void installAndPin(PackageFormat format, SandboxCluster cluster) {
    String unusedWords = format.install(node, format.file());
    configure(cluster);
    node.run(PROGRAM, "pin").orThrow();
    assertEquals(List.of(cluster.apiserver(0).ip()), targets());
  }

  private void removeAndKeepTheName(PackageFormat format, SandboxCluster cluster) {
    String said = format.remove(node);
    assertTrue(said.contains("points at one control plane permanently"), said);
    assertEquals(List.of(cluster.apiserver(0).ip()), targets());
  }

  /** The addresses of the name, by the hosts file. */
  private List<String> targets() {
    return node.hosts()
        .lines()
        .filter(line -> !line.startsWith("#") && line.contains(NAME))
        .map(line -> line.split("\\s", 2)[0])
        .toList();
  }
}
