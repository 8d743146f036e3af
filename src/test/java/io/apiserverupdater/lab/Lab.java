package io.apiserverupdater.lab;

import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/**
 * A real cluster on this machine: etcd, kube-apiservers with the lease reconciler,
 * kube-controller-manager and workers with kube-proxy, each host a network namespace on one bridge.
 * It runs inside {@code src/test/lab-namespace} only, one at a time. Used by one test thread at a
 * time, except where a part of it says that it is thread-safe.
 *
 * <p>Workers have no kubelet: what runs "in a pod" there is a process, see {@link #pod}. Workers
 * that boot, with a kubelet and real pods, are added by the package {@code node}.
 *
 * <pre>
 *   172.30.0.1  the bridge, where the tests are
 *   172.30.0.2  etcd             172.30.1.N  control plane cpN
 *   172.30.0.3  kcm              172.30.2.N  worker wN
 *                                172.30.3.N  node nN, which boots
 *                                172.30.4.N  virtual machine vmN
 * </pre>
 */
public final class Lab implements AutoCloseable {
  public static final int APISERVER_PORT = 6443;

  /** The name under which hosts know the control plane; in every serving certificate. */
  public static final String APISERVER_NAME = "apiserver.cluster.local";

  public static final String SERVICE_CIDR = "10.96.0.0/12";
  public static final String KUBERNETES_SERVICE_ADDRESS = "10.96.0.1";

  /** In the certificates, for the Service that the updater maintains. */
  public static final String APISERVER_SERVICE_ADDRESS = "10.96.0.64";

  /** In memory, and private to the universe. */
  private static final Path MEMORY = Path.of("/run/lab");

  private static final Path UNIVERSE = MEMORY.resolve("universe");
  private static final Duration START = Duration.ofSeconds(60);

  private final Path projectRoot;
  private final KubeBinaries binaries;
  private final LabFiles files;
  private final LabNetwork network;
  private final LabPki pki;
  private final Kubeconfigs kubeconfigs;
  private final AdminClient admin;
  private final PublishedAddresses published;
  private final Kubectl kubectl;
  private final ApiserverCommand apiserver;
  private final NodeSettings nodeSettings;
  private final List<ControlPlaneHost> controlPlanes = new CopyOnWriteArrayList<>();
  private final List<Worker> workers = new ArrayList<>();
  // Of control planes so far: an address is never given out twice.
  private int launched;
  private Optional<Etcd> etcd = Optional.empty();
  private Optional<LabProcess> controllerManager = Optional.empty();
  private Optional<LabProcess> scheduler = Optional.empty();

  private Lab(Builder builder, LabFiles files) {
    this.projectRoot = builder.projectRoot;
    this.files = files;
    this.binaries = KubeBinaries.locate(builder.projectRoot);
    this.network = new LabNetwork(files);
    this.pki = LabPki.create(files.work());
    this.kubeconfigs = new Kubeconfigs(files, pki.caFile());
    this.admin =
        AdminClient.create(
            pki.ca().certificate(),
            () -> AdminClient.url(reachableAddress()),
            LabUser.ADMIN.token());
    this.published = new PublishedAddresses(admin);
    this.kubectl =
        new Kubectl(
            binaries.program("kubectl"),
            kubeconfigs.write("admin", url(controlPlaneAddress(1)), LabUser.ADMIN.token()),
            files.work(),
            builder.projectRoot,
            this::reachableAddress);
    this.apiserver = new ApiserverCommand(binaries, pki, files, builder.apiserverFlags);
    this.nodeSettings = builder.nodeSettings;
  }

  /**
   * Starts the description of a lab.
   *
   * @param name names the logs' folder, usually the test's class
   */
  public static Builder builder(String name) {
    return new Builder(name);
  }

  /** What the cluster is to be. */
  public static final class Builder {
    private final String name;
    private Path projectRoot =
        Path.of(System.getProperty("project.root", "")).toAbsolutePath().normalize();
    private int controlPlanes = 3;
    private List<ProxyMode> workers = List.of(ProxyMode.NFTABLES, ProxyMode.IPTABLES);
    private final List<String> apiserverFlags = new ArrayList<>();
    private NodeSettings nodeSettings = NodeSettings.UNTOUCHED;
    private boolean cluster = true;

    private Builder(String name) {
      this.name = name;
    }

    /** 3 if not set. */
    public Builder controlPlanes(int count) {
      this.controlPlanes = count;
      return this;
    }

    /** One worker for each mode; nftables and iptables if not set. */
    public Builder workers(ProxyMode... modes) {
      this.workers = List.copyOf(Arrays.asList(modes));
      return this;
    }

    /** Further flags for each kube-apiserver, such as {@code --shutdown-delay-duration=5s}. */
    public Builder apiserverFlags(String... flags) {
      this.apiserverFlags.addAll(Arrays.asList(flags));
      return this;
    }

    /** What each worker is given; nothing if not set. */
    public Builder nodeSettings(NodeSettings settings) {
      this.nodeSettings = settings;
      return this;
    }

    /** The network alone: the test brings hosts, and makes a cluster of them in its own way. */
    public Builder withoutCluster() {
      this.cluster = false;
      return this;
    }

    /** The checkout; the system property {@code project.root} or the current folder if not set. */
    public Builder projectRoot(Path folder) {
      this.projectRoot = folder.toAbsolutePath().normalize();
      return this;
    }

    /**
     * Starts everything and waits until it is ready.
     *
     * @throws LabException with the end of a component's log when it is not; nothing is left then
     */
    public Lab start() {
      if (!Files.exists(UNIVERSE)) {
        throw new LabException(
            "the lab makes network namespaces and mounts, so it runs in a universe of its own:"
                + " src/test/lab-namespace COMMAND");
      }
      if (LabNetwork.exists()) {
        throw new LabException("another lab runs in this universe; close it first");
      }
      Lab lab = new Lab(this, LabFiles.create(MEMORY, projectRoot, name));
      try {
        lab.network.createBridge();
        if (cluster) {
          lab.bringUp(controlPlanes, workers);
        }
        return lab;
      } catch (RuntimeException e) {
        try {
          lab.close();
        } catch (RuntimeException alsoFailed) {
          e.addSuppressed(alsoFailed);
        }
        throw e;
      }
    }
  }

  private void bringUp(int controlPlaneCount, List<ProxyMode> modes) {
    Etcd store =
        Etcd.start(network.addHost("etcd", "172.30.0.2"), binaries, files.work().resolve("etcd"));
    etcd = Optional.of(store);
    store.awaitReady();
    // One after the other: of apiservers that publish their addresses in the same moment, one
    // loses the conflict and tries again 10 s later.
    for (int i = 1; i <= controlPlaneCount; i++) {
      launchControlPlane().awaitReady();
    }
    awaitAddresses(
        "default",
        "kubernetes",
        controlPlanes.stream().map(ControlPlaneHost::address).collect(Collectors.toSet()),
        START);
    for (int i = 1; i <= modes.size(); i++) {
      launchWorker(i, modes.get(i - 1));
    }
    startControllerManager();
    workers.forEach(Worker::awaitProxy);
  }

  private static String controlPlaneAddress(int number) {
    return "172.30.1." + number;
  }

  private static String url(String controlPlaneAddress) {
    return "https://" + controlPlaneAddress + ":" + APISERVER_PORT;
  }

  /**
   * The command that makes a host of the test's own a control plane; nothing is started. Its
   * arguments name files in {@link #work()}.
   */
  public List<String> apiserverCommand(LabHost host) {
    return apiserver.on(host, etcd().url(), files.logs().resolve(host.name() + "-audit.log"));
  }

  private ControlPlaneHost launchControlPlane(String... furtherFlags) {
    launched++;
    LabHost host = network.addHost("cp" + launched, controlPlaneAddress(launched));
    Path audit = files.logs().resolve(host.name() + "-audit.log");
    ControlPlaneHost controlPlane =
        new ControlPlaneHost(
            host, apiserver.on(host, etcd().url(), audit), List.of(furtherFlags), audit, admin);
    controlPlanes.add(controlPlane);
    return controlPlane;
  }

  /**
   * A further control plane joins, under a new address. It is ready when this returns, and its
   * address is published in {@code default/kubernetes} soon after or already.
   *
   * @param furtherFlags for this one alone, besides those of all
   */
  public ControlPlaneHost addControlPlane(String... furtherFlags) {
    ControlPlaneHost added = launchControlPlane(furtherFlags);
    added.awaitReady();
    return added;
  }

  /** Flags that give a control plane, at its next start, a new certificate, good for so long. */
  public String[] certificate(ControlPlaneHost controlPlane, Duration validity) {
    LabPki.ServingFiles files = pki.serving(controlPlane.name(), controlPlane.address(), validity);
    return new String[] {
      "--tls-cert-file=" + files.certificate(), "--tls-private-key-file=" + files.key()
    };
  }

  /** Takes a control plane, whose apiserver must have ended, away for good, with its host. */
  public void removeControlPlane(ControlPlaneHost controlPlane) {
    if (controlPlane.process().alive()) {
      throw new LabException(controlPlane.name() + " still runs");
    }
    network.removeHost(controlPlane.name());
    controlPlanes.remove(controlPlane);
  }

  private void launchWorker(int number, ProxyMode mode) {
    LabHost host = network.addHost("w" + number, "172.30.2." + number);
    // Each starts at another control plane, as a boot-time choice would have it.
    host.mapName(APISERVER_NAME, controlPlanes.get((number - 1) % controlPlanes.size()).address());
    Path kubeconfig =
        kubeconfig(host.name() + "-proxy", url(APISERVER_NAME), LabUser.KUBE_PROXY.token());
    Path config =
        KubeProxyConfig.write(files, host, mode, nodeSettings.proxyMinSyncPeriod(), kubeconfig);
    registerNode(host.name(), host.address());
    workers.add(
        new Worker(
            host,
            mode,
            List.of(binaries.program("kube-proxy"), "--config=" + config),
            binaries.program("traffic"),
            nodeSettings,
            pki.caFile(),
            files.logs()));
  }

  /** Without its Node a kube-proxy waits for 30 s before it does anything. */
  public void registerNode(String name, String address) {
    JsonObject node =
        admin.create(
            "/api/v1/nodes",
            """
            {"apiVersion": "v1", "kind": "Node",
             "metadata": {"name": "%1$s", "labels": {"kubernetes.io/hostname": "%1$s"}},
             "status": {"addresses": [{"type": "InternalIP", "address": "%2$s"}]}}
            """
                .formatted(name, address));
    if (!node.has("status")) {
      throw new LabException("the apiserver dropped the addresses of Node " + name);
    }
  }

  /**
   * Starts kube-controller-manager (again, if it runs), attached to the last reachable control
   * plane, and waits until it works.
   */
  public void startControllerManager() {
    stopControllerManager();
    controllerManager =
        Optional.of(
            ControllerManager.start(
                network.addHost("kcm", "172.30.0.3"),
                binaries,
                pki,
                kubeconfig("kcm", lastReachable(), LabUser.CONTROLLER_MANAGER.token()),
                admin));
  }

  /** Starts kube-scheduler, beside kube-controller-manager and by the same rules. */
  public void startScheduler() {
    scheduler.ifPresent(LabProcess::kill);
    scheduler =
        Optional.of(
            host("kcm")
                .start(
                    "kube-scheduler",
                    List.of(
                        binaries.program("kube-scheduler"),
                        "--kubeconfig="
                            + kubeconfig("scheduler", lastReachable(), LabUser.SCHEDULER.token()),
                        "--leader-elect=false"),
                    Map.of()));
  }

  /** The URL of the control plane that tests kill the least. */
  private String lastReachable() {
    return controlPlanes.stream()
        .filter(ControlPlaneHost::reachable)
        .reduce((first, second) -> second)
        .map(via -> url(via.address()))
        .orElseThrow(() -> new LabException("no control plane is reachable"));
  }

  /** A further host, for programs of the test's own. */
  public LabHost addHost(String hostName, String address) {
    return network.addHost(hostName, address);
  }

  /**
   * Boots a machine with a kernel of its own; it ends with the lab. Run {@code src/test/vm/build}
   * before entering the universe.
   *
   * @param given what it finds in {@link VirtualMachine#FILES}, by name, beside the lab's CA and
   *     the program that makes requests
   */
  public VirtualMachine startVirtualMachine(
      String machineName, String address, Map<String, Path> given) {
    Path image = BuildScript.run(projectRoot, "vm");
    Map<String, Path> all = new HashMap<>(given);
    all.put(VirtualMachine.CA_FILE, pki.caFile());
    all.put(VirtualMachine.TRAFFIC, Path.of(binaries.program("traffic")));
    return network.startVirtualMachine(machineName, address, image, all);
  }

  /** From now on all hosts reach these addresses, those of a host's pods, through that host. */
  public void route(String cidr, LabHost via) {
    network.route(cidr, via);
  }

  /** SIGKILL to kube-controller-manager. */
  public void stopControllerManager() {
    controllerManager.ifPresent(LabProcess::kill);
  }

  /** In the order cp1, cp2, …, dead ones included, removed ones not. */
  public List<ControlPlaneHost> controlPlanes() {
    return List.copyOf(controlPlanes);
  }

  /** By number, from 1; of those that {@link #controlPlanes} has. */
  public ControlPlaneHost controlPlane(int number) {
    return controlPlanes.get(number - 1);
  }

  /** In the order w1, w2, … */
  public List<Worker> workers() {
    return List.copyOf(workers);
  }

  /** By number, from 1. */
  public Worker worker(int number) {
    return workers.get(number - 1);
  }

  /** Any host by name: etcd, kcm, cp1, w1, … */
  public LabHost host(String hostName) {
    return network.host(hostName);
  }

  public Etcd etcd() {
    return etcd.orElseThrow(() -> new LabException("etcd was never started"));
  }

  /** The last one started, if any. */
  public Optional<LabProcess> controllerManager() {
    return controllerManager;
  }

  public LabPki pki() {
    return pki;
  }

  /** The admin at the first reachable control plane, chosen again for each call. */
  public AdminClient admin() {
    return admin;
  }

  public Kubectl kubectl() {
    return kubectl;
  }

  /** The folder of all log files; it stays. */
  public Path logs() {
    return files.logs();
  }

  /** A folder in memory for the test's own files; it goes with the lab. */
  public Path work() {
    return files.work();
  }

  public String adminToken() {
    return LabUser.ADMIN.token();
  }

  /** With it a kubelet can join the cluster. */
  public String joinToken() {
    return LabUser.NODE_JOIN.token();
  }

  /** With it a kube-proxy that is not one of the lab's own can work. */
  public String proxyToken() {
    return LabUser.KUBE_PROXY.token();
  }

  /** The configuration of such a kube-proxy. */
  public String proxyConfiguration(ProxyMode mode, String nodeName, String kubeconfig) {
    return KubeProxyConfig.text(mode, nodeSettings.proxyMinSyncPeriod(), nodeName, kubeconfig);
  }

  /** The folder of the programs of Kubernetes. */
  public Path programs() {
    return binaries.folder();
  }

  /** The checkout. */
  public Path projectRoot() {
    return projectRoot;
  }

  /** Writes a kubeconfig of that name with one context, for a token. */
  public Path kubeconfig(String fileName, String server, String token) {
    return kubeconfigs.write(fileName, server, token);
  }

  /** A token for a service account, good for an hour. */
  public String requestToken(String namespace, String serviceAccount) {
    return PodProcess.tokenIn(
        admin.create(
            "/api/v1/namespaces/" + namespace + "/serviceaccounts/" + serviceAccount + "/token",
            """
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
             "spec": {"expirationSeconds": 3600}}
            """));
  }

  /** Prepares a process on a worker that believes to be in a pod of that name. */
  public PodProcess.Builder pod(Worker worker, String podName) {
    return new PodProcess.Builder(this, worker.host(), podName, work().resolve("pods/" + podName));
  }

  /** Starts a stream of requests from any host; close it to stop them. */
  public Traffic traffic(LabHost host, TrafficTarget target) {
    return Traffic.start(host, binaries.program("traffic"), target, pki.caFile(), files.logs());
  }

  /** The audit logs of all control planes, by time, of requests received then or later. */
  public List<AuditEntry> auditSince(Instant from) {
    List<AuditEntry> entries = new ArrayList<>();
    controlPlanes.forEach(controlPlane -> entries.addAll(controlPlane.auditSince(from)));
    entries.sort(Comparator.comparing(AuditEntry::received));
    return entries;
  }

  /** The addresses that an EndpointSlice holds, ready or not; none when there is no slice. */
  public Set<String> addresses(String namespace, String slice) {
    return published.in(namespace, slice);
  }

  /** Waits, by watching, until a slice holds exactly these addresses; says what it holds if not. */
  public void awaitAddresses(String namespace, String slice, Set<String> wanted, Duration limit) {
    published.await(namespace, slice, wanted, limit);
  }

  private String reachableAddress() {
    return controlPlanes.stream()
        .filter(ControlPlaneHost::reachable)
        .map(ControlPlaneHost::address)
        .findFirst()
        .orElseThrow(() -> new LabException("no control plane is reachable"));
  }

  /** Ends all machines and processes, and removes hosts, bridge and files; logs stay. */
  @Override
  public void close() {
    admin.close();
    network.close();
    files.remove();
  }
}
