package io.apiserverupdater.node;

import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.ProxyMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Machines that kubeadm can make a cluster of: they boot, have a container runtime and the images
 * of Kubernetes and of the updater, and belong to no cluster. Used by one test thread at a time.
 */
final class KubeadmMachines
    implements BeforeAllCallback, AfterTestExecutionCallback, AfterAllCallback {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final Duration IMPORT = Duration.ofSeconds(90);
  private static final String UPDATER_IMAGE = "/usr/local/lib/lab/updater.tar";

  private final String name;
  private final int count;
  private final List<BootedNode> machines = new ArrayList<>();
  private Optional<Lab> network = Optional.empty();

  KubeadmMachines(String name, int count) {
    this.name = name;
    this.count = count;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    Lab lab = Lab.builder(name).withoutCluster().start();
    network = Optional.of(lab);
    NodeImage image = NodeImage.locate(lab.projectRoot());
    for (int number = 1; number <= count; number++) {
      machines.add(create(lab, image, number));
    }
  }

  private static BootedNode create(Lab lab, NodeImage image, int number) {
    NodePlan plan =
        new NodePlan(number, ProxyMode.IPTABLES, ProxyPlacement.POD, NodePlan.WITHOUT_BOOTSTRAP);
    LabHost host = lab.addHost(plan.name(), plan.address());
    lab.route(plan.podCidr(), host);
    NodeDisk disk = NodeDisk.create(image, lab.work().resolve("nodes/" + plan.name()));
    NodeConfiguration.writeKubeadmMachine(disk, image, plan);
    disk.copy(System.getProperty("updater.image"), UPDATER_IMAGE);
    BootedNode machine = new BootedNode(host, disk, image, lab.programs(), lab.admin(), lab.logs());
    machine.powerOn();
    machine.awaitUnit("containerd.service", "active", IMPORT);
    for (String file : List.of(NodeConfiguration.KUBERNETES_IMAGE, UPDATER_IMAGE)) {
      machine.runWithin(IMPORT, "ctr", "-n", "k8s.io", "images", "import", file).orThrow();
      disk.remove(file);
    }
    return machine;
  }

  /** By number, from 1; on at first. */
  BootedNode machine(int number) {
    return machines.get(number - 1);
  }

  Lab network() {
    return network.orElseThrow(() -> new IllegalStateException("there is no network"));
  }

  /** Somebody who follows the guide; secrets are not known yet. */
  GuideReader reader() {
    return new GuideReader(guide(), addresses());
  }

  private Guide guide() {
    return Guide.read(network().projectRoot().resolve("docs/install.md"));
  }

  private Map<String, String> addresses() {
    Map<String, String> own = new LinkedHashMap<>();
    for (int number = 1; number <= Math.min(count, 3); number++) {
      own.put("10.0.0.1" + number, machine(number).host().address());
    }
    return own;
  }

  /** The same, who has read what {@code kubeadm init} printed on that control plane. */
  GuideReader readerWithSecretsOf(BootedNode controlPlane) {
    Map<String, String> own = addresses();
    String[] words = joinCommand(controlPlane);
    for (int i = 0; i + 1 < words.length; i++) {
      if (words[i].startsWith("--")) {
        own.put(words[i] + " ...", words[i] + " " + words[i + 1]);
      }
      if (words[i + 1].startsWith("sha256:")) {
        own.put("sha256:...", words[i + 1]);
      }
    }
    return new GuideReader(guide(), own);
  }

  private static String[] joinCommand(BootedNode controlPlane) {
    String key =
        controlPlane
            .runWithin(SOON, "kubeadm", "init", "phase", "upload-certs", "--upload-certs")
            .orThrow()
            .out()
            .lines()
            .reduce("", (before, line) -> line)
            .strip();
    return controlPlane
        .runWithin(
            SOON, "kubeadm", "token", "create", "--print-join-command", "--certificate-key", key)
        .orThrow()
        .out()
        .strip()
        .split("\\s+", -1);
  }

  /** A worker joins as kubeadm tells it to, at the address that the cluster gives. */
  void join(BootedNode controlPlane, BootedNode worker) {
    List<String> command = new ArrayList<>(List.of(joinCommand(controlPlane)));
    int further = command.indexOf("--control-plane");
    worker.runWithin(SOON, command.subList(0, further).toArray(String[]::new)).orThrow();
  }

  void putPackageOnEach() {
    machines.forEach(machine -> reader().putPackage(machine));
  }

  /** The folder {@code deploy} of the checkout, for commands that name it. */
  void putManifests(BootedNode machine) {
    machine.run("mkdir", "-p", "/root/deploy").orThrow();
    machine
        .disk()
        .copy(network().projectRoot().resolve("deploy/kustomize").toString(), "/root/deploy/");
  }

  /** Asks the cluster through one of its control planes, as its admin. */
  static Execution kubectl(BootedNode controlPlane, String... arguments) {
    List<String> command =
        new ArrayList<>(List.of("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"));
    command.addAll(List.of(arguments));
    return controlPlane.runWithin(SOON, command.toArray(String[]::new));
  }

  /** Waits until the updater has published exactly these machines as ready. */
  void awaitPublished(BootedNode controlPlane, Set<Integer> numbers, Duration limit) {
    Set<String> wanted =
        numbers.stream()
            .map(number -> machine(number).host().address())
            .collect(Collectors.toSet());
    Deadline.in(limit)
        .await(
            "the slice to hold " + wanted,
            () ->
                Set.of(
                        kubectl(
                                controlPlane,
                                "--namespace=kube-system",
                                "get",
                                "endpointslices",
                                "apiserver-ipv4",
                                "--output=jsonpath={.endpoints[?(@.conditions.ready==true)].addresses[0]}")
                            .out()
                            .strip()
                            .split(" ", -1))
                    .equals(wanted),
            () -> podsAndLogs(controlPlane));
  }

  private static String podsAndLogs(BootedNode controlPlane) {
    String said = kubectl(controlPlane, "get", "pods", "--all-namespaces", "--output=wide").out();
    for (String selector :
        List.of("app.kubernetes.io/name=apiserver-updater", "k8s-app=kube-proxy")) {
      said +=
          kubectl(
                  controlPlane,
                  "--namespace=kube-system",
                  "logs",
                  "--selector=" + selector,
                  "--prefix")
              .out();
    }
    return said;
  }

  /** Waits until the cluster has this boot of the machine as Ready. */
  void awaitReady(BootedNode controlPlane, BootedNode machine, Duration limit) {
    String boot = machine.bootId();
    Deadline.in(limit)
        .await(
            machine.name() + " to be Ready",
            () ->
                kubectl(
                        controlPlane,
                        "get",
                        "node",
                        machine.name(),
                        "--output=jsonpath={.status.nodeInfo.bootID}"
                            + " {.status.conditions[?(@.type==\"Ready\")].status}")
                    .out()
                    .equals(boot + " True"),
            () -> machine.journalTail(80));
  }

  /** Waits until the machine gets an answer from the cluster as its kubelet would. */
  void awaitAnswer(BootedNode machine, Duration limit) {
    Deadline.in(limit)
        .await(
            "an answer to " + machine.name(),
            () ->
                machine
                        .run(
                            "kubectl",
                            "--kubeconfig=/etc/kubernetes/kubelet.conf",
                            "--request-timeout=2s",
                            "get",
                            "node",
                            machine.name())
                        .exitCode()
                    == 0,
            () -> machine.journalTail(80));
  }

  @Override
  public void afterTestExecution(ExtensionContext context) {
    if (context.getExecutionException().isPresent()) {
      System.out.println("The logs of " + context.getDisplayName() + " are in " + network().logs());
      machines.forEach(BootedNode::saveJournal);
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    machines.forEach(BootedNode::close);
    network.ifPresent(Lab::close);
  }
}
