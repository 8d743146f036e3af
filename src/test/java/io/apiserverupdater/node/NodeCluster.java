package io.apiserverupdater.node;

import io.apiserverupdater.lab.AdminClient;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.LabProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A lab for the tests of one class: three control planes, the Service {@code apiserver}, an updater
 * that keeps it in step, and nodes that boot. Used by one test thread at a time.
 */
final class NodeCluster
    implements BeforeAllCallback, AfterTestExecutionCallback, AfterAllCallback, AutoCloseable {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final Duration LONGER = Duration.ofSeconds(60);
  private static final String IMAGE = "/root/updater-image.tar";

  private final String name;
  private final List<String> apiserverFlags;
  private final List<NodePlan> plans;
  private final Map<Integer, BootedNode> nodes = new TreeMap<>();
  private boolean ownUpdater = true;
  private Optional<Lab> running = Optional.empty();

  private NodeCluster(String name, List<String> apiserverFlags, List<NodePlan> plans) {
    this.name = name;
    this.apiserverFlags = apiserverFlags;
    this.plans = plans;
  }

  /** One node for each plan; they are off at first. */
  static NodeCluster of(String name, NodePlan... plans) {
    return of(name, List.of(), plans);
  }

  /** The same, with further flags for the apiservers. */
  static NodeCluster of(String name, List<String> apiserverFlags, NodePlan... plans) {
    return new NodeCluster(name, apiserverFlags, List.of(plans));
  }

  /** The test brings the updater, and with it the Service. */
  NodeCluster withoutUpdater() {
    ownUpdater = false;
    return this;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    start();
  }

  /** Brings it up; {@link #close} ends it. */
  void start() {
    Lab lab =
        Lab.builder(name)
            .workers()
            // For the DaemonSet of kube-proxy.
            .apiserverFlags("--allow-privileged=true")
            .apiserverFlags(apiserverFlags.toArray(String[]::new))
            .start();
    running = Optional.of(lab);
    for (String manifest :
        List.of(
            "src/test/node/cluster.yaml", "deploy/kustomize/components/node-reader/role.yaml")) {
      lab.kubectl().run("apply", "-f", manifest).orThrow();
    }
    lab.startScheduler();
    if (ownUpdater) {
      lab.kubectl().run("apply", "-f", "deploy/kustomize/base/service.yaml").orThrow();
      startUpdater(lab);
      awaitPublished();
    }
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

  private static BootedNode create(Lab lab, NodePlan plan) {
    NodeImage image = NodeImage.locate(lab.projectRoot(), plan.debian());
    LabHost host = lab.addHost(plan.name(), plan.address());
    lab.route(plan.podCidr(), host);
    NodeDisk disk = NodeDisk.create(image, lab.work().resolve("nodes/" + plan.name()));
    NodeConfiguration.write(disk, image, plan, lab);
    if (plan.hasBootstrap()) {
      NodePackage.install(disk);
      NodePackage.configure(disk, plan, lab);
    }
    return new BootedNode(host, disk, image, lab.programs(), lab.admin(), lab.logs());
  }

  @Override
  public void afterTestExecution(ExtensionContext context) {
    if (context.getExecutionException().isEmpty()) {
      return;
    }
    System.out.println("The logs of " + context.getDisplayName() + " are in " + lab().logs());
    for (BootedNode node : nodes.values()) {
      node.saveJournal();
      if (node.on()) {
        System.out.println("The journal of " + node.name() + ":\n" + node.journalTail(60));
      }
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    close();
  }

  @Override
  public void close() {
    nodes.values().forEach(BootedNode::close);
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
            () -> accepts(node, Lab.APISERVER_SERVICE_ADDRESS),
            () -> node.journalTail(60));
  }

  /** Whether a connection from this node to port 6443 of a Service gets anywhere. */
  static boolean accepts(BootedNode node, String clusterIp) {
    // A connection that was begun without rules never meets them: hence the short limit.
    String connect = "exec 3<>/dev/tcp/" + clusterIp + "/" + Lab.APISERVER_PORT;
    return node.run("timeout", "0.3", "bash", "-c", connect).exitCode() == 0;
  }

  /** The plan of a node, by number. */
  NodePlan plan(int number) {
    return plans.stream().filter(plan -> plan.number() == number).findFirst().orElseThrow();
  }

  /** The node of that number, off and fresh when it is asked for the first time. */
  BootedNode node(int number) {
    return nodes.computeIfAbsent(number, any -> create(lab(), plan(number)));
  }

  /** The node of that number, on, Ready and handed over. */
  BootedNode settled(int number) {
    BootedNode node = node(number);
    if (!node.on()) {
      node.powerOn();
    }
    long unusedReady = node.awaitSettled(SOON);
    return node;
  }

  /** The node of that number, on and Ready, and open for pods. */
  BootedNode ready(int number) {
    BootedNode node = node(number);
    node.powerOn();
    long unusedReady = node.awaitReady(LONGER);
    // What the controller does that the lab leaves out, since most of its nodes have no kubelet.
    lab()
        .kubectl()
        .run("taint", "node", node.name(), "node.kubernetes.io/not-ready:NoSchedule-")
        .orThrow();
    return node;
  }

  /** {@link #ready}, with the updater's image as the build makes it. */
  BootedNode readyForUpdater(int number) {
    node(number).disk().copy(System.getProperty("updater.image"), IMAGE);
    BootedNode node = ready(number);
    node.runWithin(LONGER, "ctr", "-n", "k8s.io", "images", "import", IMAGE).orThrow();
    return node;
  }

  /** Starts what is not running of the control planes, and waits until all are published. */
  void restoreControlPlanes() {
    boolean restarted = false;
    for (ControlPlaneHost controlPlane : lab().controlPlanes()) {
      if (!controlPlane.process().alive()) {
        controlPlane.restart();
        restarted = true;
      }
    }
    if (restarted) {
      // They may have lost their apiserver, and then wait for long before they try again: a new
      // node's pods would be neither made nor placed meanwhile.
      lab().startControllerManager();
      lab().startScheduler();
    }
    awaitPublished();
  }

  /** Waits until the updater has published all control planes of the lab. */
  void awaitPublished() {
    lab()
        .awaitAddresses(
            "kube-system",
            "apiserver-ipv4",
            lab().controlPlanes().stream()
                .map(ControlPlaneHost::address)
                .collect(Collectors.toSet()),
            SOON);
  }
}
