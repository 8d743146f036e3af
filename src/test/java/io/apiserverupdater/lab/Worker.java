package io.apiserverupdater.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A host with a kube-proxy on it. Used by one test thread at a time. */
public final class Worker {
  private static final Duration START = Duration.ofSeconds(40);
  private static final int HEALTH_PORT = 10256;
  private static final String CONNTRACK_TIMEOUTS =
      "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_";
  private static final Pattern REPLY_SOURCE = Pattern.compile("src=(\\S+)");

  private final LabHost host;
  private final ProxyMode mode;
  private final List<String> command;
  private final String trafficProgram;
  private final Path caFile;
  private final Path logFolder;
  private final NodeSettings settings;
  private Optional<LabProcess> proxy = Optional.empty();

  /** Starts kube-proxy, whose Node must be registered; see {@link #awaitProxy}. */
  Worker(
      LabHost host,
      ProxyMode mode,
      List<String> command,
      String trafficProgram,
      NodeSettings settings,
      Path caFile,
      Path logFolder) {
    this.host = host;
    this.mode = mode;
    this.command = command;
    this.trafficProgram = trafficProgram;
    this.settings = settings;
    this.caFile = caFile;
    this.logFolder = logFolder;
    launch();
  }

  private void launch() {
    proxy = Optional.of(host.start("kube-proxy", command, settings.proxyEnvironment()));
  }

  public String name() {
    return host.name();
  }

  public LabHost host() {
    return host;
  }

  public ProxyMode mode() {
    return mode;
  }

  /**
   * Points the name under which this host's kube-proxy knows the control plane at another address:
   * an apiserver's, or the cluster IP. Connections that exist stay where they are.
   */
  public void pointApiserverNameAt(String address) {
    host.mapName(Lab.APISERVER_NAME, address);
  }

  /** Its kube-proxy, the last one started. */
  public LabProcess proxy() {
    return proxy.orElseThrow(() -> new LabException(name() + " never had a kube-proxy"));
  }

  /** Starts kube-proxy again and waits until it has programmed the kernel once. */
  public void startProxy() {
    launch();
    awaitProxy();
  }

  /** SIGKILL to kube-proxy; its rules stay in the kernel. */
  public void stopProxy() {
    proxy().kill();
  }

  /**
   * Restarts kube-proxy, so that its connection is one to this control plane, and has it find the
   * control plane through {@code laterAddress} when it needs another.
   */
  public void attachProxyTo(ControlPlaneHost controlPlane, String laterAddress) {
    stopProxy();
    pointApiserverNameAt(controlPlane.address());
    startProxy();
    pointApiserverNameAt(laterAddress);
  }

  /** The addresses of the control planes that kube-proxy is connected to. */
  public Set<String> proxyPeers() {
    return host.run(
            "ss", "--no-header", "--tcp", "--numeric", "--processes", "state", "established")
        .out()
        .lines()
        .filter(line -> line.contains("pid=" + proxy().pid() + ","))
        .map(line -> line.strip().split("\\s+", -1))
        .filter(fields -> fields[3].endsWith(":" + Lab.APISERVER_PORT))
        .flatMap(fields -> peer(fields[2], fields[3]))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Behind a cluster IP, which the kernel's connection tracking alone knows. */
  private Stream<String> peer(String local, String remote) {
    String address = remote.substring(0, remote.lastIndexOf(':'));
    if (!address.equals(Lab.APISERVER_SERVICE_ADDRESS)) {
      return Stream.of(address);
    }
    String port = local.substring(local.lastIndexOf(':') + 1);
    String entry =
        host.run("conntrack", "-L", "-p", "tcp", "--sport", port, "--state", "ESTABLISHED").out();
    // The second source of an entry is that of the answers.
    return REPLY_SOURCE.matcher(entry).results().skip(1).limit(1).map(result -> result.group(1));
  }

  void awaitProxy() {
    proxy().awaitReady("its first sync", this::synced, Deadline.in(START));
    // The kernel has these settings, for each network namespace, once kube-proxy has rules.
    setConntrackTimeout("syn_sent", settings.synSentTimeout());
    setConntrackTimeout("close", settings.closeTimeout());
  }

  private void setConntrackTimeout(String state, Duration timeout) {
    String seconds = String.valueOf(timeout.toSeconds());
    host.run("sh", "-ec", "echo \"$1\" >\"$2\"", "sh", seconds, CONNTRACK_TIMEOUTS + state)
        .orThrow();
  }

  private boolean synced() {
    return HttpCheck.ok("http://" + host.address() + ":" + HEALTH_PORT + "/healthz");
  }

  /** Starts a stream of requests from this host; close it to stop them. */
  public Traffic traffic(TrafficTarget target) {
    return Traffic.start(host, trafficProgram, target, caFile, logFolder);
  }
}
