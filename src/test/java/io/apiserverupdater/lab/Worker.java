package io.apiserverupdater.lab;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A host with a kube-proxy on it. Used by one test thread at a time. */
public final class Worker {
  private static final Duration START = Duration.ofSeconds(40);
  private static final int HEALTH_PORT = 10256;

  private final LabHost host;
  private final ProxyMode mode;
  private final List<String> command;
  private final Path caFile;
  private final Path logFolder;
  private Optional<LabProcess> proxy = Optional.empty();

  private Worker(LabHost host, ProxyMode mode, List<String> command, Path caFile, Path logFolder) {
    this.host = host;
    this.mode = mode;
    this.command = command;
    this.caFile = caFile;
    this.logFolder = logFolder;
  }

  /** Registers the Node and starts kube-proxy; see {@link #awaitProxy}. */
  static Worker start(
      LabHost host,
      ProxyMode mode,
      List<String> command,
      Path caFile,
      Path logFolder,
      AdminClient admin) {
    // Without its Node kube-proxy waits for 30 s before it does anything.
    JsonObject node = admin.create("/api/v1/nodes", nodeJson(host));
    if (!node.has("status")) {
      throw new LabException("the apiserver dropped the addresses of Node " + host.name());
    }
    Worker worker = new Worker(host, mode, command, caFile, logFolder);
    worker.launch();
    return worker;
  }

  private static String nodeJson(LabHost host) {
    return """
        {"apiVersion": "v1", "kind": "Node",
         "metadata": {"name": "%1$s", "labels": {"kubernetes.io/hostname": "%1$s"}},
         "status": {"addresses": [{"type": "InternalIP", "address": "%2$s"}]}}
        """
        .formatted(host.name(), host.address());
  }

  private void launch() {
    proxy = Optional.of(host.start("kube-proxy", command, Map.of()));
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

  void awaitProxy() {
    proxy().awaitReady("its first sync", this::synced, Deadline.in(START));
  }

  private boolean synced() {
    return HttpCheck.ok("http://" + host.address() + ":" + HEALTH_PORT + "/healthz");
  }

  /** Starts a stream of requests from this host; close it to stop them. */
  public Traffic traffic(TrafficTarget target) {
    return Traffic.start(host, target, caFile, logFolder);
  }
}
