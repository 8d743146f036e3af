package io.apiserverupdater.failover;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.AuditEntry;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.NodeSettings;
import io.apiserverupdater.lab.ProxyMode;
import io.apiserverupdater.lab.PublishedAddresses;
import io.apiserverupdater.lab.TrafficTarget;
import io.apiserverupdater.lab.Worker;
import io.apiserverupdater.sandbox.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A lab with the base manifests applied, two replicas of the updater with exactly their rights, and
 * kube-proxies that know the control plane by the {@code apiserver} Service alone, as nodes do.
 *
 * <p>Requests are made by the first two workers, one by kube-proxy in nftables mode and one in
 * iptables mode. The replicas run on the third and on the first.
 */
public final class FailoverCluster implements AutoCloseable {
  /** Far more than anything here should take: a slow machine must not end a run. */
  public static final Duration SOON = Duration.ofSeconds(45);

  static final String SLICES = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
  static final String SLICE = "apiserver-ipv4";

  /** As the Deployment runs it; faults that hit the updater alone know it by this. */
  static final int UPDATER_USER = 65532;

  /** For so long a program in Go may go by a hosts file that has changed. */
  private static final Duration HOSTS_CACHE = Duration.ofSeconds(5);

  private static final String PODS = "/api/v1/namespaces/kube-system/pods";

  private static final String PODS_OF_UPDATER =
      PODS + "?labelSelector=app.kubernetes.io%2Fname%3Dapiserver-updater";

  private static final String LEASE =
      "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/apiserver-updater";

  private final Lab lab;
  private final List<String> command;
  private final List<Updater> updaters = new ArrayList<>();

  private FailoverCluster(Lab lab, List<String> command) {
    this.lab = lab;
    this.command = List.copyOf(command);
  }

  /**
   * Starts everything and waits until all control planes are served through the Service.
   *
   * @param plan without workers; those are chosen here
   * @param command how the updater is started in this lab
   * @param settings what each worker is given
   */
  public static FailoverCluster start(
      Lab.Builder plan, Function<Lab, List<String>> command, NodeSettings settings) {
    Lab lab =
        plan.workers(ProxyMode.NFTABLES, ProxyMode.IPTABLES, ProxyMode.NFTABLES)
            // Else an apiserver that is told to stop waits a minute for watches.
            .apiserverFlags("--shutdown-watch-termination-grace-period=1s")
            .nodeSettings(settings)
            .start();
    try {
      FailoverCluster cluster = new FailoverCluster(lab, command.apply(lab));
      cluster.bringUp();
      return cluster;
    } catch (RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  private void bringUp() {
    lab.kubectl().run("apply", "-k", "deploy/kustomize/base").orThrow();
    List<String> pods = podsOfDeployment();
    for (int i = 0; i < pods.size(); i++) {
      Worker worker = lab.worker(List.of(3, 1).get(i));
      run(pods.get(i), worker.host());
      updaters.add(
          new Updater(
              worker,
              lab.pod(worker, pods.get(i))
                  .namespace("kube-system")
                  .serviceAccount("apiserver-updater")
                  .runAsUser(UPDATER_USER)
                  .environment("JAVA_HOME", System.getProperty("java.home", ""))
                  .start(command.toArray(String[]::new))));
    }
    awaitWhole();
    for (Worker worker : lab.workers()) {
      worker.pointApiserverNameAt(Lab.APISERVER_SERVICE_ADDRESS);
    }
  }

  /** The names of the two pods that kube-controller-manager has made. */
  private List<String> podsOfDeployment() {
    Deadline.in(SOON).await("two pods", () -> lab.admin().list(PODS_OF_UPDATER).size() == 2);
    return lab.admin().list(PODS_OF_UPDATER).stream()
        .map(pod -> Json.text(pod, "metadata/name"))
        .toList();
  }

  /**
   * Says of a pod what a scheduler and a kubelet would say, so that {@code updater status} finds
   * the process that takes its place.
   */
  private void run(String pod, LabHost host) {
    JsonObject unusedBinding =
        lab.admin()
            .create(
                PODS + "/" + pod + "/binding",
                """
                {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "%s"},
                 "target": {"kind": "Node", "name": "%s"}}
                """
                    .formatted(pod, host.name()));
    JsonObject unusedPod =
        lab.admin()
            .patch(
                PODS + "/" + pod + "/status",
                """
                {"status": {"phase": "Running", "podIP": "%1$s", "podIPs": [{"ip": "%1$s"}],
                            "conditions": [{"type": "Ready", "status": "True"}]}}
                """
                    .formatted(host.address()));
  }

  public Lab lab() {
    return lab;
  }

  /** How the updater is started here, without flags. */
  List<String> command() {
    return command;
  }

  /** Both replicas, those that do not run included. */
  public List<Updater> updaters() {
    return List.copyOf(updaters);
  }

  /** The workers that make requests. */
  public List<Worker> clients() {
    return lab.workers().subList(0, 2);
  }

  /** The Service that the updater maintains. */
  static TrafficTarget apiserverService(String path) {
    return TrafficTarget.of(Lab.APISERVER_SERVICE_ADDRESS, Lab.APISERVER_PORT, Lab.APISERVER_NAME)
        .path(path);
  }

  /** The Service that the apiservers maintain themselves. */
  static TrafficTarget kubernetesService(String path) {
    return TrafficTarget.of(Lab.KUBERNETES_SERVICE_ADDRESS, 443, "kubernetes.default.svc")
        .path(path);
  }

  /** The addresses of all control planes. */
  public Set<String> addresses() {
    return lab.controlPlanes().stream()
        .map(ControlPlaneHost::address)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * Waits until all is as it should be: every control plane ready and published, both replicas
   * ready, one leading.
   */
  public void awaitWhole() {
    lab.controlPlanes().forEach(ControlPlaneHost::awaitReady);
    lab.awaitAddresses("default", "kubernetes", addresses(), SOON);
    Deadline.in(SOON)
        .await(
            "a slice with all control planes ready",
            () -> readyAddresses().equals(addresses()),
            () -> readyAddresses() + "\n" + updaters.get(0).pod().process().logTail());
    updaters.forEach(updater -> updater.awaitReady(SOON));
    Updater unusedLeader = leader();
  }

  /** Waits until the apiservers list a control plane in {@code default/kubernetes}. */
  void awaitListed(ControlPlaneHost host) {
    Optional<JsonObject> unusedSlice =
        lab.admin()
            .await(
                "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
                "kubernetes",
                slice ->
                    slice.map(PublishedAddresses::ready).orElse(Set.of()).contains(host.address()),
                SOON);
  }

  /** What the slice of the Service holds as ready. */
  public Set<String> readyAddresses() {
    return lab.admin().find(SLICES + "/" + SLICE).map(PublishedAddresses::ready).orElse(Set.of());
  }

  /** Who is named in the Lease; empty when nobody is. */
  public String holder() {
    return lab.admin().find(LEASE).map(l -> Json.text(l, "spec/holderIdentity")).orElse("");
  }

  /** The running replica that holds the Lease, once one does. */
  public Updater leader() {
    Deadline deadline = Deadline.in(SOON);
    List<Updater> found = new ArrayList<>();
    deadline.await(
        "a running replica that holds the Lease",
        () -> {
          String holder = holder();
          found.clear();
          updaters.stream()
              .filter(updater -> updater.pod().alive() && updater.isNamed(holder))
              .forEach(found::add);
          return !found.isEmpty();
        });
    return found.get(0);
  }

  /** Makes one of them the leader. */
  void lead(Updater wanted) {
    while (leader() != wanted) {
      Updater current = leader();
      current.pod().process().terminate();
      int unusedCode = current.pod().process().awaitExit(SOON);
      Updater unusedNext = leader();
      current.restart(SOON);
    }
  }

  /** Restarts what does not run. */
  void reviveUpdaters() {
    for (Updater updater : updaters) {
      if (!updater.pod().alive()) {
        updater.restart(SOON);
      }
    }
  }

  /** The control plane through which a replica has renewed or read last. */
  ControlPlaneHost usedBy(Updater updater) {
    Instant since = Instant.now().minusSeconds(20);
    return lab.controlPlanes().stream()
        .max(Comparator.comparing(host -> lastRequest(host, updater, since)))
        .orElseThrow();
  }

  private static Instant lastRequest(ControlPlaneHost host, Updater updater, Instant since) {
    return host.auditSince(since).stream()
        .filter(updater::sent)
        .filter(entry -> entry.resource().equals("leases") && entry.isWrite())
        .map(AuditEntry::received)
        .max(Comparator.naturalOrder())
        .orElse(Instant.EPOCH);
  }

  /** Has the kube-proxies of the clients connected to one control plane and no other. */
  void attachProxies(ControlPlaneHost wanted) {
    for (Worker worker : clients()) {
      if (!worker.proxyPeers().equals(Set.of(wanted.address()))) {
        worker.attachProxyTo(wanted, Lab.APISERVER_SERVICE_ADDRESS);
      }
    }
  }

  /**
   * The same, with kube-proxies that have not lost a connection yet. Each loss within two minutes
   * doubles the pause before the next list (client-go's reflector, from 0.8 s), so faults that
   * follow each other as fast as here would be worse than a single one.
   */
  void attachNewProxies(ControlPlaneHost wanted) {
    clients().forEach(worker -> worker.attachProxyTo(wanted, Lab.APISERVER_SERVICE_ADDRESS));
    Pause.of(HOSTS_CACHE);
  }

  /** Waits until the Service serves a control plane, too, to every client. */
  void awaitServed(ControlPlaneHost added) {
    Deadline.in(SOON)
        .await(
            added.name() + " among the ready ones",
            () -> readyAddresses().contains(added.address()));
  }

  /** The writes of the updaters on slices since then, by time. */
  List<AuditEntry> sliceWrites(Instant since) {
    return lab.auditSince(since).stream()
        .filter(entry -> entry.user().equals(Updater.USER))
        .filter(entry -> entry.isWrite() && entry.resource().equals("endpointslices"))
        .filter(entry -> entry.status() < 300)
        .toList();
  }

  @Override
  public void close() {
    updaters.forEach(Updater::close);
    lab.close();
  }
}
