package io.apiserverupdater.node;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Lab;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** The bootstrap's .deb, as the build has just made it, and its configuration. */
final class NodePackage {
  static final String CONFIGURATION = "/etc/apiserver-bootstrap/bootstrap.conf";
  private static final String ON_NODE = "/root/apiserver-bootstrap.deb";

  private NodePackage() {}

  /** Installs it as a person does, on a node that is off: by dpkg, without a network. */
  static void install(NodeDisk disk) {
    Path file = Path.of(System.getProperty("bootstrap.deb"));
    disk.copy(file.toString(), ON_NODE);
    disk.chroot("dpkg", "--install", ON_NODE).orThrow();
  }

  /** Configures it for all control planes that the lab has now. */
  static void configure(NodeDisk disk, NodePlan plan, Lab lab) {
    List<String> controlPlanes =
        lab.controlPlanes().stream().map(ControlPlaneHost::address).toList();
    configure(disk, plan.strategy(), controlPlanes, "");
  }

  /**
   * Writes the configuration.
   *
   * @param further more lines, with their ends
   */
  static void configure(
      NodeDisk disk, String strategy, List<String> controlPlanes, String further) {
    disk.write(
        CONFIGURATION,
        """
        CONTROL_PLANE = %s
        CLUSTER_IP = %s
        STRATEGY = %s
        %s"""
            .formatted(
                controlPlanes.stream().collect(Collectors.joining(",")),
                Lab.APISERVER_SERVICE_ADDRESS,
                strategy,
                further));
  }
}
