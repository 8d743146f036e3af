package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.BuildScript;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.LabProcess;
import io.apiserverupdater.sandbox.Kubeconfig;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Node package and image for arm64, as {@code ./release} has linked them on this machine from a JDK
 * for arm64. Their programs run in an emulator, which is some ten times slower: nothing here is
 * about times.
 */
@Tag("real")
@Tag("arm64")
@Timeout(300)
class Arm64Test {
  private static final Path PROJECT = Path.of(System.getProperty("project.root"));
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final String NAME = "apiserver.cluster.local";

  @TempDir Path folder;

  private static Path sysroot() {
    return BuildScript.run(PROJECT, "arm64");
  }

  @Test
  void nodePackagePinsAndHandsOver() throws IOException {
    Path sysroot = sysroot();
    Path unpacked = folder.resolve("package");
    Path deb = ReleaseFiles.file("apiserver-bootstrap_" + ReleaseFiles.VERSION + "_arm64.deb");
    Execution.run(LIMIT, "dpkg-deb", "--raw-extract", deb.toString(), unpacked.toString())
        .orThrow();
    String control = Files.readString(unpacked.resolve("DEBIAN/control"));
    assertTrue(control.contains("\nArchitecture: arm64\n"), control);
    assertTrue(control.matches("(?s).*\nDepends: libc6 \\(>= 2[.]\\d+\\).*"), control);

    Path hosts = Files.writeString(folder.resolve("hosts"), "127.0.0.1 localhost\n");
    try (SandboxCluster cluster = SandboxCluster.start()) {
      Path authority = Files.writeString(folder.resolve("ca.crt"), cluster.pki().authorityPem());
      String service = cluster.apiserver(1).ip();
      for (String command : List.of("pin", "handover")) {
        List<String> program =
            new ArrayList<>(List.of("qemu-aarch64-static", "-L", sysroot.toString()));
        program.addAll(launched(unpacked));
        program.addAll(
            List.of(
                command,
                "--config=/dev/null",
                "--control-plane=" + cluster.apiserver(0).ip(),
                "--port=" + cluster.apiserver(0).port(),
                "--cluster-ip=" + service,
                "--ca-file=" + authority,
                "--hosts-file=" + hosts,
                "--state-dir=" + folder.resolve("state"),
                "--kubeconfig=" + folder.resolve("none")));
        Execution.run(LIMIT, program.toArray(String[]::new)).orThrow();
        String pointsAt = command.equals("pin") ? cluster.apiserver(0).ip() : service;
        String content = Files.readString(hosts);
        assertTrue(
            content.lines().anyMatch(line -> line.startsWith(pointsAt) && line.contains(NAME)),
            content);
      }
    }
  }

  /**
   * What the package's own launcher starts, but that it must use the class archive. The shell that
   * runs the launcher would not be of this architecture.
   */
  private static List<String> launched(Path unpacked) throws IOException {
    String launcher = Files.readString(unpacked.resolve("usr/bin/apiserver-bootstrap"));
    Matcher start =
        Pattern.compile("(?s)\nexec (/.*) \"[$]@\"\n").matcher(launcher.replace("\\\n", ""));
    assertTrue(start.find(), launcher);
    String line = start.group(1).replace("/usr/lib/", unpacked + "/usr/lib/");
    assertTrue(line.contains(" -Xshare:auto "), line);
    return List.of(line.replace("-Xshare:auto", "-Xshare:on").split(" +", -1));
  }

  @Test
  void imageSaysWhatItWouldDoAndLeads() throws IOException {
    Path root = Files.createDirectory(folder.resolve("root"));
    ReleaseFiles.image().unpack("arm64", root);
    try (SandboxCluster cluster = SandboxCluster.start()) {
      cluster.createApiserverService("kube-system", "apiserver", "10.96.0.64");
      String user = "updater";
      Path kubeconfig = folder.resolve("kubeconfig");
      cluster
          .kubeconfig(new Kubeconfig.Identity.Token(user, cluster.access().issueToken(user)))
          .write(kubeconfig);
      // 1: it would make the slice.
      assertEquals(
          1,
          Execution.run(LIMIT, updater(root, kubeconfig, "--dry-run").toArray(String[]::new))
              .exitCode());
      Path log = folder.resolve("updater.log");
      try (LabProcess updater =
          LabProcess.start(
              "updater-arm64",
              new ProcessBuilder(updater(root, kubeconfig, "--listen=0", "--identity=arm64")),
              log)) {
        cluster.awaitTrue(
            "it leads",
            LIMIT,
            () -> cluster.leaseHolder("kube-system", "apiserver-updater").startsWith("arm64"));
        cluster.awaitTrue(
            "it publishes",
            LIMIT,
            () ->
                cluster
                    .sliceAddresses("kube-system", "apiserver-ipv4")
                    .equals(cluster.runningAddresses()));
        assertTrue(updater.alive(), updater::logText);
      }
    }
  }

  /** As the image starts it, with the C library that is in the image. */
  private static List<String> updater(Path root, Path kubeconfig, String... flags) {
    Path home = root.resolve("usr/lib/apiserver-updater");
    List<String> command =
        new ArrayList<>(
            List.of(
                "qemu-aarch64-static",
                "-L",
                root.toString(),
                home.resolve("runtime/bin/java").toString(),
                "@" + home.resolve("lib/jvm.options"),
                "-jar",
                home.resolve("lib/updater.jar").toString(),
                "--kubeconfig=" + kubeconfig,
                "--health-check=off"));
    command.addAll(List.of(flags));
    return command;
  }
}
