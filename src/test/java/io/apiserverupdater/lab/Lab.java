package io.apiserverupdater.lab;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/**
 * A real cluster on this machine: etcd, kube-apiservers with the lease reconciler,
 * kube-controller-manager and workers with kube-proxy, each host a network namespace on one bridge.
 * It runs inside {@code src/test/lab-namespace} only, one at a time. Used by one test thread at a
 * time, except where a part of it says that it is thread-safe.
 *
 * <p>There is no kubelet: what runs "in a pod" is a process, see {@link #pod}.
 *
 * <pre>
 *   172.30.0.1  the bridge, where the tests are
 *   172.30.0.2  etcd             172.30.1.N  control plane cpN
 *   172.30.0.3  kcm              172.30.2.N  worker wN
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

  private static final Path UNIVERSE = Path.of("/run/lab/universe");
  private static final String BRIDGE = "lab-bridge";
  private static final String GATEWAY = "172.30.0.1";
  private static final Duration START = Duration.ofSeconds(60);
  private static final String ADMIN_TOKEN = "lab-admin-token";
  private static final String KCM_TOKEN = "lab-kcm-token";
  private static final String PROXY_TOKEN = "lab-proxy-token";
  private static final String TOKENS =
      String.join(
          "\n",
          ADMIN_TOKEN + ",lab-admin,lab-admin,system:masters",
          // The real one is bound to a service account per controller; one mighty token starts
          // faster, and the rights of the controllers are not what is tested here.
          KCM_TOKEN + ",system:kube-controller-manager,kcm,system:masters",
          PROXY_TOKEN + ",system:kube-proxy,proxy",
          "");
  // Who read and wrote what, without the noise of the components themselves.
  private static final String AUDIT_POLICY =
      """
      apiVersion: audit.k8s.io/v1
      kind: Policy
      omitStages: [RequestReceived]
      rules:
      - level: None
        nonResourceURLs: ["/readyz*", "/livez*", "/healthz*"]
      - level: None
        users: ["system:apiserver"]
        verbs: [get, list, watch]
      - level: None
        users: ["system:apiserver"]
        resources: [{group: coordination.k8s.io, resources: [leases]}]
      - level: None
        users: ["system:kube-controller-manager", "system:kube-proxy"]
        verbs: [get, list, watch]
      - level: Metadata
      """;

  private final KubeBinaries binaries;
  private final Path projectRoot;
  private final Path work;
  private final Path logs;
  private final List<String> apiserverFlags;
  private final LabPki pki;
  private final AdminClient admin;
  private final Kubectl kubectl;
  private final Map<String, LabHost> hosts = new LinkedHashMap<>();
  private final List<ControlPlaneHost> controlPlanes = new CopyOnWriteArrayList<>();
  private final List<Worker> workers = new ArrayList<>();
  private Optional<LabProcess> etcd = Optional.empty();
  private Optional<LabProcess> controllerManager = Optional.empty();

  private Lab(Builder builder, Path work, Path logs) {
    this.projectRoot = builder.projectRoot;
    this.binaries = KubeBinaries.locate(builder.projectRoot);
    this.work = work;
    this.logs = logs;
    this.apiserverFlags = List.copyOf(builder.apiserverFlags);
    this.pki = LabPki.create(work);
    this.admin = AdminClient.create(pki, this::reachableAddress, ADMIN_TOKEN);
    this.kubectl =
        new Kubectl(
            binaries.program("kubectl"),
            kubeconfig("admin", "https://" + controlPlaneAddress(1) + ":6443", ADMIN_TOKEN),
            work,
            projectRoot,
            this::reachableAddress);
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
    private boolean controllerManager = true;

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

    public Builder withoutControllerManager() {
      this.controllerManager = false;
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
      if (Execution.run(Duration.ofSeconds(5), "ip", "link", "show", BRIDGE).exitCode() == 0) {
        throw new LabException("another lab runs in this universe; close it first");
      }
      Lab lab;
      try {
        Path logRoot = Files.createDirectories(projectRoot.resolve("src/test/target/lab"));
        lab =
            new Lab(
                this,
                Files.createTempDirectory(UNIVERSE.getParent(), name + "-"),
                Files.createTempDirectory(logRoot, name + "-"));
        // Programs of pods need not be root to read their files in there.
        Execution.run(Duration.ofSeconds(5), "chmod", "755", lab.work.toString()).orThrow();
      } catch (IOException e) {
        throw new LabException("cannot make the folders of the lab", e);
      }
      try {
        lab.bringUp(controlPlanes, workers, controllerManager);
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

  private void bringUp(int controlPlaneCount, List<ProxyMode> modes, boolean withManager) {
    write("tokens.csv", TOKENS);
    write("audit-policy.yaml", AUDIT_POLICY);
    Execution.run(
            Duration.ofSeconds(10),
            "sh",
            "-ec",
            """
            ip link add "$1" type bridge
            ip addr add "$2/16" dev "$1"
            ip link set "$1" up
            """,
            "sh",
            BRIDGE,
            GATEWAY)
        .orThrow();
    startEtcd();
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
    if (withManager) {
      startControllerManager();
    }
    workers.forEach(Worker::awaitProxy);
  }

  private static String controlPlaneAddress(int number) {
    return "172.30.1." + number;
  }

  private LabHost addHost(String hostName, String address) {
    LabHost host = LabHost.create(hostName, address, BRIDGE, GATEWAY, work, logs);
    hosts.put(hostName, host);
    return host;
  }

  private void startEtcd() {
    LabHost host = addHost("etcd", "172.30.0.2");
    String clients = "http://" + host.address() + ":2379";
    LabProcess process =
        host.start(
            "etcd",
            List.of(
                binaries.program("etcd"),
                "--name=etcd",
                // In memory (the universe's /run) and without fsync: what a disk costs is not
                // what the lab measures.
                "--data-dir=" + work.resolve("etcd"),
                "--unsafe-no-fsync",
                "--listen-client-urls=" + clients,
                "--advertise-client-urls=" + clients,
                "--listen-peer-urls=http://127.0.0.1:2380",
                "--initial-advertise-peer-urls=http://127.0.0.1:2380",
                "--initial-cluster=etcd=http://127.0.0.1:2380",
                "--log-level=warn"),
            Map.of());
    etcd = Optional.of(process);
    process.awaitReady("its health", () -> HttpCheck.ok(clients + "/health"), Deadline.in(START));
  }

  private ControlPlaneHost launchControlPlane() {
    int number = controlPlanes.size() + 1;
    LabHost host = addHost("cp" + number, controlPlaneAddress(number));
    LabPki.ServingFiles serving = pki.serving(host.name(), host.address());
    Path audit = logs.resolve(host.name() + "-audit.log");
    List<String> command =
        new ArrayList<>(
            List.of(
                binaries.program("kube-apiserver"),
                "--etcd-servers=http://" + host("etcd").address() + ":2379",
                "--advertise-address=" + host.address(),
                "--secure-port=" + APISERVER_PORT,
                "--endpoint-reconciler-type=lease",
                "--service-cluster-ip-range=" + SERVICE_CIDR,
                "--tls-cert-file=" + serving.certificate(),
                "--tls-private-key-file=" + serving.key(),
                "--client-ca-file=" + pki.caFile(),
                "--token-auth-file=" + work.resolve("tokens.csv"),
                "--authorization-mode=RBAC",
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
                "--service-account-key-file=" + pki.serviceAccountPublicKey(),
                "--service-account-signing-key-file=" + pki.serviceAccountKey(),
                "--audit-policy-file=" + work.resolve("audit-policy.yaml"),
                "--audit-log-path=" + audit,
                // Never rotated: a test reads all of it.
                "--audit-log-maxsize=0"));
    command.addAll(apiserverFlags);
    ControlPlaneHost controlPlane = ControlPlaneHost.start(host, command, audit, admin);
    controlPlanes.add(controlPlane);
    return controlPlane;
  }

  /**
   * A further control plane joins, under a new address. It is ready when this returns, and its
   * address is published in {@code default/kubernetes} soon after or already.
   */
  public ControlPlaneHost addControlPlane() {
    ControlPlaneHost added = launchControlPlane();
    added.awaitReady();
    return added;
  }

  private void launchWorker(int number, ProxyMode mode) {
    LabHost host = addHost("w" + number, "172.30.2." + number);
    // Each starts at another control plane, as a boot-time choice would have it.
    host.mapName(APISERVER_NAME, controlPlanes.get((number - 1) % controlPlanes.size()).address());
    Path kubeconfig =
        kubeconfig(
            host.name() + "-proxy",
            "https://" + APISERVER_NAME + ":" + APISERVER_PORT,
            PROXY_TOKEN);
    Path config =
        write(
            host.name() + "-proxy.yaml",
            """
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            mode: %s
            hostnameOverride: %s
            clientConnection: {kubeconfig: %s}
            healthzBindAddress: 0.0.0.0:10256
            metricsBindAddress: 127.0.0.1:10249
            iptables: {localhostNodePorts: false}
            # The limits of conntrack belong to the machine, not to a network namespace.
            conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
            """
                .formatted(mode.setting(), host.name(), kubeconfig));
    workers.add(
        Worker.start(
            host,
            mode,
            List.of(binaries.program("kube-proxy"), "--config=" + config),
            pki.caFile(),
            logs,
            admin));
  }

  /**
   * Starts kube-controller-manager (anew, if it runs), attached to the last reachable control
   * plane, and waits until it works.
   */
  public void startControllerManager() {
    stopControllerManager();
    LabHost host = hosts.containsKey("kcm") ? host("kcm") : addHost("kcm", "172.30.0.3");
    ControlPlaneHost via =
        controlPlanes.stream()
            .filter(ControlPlaneHost::reachable)
            .reduce((first, second) -> second)
            .orElseThrow(() -> new LabException("no control plane is reachable"));
    LabProcess process =
        host.start(
            "kube-controller-manager",
            List.of(
                binaries.program("kube-controller-manager"),
                "--kubeconfig="
                    + kubeconfig(
                        "kcm", "https://" + via.address() + ":" + APISERVER_PORT, KCM_TOKEN),
                "--service-account-private-key-file=" + pki.serviceAccountKey(),
                "--root-ca-file=" + pki.caFile(),
                "--leader-elect=false",
                // Nodes have no kubelet here, so nobody renews their leases.
                "--controllers=*,-node-lifecycle-controller,-node-ipam-controller"),
            Map.of());
    controllerManager = Optional.of(process);
    process.awaitReady(
        "its port and the first service account",
        () ->
            accepts(host.address(), 10257)
                && admin.find("/api/v1/namespaces/kube-system/serviceaccounts/default").isPresent(),
        Deadline.in(START));
  }

  /** SIGKILL to kube-controller-manager. */
  public void stopControllerManager() {
    controllerManager.ifPresent(LabProcess::kill);
  }

  @SuppressWarnings("AddressSelection") // The address is a literal.
  private static boolean accepts(String address, int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getByName(address), port), 500);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** In the order cp1, cp2, …, dead ones included. */
  public List<ControlPlaneHost> controlPlanes() {
    return List.copyOf(controlPlanes);
  }

  /** By number, from 1. */
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
    LabHost host = hosts.get(hostName);
    if (host == null) {
      throw new LabException("there is no host " + hostName + ", only " + hosts.keySet());
    }
    return host;
  }

  public LabProcess etcd() {
    return etcd.orElseThrow(() -> new LabException("etcd was never started"));
  }

  /** The last one started, if any. */
  public Optional<LabProcess> controllerManager() {
    return controllerManager;
  }

  public LabPki pki() {
    return pki;
  }

  /** The admin at the first reachable control plane, chosen anew for each call. */
  public AdminClient admin() {
    return admin;
  }

  public Kubectl kubectl() {
    return kubectl;
  }

  /** The folder of all log files; it stays. */
  public Path logs() {
    return logs;
  }

  /** A folder in memory for the test's own files; it goes with the lab. */
  public Path work() {
    return work;
  }

  public String adminToken() {
    return ADMIN_TOKEN;
  }

  /** Writes a kubeconfig of that name with one context, for a token. */
  public Path kubeconfig(String fileName, String server, String token) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("apiVersion", "v1");
    config.put("kind", "Config");
    config.put("current-context", "lab");
    config.put(
        "clusters",
        List.of(
            Map.of(
                "name",
                "lab",
                "cluster",
                Map.of("server", server, "certificate-authority", pki.caFile().toString()))));
    config.put("users", List.of(Map.of("name", fileName, "user", Map.of("token", token))));
    config.put(
        "contexts",
        List.of(Map.of("name", "lab", "context", Map.of("cluster", "lab", "user", fileName))));
    // JSON is YAML.
    return write(fileName + ".kubeconfig", new Gson().toJson(config));
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
    return new PodProcess.Builder(this, worker.host(), podName, work.resolve("pods/" + podName));
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
    return admin.find(slices(namespace) + "/" + slice).map(Lab::addressesIn).orElse(Set.of());
  }

  /**
   * Waits, by watching, until an EndpointSlice holds exactly these addresses.
   *
   * @throws LabException with the slice as it is, when time is up first
   */
  public void awaitAddresses(String namespace, String slice, Set<String> wanted, Duration limit) {
    Optional<JsonObject> unusedSlice =
        admin.await(
            slices(namespace),
            slice,
            found -> found.map(Lab::addressesIn).orElse(Set.of()).equals(wanted),
            limit);
  }

  private static String slices(String namespace) {
    return "/apis/discovery.k8s.io/v1/namespaces/" + namespace + "/endpointslices";
  }

  private static Set<String> addressesIn(JsonObject slice) {
    Set<String> addresses = new TreeSet<>();
    JsonElement endpoints = slice.get("endpoints");
    if (endpoints != null && endpoints.isJsonArray()) {
      for (JsonElement endpoint : endpoints.getAsJsonArray()) {
        endpoint
            .getAsJsonObject()
            .getAsJsonArray("addresses")
            .forEach(address -> addresses.add(address.getAsString()));
      }
    }
    return addresses;
  }

  private String reachableAddress() {
    return controlPlanes.stream()
        .filter(ControlPlaneHost::reachable)
        .map(ControlPlaneHost::address)
        .findFirst()
        .orElseThrow(() -> new LabException("no control plane is reachable"));
  }

  private Path write(String fileName, String text) {
    try {
      return Files.writeString(work.resolve(fileName), text);
    } catch (IOException e) {
      throw new LabException("cannot write " + fileName, e);
    }
  }

  /** Kills every process on every host and removes hosts, bridge and files; logs stay. */
  @Override
  public void close() {
    admin.close();
    // By namespace, not by record: what a test forgot to stop goes as well. Workers first, so that
    // nobody logs the end of what it depends on.
    List<LabHost> reversed = new ArrayList<>(hosts.values());
    Collections.reverse(reversed);
    String script =
        """
        while pids=$(ip netns pids "$1") && [ -n "$pids" ]; do
          kill -KILL $pids 2>/dev/null || true
        done
        """;
    for (LabHost host : reversed) {
      Execution.run(Duration.ofSeconds(20), "sh", "-c", script, "sh", host.name()).orThrow();
      host.remove();
    }
    hosts.clear();
    Execution.run(Duration.ofSeconds(5), "ip", "link", "del", BRIDGE);
    Execution.run(Duration.ofSeconds(20), "rm", "-rf", work.toString()).orThrow();
  }
}
