package io.apiserverupdater.real;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.HttpCheck;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.LabProcess;
import io.apiserverupdater.lab.ProxyMode;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.TrafficTarget;
import io.apiserverupdater.lab.VirtualMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A worker whose kernel has IPVS: a virtual machine with a kube-proxy and with the node package,
 * unpacked. Nothing starts by itself there. Used by one test thread at a time.
 */
final class IpvsNode {
  /** For what takes seconds there: its processors are emulated. */
  static final Duration SOON = Duration.ofMinutes(3);

  private static final String SERVICE = Lab.APISERVER_SERVICE_ADDRESS + ":" + Lab.APISERVER_PORT;
  private static final String KUBE_PROXY = VirtualMachine.FILES + "/kube-proxy";
  private static final String PROXY_KUBECONFIG = "/etc/kubernetes/kube-proxy.conf";
  private static final String PROXY_CONFIGURATION = "/etc/kubernetes/kube-proxy.yaml";
  private static final String CA_FILE = VirtualMachine.FILES + "/ca.crt";

  private final Lab lab;
  private final VirtualMachine machine;
  private Optional<LabProcess> proxy = Optional.empty();

  private IpvsNode(Lab lab, VirtualMachine machine) {
    this.lab = lab;
    this.machine = machine;
  }

  /** Boots one in a lab, with all that it needs on its disk. */
  static IpvsNode start(Lab lab) {
    Path tree =
        Path.of(System.getProperty("bootstrap.deb")).resolveSibling("apiserver-bootstrap.tar.gz");
    VirtualMachine machine =
        lab.startVirtualMachine(
            "vm1",
            "172.30.4.1",
            Map.of(
                "kube-proxy",
                lab.programs().resolve("kube-proxy"),
                "apiserver-bootstrap.tar.gz",
                tree));
    lab.registerNode(machine.name(), machine.address());
    String archive = VirtualMachine.FILES + "/apiserver-bootstrap.tar.gz";
    machine.run(SOON, "tar", "--extract", "--file=" + archive, "--directory=/").orThrow();
    IpvsNode node = new IpvsNode(lab, machine);
    // What the kubelet's identity may read is tested elsewhere.
    node.writeKubeconfig("/etc/kubernetes/kubelet.conf", lab.adminToken());
    node.writeKubeconfig(PROXY_KUBECONFIG, lab.proxyToken());
    return node;
  }

  private void writeKubeconfig(String file, String token) {
    Path here =
        lab.kubeconfig(
            machine.name(), "https://" + Lab.APISERVER_NAME + ":" + Lab.APISERVER_PORT, token);
    try {
      machine.write(file, Files.readString(here).replace(lab.pki().caFile().toString(), CA_FILE));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  VirtualMachine machine() {
    return machine;
  }

  /** Boots it again: whatever was in its kernel is gone, and no kube-proxy runs. */
  void reboot() {
    machine.reboot();
    proxy.ifPresent(LabProcess::kill);
    proxy = Optional.empty();
    // As systemd does at a boot.
    machine.run(SOON, "sysctl", "--quiet", "--system").orThrow();
  }

  /**
   * Boots it again as a node on which the bootstrap, which has this configuration, never ran. The
   * name leads nowhere.
   */
  void rebootAsNew(String strategy) {
    machine.run(SOON, "rm", "-rf", "/var/lib/apiserver-bootstrap").orThrow();
    machine.write(
        "/etc/apiserver-bootstrap/bootstrap.conf",
        """
        CONTROL_PLANE = %s
        CLUSTER_IP = %s
        CA_FILE = %s
        STRATEGY = %s
        """
            .formatted(
                lab.controlPlanes().stream()
                    .map(ControlPlaneHost::address)
                    .collect(Collectors.joining(",")),
                Lab.APISERVER_SERVICE_ADDRESS,
                CA_FILE,
                strategy));
    mapName("");
    reboot();
  }

  /** Writes the hosts file: the name leads there; nowhere if the address is empty. */
  void mapName(String toAddress) {
    String entry = toAddress.isEmpty() ? "" : toAddress + " " + Lab.APISERVER_NAME + "\n";
    machine.write("/etc/hosts", "127.0.0.1 localhost\n" + entry);
  }

  /** Where the name leads, by the hosts file. */
  String target() {
    return machine
        .run(SOON, "getent", "ahostsv4", Lab.APISERVER_NAME)
        .orThrow()
        .out()
        .split("\\s+", -1)[0];
  }

  /** Starts kube-proxy in this mode, in place of one that runs, and waits for its first sync. */
  void startProxy(ProxyMode mode) {
    stopProxy();
    machine.write(
        PROXY_CONFIGURATION, lab.proxyConfiguration(mode, machine.name(), PROXY_KUBECONFIG));
    LabProcess started = machine.start("kube-proxy", KUBE_PROXY, "--config=" + PROXY_CONFIGURATION);
    proxy = Optional.of(started);
    Deadline.in(SOON)
        .await(
            "the first sync of kube-proxy",
            () -> {
              if (!started.alive()) {
                throw new LabException(started.logTail());
              }
              return HttpCheck.ok("http://" + machine.address() + ":10256/healthz");
            },
            started::logTail);
  }

  /** SIGKILL to kube-proxy, if one runs; what it has in the kernel stays. */
  void stopProxy() {
    Execution unusedKilled = machine.run(SOON, "pkill", "-KILL", "-x", "kube-proxy");
    if (proxy.isPresent()) {
      int unusedCode = proxy.get().awaitExit(SOON);
    }
    proxy = Optional.empty();
  }

  /** Runs the bootstrap, with the configuration of {@link #rebootAsNew}. */
  Execution bootstrap(String... arguments) {
    String[] line = new String[arguments.length + 1];
    line[0] = "apiserver-bootstrap";
    System.arraycopy(arguments, 0, line, 1, arguments.length);
    return machine.run(SOON, line);
  }

  /** The weights of the apiservers in IPVS, by address; empty without a virtual server. */
  Map<String, Integer> weights() {
    return column(3, machine.run(SOON, "ipvsadm", "-L", "-n", "-t", SERVICE));
  }

  /**
   * How many connections IPVS has sent to each apiserver since that was added, at least up to this
   * moment. The kernel adds up what its processors have counted once in 2 s, one apiserver after
   * the other (net/netfilter/ipvs/ip_vs_est.c): between two sums of one, it has made one of each.
   *
   * @param busy the address of an apiserver that gets connections all the time
   */
  Map<String, Integer> connections(String busy) {
    for (int sums = 0; sums < 2; sums++) {
      int before = addedUp().getOrDefault(busy, 0);
      Deadline.in(SOON)
          .await("more connections at " + busy, () -> addedUp().getOrDefault(busy, 0) > before);
    }
    return addedUp();
  }

  private Map<String, Integer> addedUp() {
    return column(2, machine.run(SOON, "ipvsadm", "-L", "-n", "--stats", "--exact", "-t", SERVICE));
  }

  /** A column of ipvsadm's lines about destinations: {@code -> ADDRESS:PORT … NUMBER …}. */
  private static Map<String, Integer> column(int index, Execution list) {
    return list.out()
        .lines()
        .map(line -> line.strip().split("\\s+", -1))
        .filter(words -> words[0].equals("->") && words[1].endsWith(":" + Lab.APISERVER_PORT))
        .collect(
            Collectors.toMap(
                words -> words[1].substring(0, words[1].lastIndexOf(':')),
                words -> Integer.valueOf(words[index]),
                (first, second) -> first,
                TreeMap::new));
  }

  /** Waits until IPVS sends new connections to exactly these. */
  void awaitRotation(Set<String> addresses) {
    Deadline.in(SOON)
        .await(
            "IPVS to have " + addresses + " in rotation",
            () ->
                weights().entrySet().stream()
                    .filter(entry -> entry.getValue() > 0)
                    .map(Map.Entry::getKey)
                    .collect(Collectors.toSet())
                    .equals(addresses),
            () -> weights() + "\n" + proxy.map(LabProcess::logTail).orElse("no kube-proxy"));
  }

  /** Whether the kernel rule of strategy nft is there. */
  boolean hasRule() {
    return machine.run(SOON, "nft", "list", "table", "ip", "apiserver_bootstrap").exitCode() == 0;
  }

  /** Whether the interface is there on which kube-proxy has the cluster IPs in IPVS mode. */
  boolean hasInterface() {
    return machine.run(SOON, "ip", "link", "show", "kube-ipvs0").exitCode() == 0;
  }

  /**
   * Requests through the Service, each over a new verified connection. One takes some 100 ms of an
   * emulated processor, so there are few of them, and their deadline is for what vanished.
   */
  Traffic traffic() {
    return machine.traffic(
        TrafficTarget.of(Lab.APISERVER_SERVICE_ADDRESS, Lab.APISERVER_PORT, Lab.APISERVER_NAME)
            .path("/version")
            .every(Duration.ofMillis(400))
            .within(Duration.ofSeconds(10)));
  }
}
