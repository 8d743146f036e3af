package io.apiserverupdater.node;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The bootstrap's .deb, as the build has just made it, its configuration, and what it says. */
final class NodePackage {
  static final String CONFIGURATION = "/etc/apiserver-bootstrap/bootstrap.conf";
  private static final Duration REPACK = Duration.ofSeconds(60);
  private static final String ON_NODE = "/root/apiserver-bootstrap.deb";
  private static final Pattern CANDIDATES = Pattern.compile("candidates=(\\S+)");

  private NodePackage() {}

  /** Installs it as a person does, on a node that is off: by dpkg, without a network. */
  static void install(NodeDisk disk) {
    install(disk, Path.of(System.getProperty("bootstrap.deb")));
  }

  /** Installs another file in the same way. */
  static void install(NodeDisk disk, Path deb) {
    disk.copy(deb.toString(), ON_NODE);
    disk.chroot("dpkg", "--install", ON_NODE).orThrow();
  }

  /** What {@code tar} lists of the files in a .deb. */
  static String files(Path deb) {
    return Execution.run(
            REPACK, "sh", "-c", "dpkg-deb --fsys-tarfile \"$1\" | tar --list", "sh", deb.toString())
        .orThrow()
        .out();
  }

  /** Makes the same package under another version, on the node: /root/…_VERSION.deb. */
  static void repack(BootedNode node, String version) {
    node.runWithin(
            REPACK,
            "sh",
            "-ec",
            """
            rm -rf /root/package
            dpkg-deb --raw-extract "$1" /root/package
            sed -i "s/^Version: .*/Version: $2/" /root/package/DEBIAN/control
            dpkg-deb --root-owner-group -Zgzip -z1 --build /root/package \
              "/root/apiserver-bootstrap_$2.deb"
            rm -rf /root/package
            """,
            "sh",
            ON_NODE,
            version)
        .orThrow();
  }

  /** The version that is installed; empty when none is. */
  static String version(BootedNode node) {
    Execution asked =
        node.run(
            "dpkg-query",
            "--show",
            "--showformat=${db:Status-Status} ${Version}",
            "apiserver-bootstrap");
    return asked.out().startsWith("installed ") ? asked.out().substring(10) : "";
  }

  /** In which order the node would ask these control planes, as it says itself: A:6443,B:6443,… */
  static String order(BootedNode node, List<String> controlPlanes) {
    Execution shown =
        node.run(
            "apiserver-bootstrap",
            "pin",
            "--dry-run",
            "--timeout=1ms",
            "--state-dir=/run/not-there",
            "--control-plane=" + String.join(",", controlPlanes));
    Matcher candidates = CANDIDATES.matcher(shown.err());
    if (!candidates.find()) {
      throw new LabException("no candidates in " + shown);
    }
    return candidates.group(1);
  }

  /** Configures it for all control planes that the lab has now. */
  static void configure(NodeDisk disk, NodePlan plan, Lab lab) {
    List<String> controlPlanes =
        lab.controlPlanes().stream().map(ControlPlaneHost::address).toList();
    configure(disk, plan.strategy(), controlPlanes, Lab.APISERVER_SERVICE_ADDRESS);
  }

  /** Writes the configuration. */
  static void configure(
      NodeDisk disk, String strategy, List<String> controlPlanes, String clusterIp) {
    disk.write(
        CONFIGURATION,
        """
        CONTROL_PLANE = %s
        CLUSTER_IP = %s
        STRATEGY = %s
        """
            .formatted(String.join(",", controlPlanes), clusterIp, strategy));
  }
}
