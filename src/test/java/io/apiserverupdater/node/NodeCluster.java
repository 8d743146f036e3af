package io.apiserverupdater.node;

import io.apiserverupdater.lab.AdminClient;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.LabProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A lab for the tests of one class: three control planes, the Service {@code apiserver}, an updater
 * that keeps it in step, and nodes that boot. Used by one test thread at a time.
 */
final class NodeCluster implements BeforeAllCallback, AfterTestExecutionCallback, AfterAllCallback {
  private static final Duration SOON = Duration.ofSeconds(30);

  private final String name;
  private final List<NodePlan> plans;
  private final List<BootedNode> nodes = new ArrayList<>();
  private Optional<Lab> running = Optional.empty();

  private NodeCluster(String name, List<NodePlan> plans) {
    this.name = name;
    this.plans = plans;
  }

  /** One node for each plan; they are off at first. */
  static NodeCluster of(String name, NodePlan... plans) {
    return new NodeCluster(name, List.of(plans));
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    Lab lab = Lab.builder(name).workers().apiserverFlags("--allow-privileged=true").start();
    running = Optional.of(lab);
    lab.kubectl().run("apply", "-f", "src/test/node/cluster.yaml").orThrow();
    lab.kubectl().run("apply", "-f", "deploy/kustomize/base/service.yaml").orThrow();
    LabProcess unusedScheduler = lab.startScheduler();
    startUpdater(lab);
    NodeImage image = NodeImage.locate(lab.projectRoot());
    plans.forEach(plan -> nodes.add(create(lab, image, plan)));
    lab.awaitAddresses(
        "kube-system",
        "apiserver-ipv4",
        lab.controlPlanes().stream().map(ControlPlaneHost::address).collect(Collectors.toSet()),
        SOON);
  }

  /** On a host of its own, with the admin's rights: who may do what is tested elsewhere. */
  private static void startUpdater(Lab lab) {
    LabHost host = lab.addHost("updater", "172.30.0.4");
    LabProcess unusedUpdater =
        host.start(
            "updater",
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-Xmx48m",
                "-jar",
                System.getProperty("updater.jar"),
                "--kubeconfig="
                    + lab.kubeconfig(
                        "updater",
                        "https://" + lab.controlPlane(1).address() + ":" + Lab.APISERVER_PORT,
                        lab.adminToken()),
                "--apiserver-failover",
                "--leader-elect=false"),
            Map.of());
  }

  private static BootedNode create(Lab lab, NodeImage image, NodePlan plan) {
    LabHost host = lab.addHost(plan.name(), plan.address());
    NodeDisk disk = NodeDisk.create(image, lab.work().resolve("nodes/" + plan.name()));
    NodeConfiguration.write(disk, image, plan, lab);
    return new BootedNode(host, disk, image, lab.programs(), lab.admin(), lab.logs());
  }

  @Override
  public void afterTestExecution(ExtensionContext context) {
    if (context.getExecutionException().isEmpty()) {
      return;
    }
    System.out.println("The logs of " + context.getDisplayName() + " are in " + lab().logs());
    nodes.forEach(
        node ->
            System.out.println("The journal of " + node.name() + ":\n" + node.journalTail(100)));
  }

  @Override
  public void afterAll(ExtensionContext context) {
    nodes.forEach(BootedNode::close);
    running.ifPresent(Lab::close);
  }

  Lab lab() {
    return running.orElseThrow(() -> new IllegalStateException("the lab does not run"));
  }

  AdminClient admin() {
    return lab().admin();
  }

  /** Waits until the clusterIP leads to an apiserver from this node. */
  void awaitClusterIp(BootedNode node) {
    Deadline.in(SOON)
        .await(
            "the clusterIP on " + node.name(),
            () ->
                node.run(
                            // A connection that was begun without rules never meets them.
                            "timeout",
                            "0.3",
                            "bash",
                            "-c",
                            "exec 3<>/dev/tcp/"
                                + Lab.APISERVER_SERVICE_ADDRESS
                                + "/"
                                + Lab.APISERVER_PORT)
                        .exitCode()
                    == 0,
            () -> node.journalTail(60));
  }

  /** By number, from 1. */
  BootedNode node(int number) {
    return nodes.get(number - 1);
  }
}
