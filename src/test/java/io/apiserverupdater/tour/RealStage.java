package io.apiserverupdater.tour;

import io.apiserverupdater.lab.AdminClient;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.HttpCheck;
import io.apiserverupdater.lab.KubeBinaries;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.PodProcess;
import io.apiserverupdater.lab.ProxyMode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Real kube-apiservers with etcd, kube-controller-manager and a kube-proxy on each of two workers,
 * inside {@code src/test/lab-namespace}. The updaters run as pods would, with the rights of the
 * manifests.
 */
final class RealStage implements Stage {
  private static final Duration SHUTDOWN = Duration.ofSeconds(20);
  // As the Deployment runs it.
  private static final int POD_USER = 65532;
  private static final int POD_PORT = 8080;

  private final Path projectRoot;
  private final String universe;
  private Optional<Lab> running = Optional.empty();

  /**
   * @param universe the process id, outside, of the script that made the namespaces
   */
  RealStage(Path projectRoot, String universe) {
    this.projectRoot = projectRoot;
    this.universe = universe;
  }

  @Override
  public String name() {
    return "lab";
  }

  @Override
  public String description() {
    return "a real control plane: three kube-apiservers, etcd, kube-controller-manager,"
        + " two workers with kube-proxy";
  }

  @Override
  public List<Member> start() {
    Lab lab =
        Lab.builder("tour")
            .projectRoot(projectRoot)
            .workers(ProxyMode.NFTABLES, ProxyMode.IPTABLES)
            // Else a stopping apiserver waits a minute for watches that nobody ends.
            .apiserverFlags("--shutdown-watch-termination-grace-period=1s")
            .start();
    synchronized (this) {
      running = Optional.of(lab);
    }
    return lab.controlPlanes().stream().map(c -> new Member(c.name(), c.address())).toList();
  }

  private static String url(ControlPlaneHost controlPlane) {
    return "https://" + controlPlane.address() + ":" + Lab.APISERVER_PORT;
  }

  private synchronized Lab lab() {
    return running.orElseThrow(() -> new TourException("the lab does not run"));
  }

  @Override
  public AdminClient api() {
    return lab().admin().at(lab().controlPlane(1).address());
  }

  @Override
  public Path kubeconfig() {
    Lab lab = lab();
    return lab.kubeconfig("tour", url(lab.controlPlane(1)), lab.adminToken());
  }

  @Override
  public void install() {
    String unusedOutput =
        lab().kubectl().run("apply", "-k", "deploy/kustomize/base").orThrow().out();
  }

  @Override
  public Replica startReplica(String name, int number, Release release) {
    Lab lab = lab();
    return new PodReplica(
        lab.pod(lab.worker(number), name)
            .namespace("kube-system")
            .serviceAccount("apiserver-updater")
            .runAsUser(POD_USER)
            .environment("JAVA_HOME", Release.ENVIRONMENT.getOrDefault("JAVA_HOME", "")),
        release.launcher(),
        lab.worker(number).host().address() + ":" + POD_PORT);
  }

  @Override
  public void stop(Member member) {
    host(member).terminate();
  }

  @Override
  public void bringBack(Member member) {
    ControlPlaneHost host = host(member);
    int unusedCode = host.process().awaitExit(SHUTDOWN);
    host.restart();
  }

  private ControlPlaneHost host(Member member) {
    return lab().controlPlanes().stream()
        .filter(host -> host.name().equals(member.name()))
        .findFirst()
        .orElseThrow();
  }

  /** The cluster is in namespaces of its own, which a shell has to enter. */
  @Override
  public List<String> wayIn() {
    return List.of(
        "nsenter --all --target \"$(pgrep -P \"$(pgrep -P " + universe + ")\")\" bash",
        "export KUBECONFIG=" + kubeconfig(),
        "PATH=$PATH:" + KubeBinaries.locate(projectRoot).folder());
  }

  @Override
  public synchronized void close() {
    running.ifPresent(Lab::close);
  }

  /** An updater in what looks like a pod. */
  private static final class PodReplica implements Replica {
    private final PodProcess pod;
    private final String listener;
    private long startedNanos;

    PodReplica(PodProcess.Builder builder, Path launcher, String listener) {
      this.listener = listener;
      startedNanos = System.nanoTime();
      this.pod = builder.start(launcher.toString(), "--listen=:" + POD_PORT);
    }

    @Override
    public String name() {
      return pod.name();
    }

    @Override
    public long startedNanos() {
      return startedNanos;
    }

    @Override
    public boolean ready() {
      return HttpCheck.ok("http://" + listener + "/readyz");
    }

    @Override
    public void kill() {
      pod.process().kill();
    }

    @Override
    public int terminate(Duration limit) {
      pod.process().terminate();
      return pod.process().awaitExit(limit);
    }

    @Override
    public void restart() {
      startedNanos = System.nanoTime();
      pod.restart();
    }

    @Override
    public List<String> logLines() {
      try {
        return pod.logLines();
      } catch (LabException e) {
        return List.of(String.valueOf(e.getMessage()));
      }
    }

    @Override
    public void close() {
      pod.close();
    }
  }
}
