package io.apiserverupdater.tour;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.AdminClient;
import io.apiserverupdater.sandbox.Kubeconfig;
import io.apiserverupdater.sandbox.SandboxApiserver;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The sandbox control plane in this process; the updaters are processes of this machine. */
class SandboxStage implements Stage {
  private static final int USUAL_PORT = 6443;

  private final Path projectRoot;
  private final Path folder;
  private Optional<SandboxCluster> running = Optional.empty();
  private Optional<AdminClient> api = Optional.empty();
  private boolean closed;

  /**
   * @param folder for kubeconfigs and logs; removed by its owner
   */
  SandboxStage(Path projectRoot, Path folder) {
    this.projectRoot = projectRoot;
    this.folder = folder;
  }

  @Override
  public String name() {
    return "sandbox";
  }

  @Override
  public String description() {
    return "a sandbox: three apiservers in this process, real TLS and HTTP, no etcd";
  }

  @Override
  public List<Member> start() {
    SandboxCluster cluster = SandboxCluster.builder().apiservers(3).port(port()).start();
    SandboxApiserver first = cluster.apiserver(0);
    synchronized (this) {
      if (closed) {
        cluster.close();
        throw new TourException("the tour was ended");
      }
      running = Optional.of(cluster);
      api =
          Optional.of(
              AdminClient.create(
                  cluster.pki().authority().certificate(),
                  first::url,
                  cluster.access().issueToken("tour")));
    }
    cluster.kubeconfig().write(kubeconfig());
    cluster
        .kubeconfig(
            new Kubeconfig.Identity.Token(
                "apiserver-updater", cluster.access().issueToken("apiserver-updater")))
        .write(updaterKubeconfig());
    return cluster.apiservers().stream().map(s -> new Member(s.name(), s.ip())).toList();
  }

  /** The usual port, or any other when a program of this machine listens on it everywhere. */
  private static int port() {
    return canListen(USUAL_PORT) ? USUAL_PORT : anyPort("127.0.0.1");
  }

  // An address that nothing else uses, so that only a listener on all addresses is in the way.
  private static boolean canListen(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress("127.255.255.254", port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @SuppressWarnings("AddressSelection") // The address is a literal.
  private static int anyPort(String address) {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(address))) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new TourException("cannot listen on " + address + ": " + e, e);
    }
  }

  private synchronized SandboxCluster cluster() {
    return running.orElseThrow(() -> new TourException("the sandbox does not run"));
  }

  @Override
  public synchronized AdminClient api() {
    return api.orElseThrow(() -> new TourException("the sandbox does not run"));
  }

  @Override
  public Path kubeconfig() {
    return folder.resolve("kubeconfig");
  }

  private Path updaterKubeconfig() {
    return folder.resolve("updater.kubeconfig");
  }

  /** The Service as it is delivered; rights are not a matter of the sandbox. */
  @Override
  public void install() {
    Path file = projectRoot.resolve("deploy/kustomize/base/service.yaml");
    try {
      Object manifest =
          new Yaml(new SafeConstructor(new LoaderOptions())).load(Files.readString(file));
      JsonObject unusedAnswer =
          api()
              .create(
                  "/api/v1/namespaces/kube-system/services",
                  new Gson().toJsonTree(manifest).getAsJsonObject());
    } catch (IOException e) {
      throw new TourException("cannot read " + file + ": " + e, e);
    }
  }

  @Override
  public Replica startReplica(String name, int number, Release release) {
    // In the sandbox's own loopback subnet, and so out of the way of everything else.
    String first = cluster().apiserver(0).ip();
    String own = first.substring(0, first.lastIndexOf('.') + 1) + (100 + number);
    String listen = own + ":" + anyPort(own);
    return new LocalReplica(
        name,
        List.of(
            release.launcher().toString(),
            "--kubeconfig=" + updaterKubeconfig(),
            // As it is in a pod: the control planes' own addresses, not only the first one's.
            "--apiserver-failover=true",
            "--identity=" + name,
            "--listen=" + listen),
        listen,
        folder);
  }

  @Override
  public void stop(Member member) {
    server(member).stopGracefully();
  }

  @Override
  public void bringBack(Member member) {
    server(member).start();
  }

  private SandboxApiserver server(Member member) {
    return cluster().apiservers().stream()
        .filter(server -> server.name().equals(member.name()))
        .findFirst()
        .orElseThrow();
  }

  @Override
  public Optional<Runnable> node(Backstage backstage, Timeline timeline) {
    Path node = folder.resolve("node");
    return Optional.of(() -> new NodeAct(backstage, cluster(), projectRoot, node, timeline).play());
  }

  @Override
  public List<String> wayIn() {
    return List.of("export KUBECONFIG=" + kubeconfig());
  }

  @Override
  public synchronized void close() {
    closed = true;
    api.ifPresent(AdminClient::close);
    running.ifPresent(SandboxCluster::close);
  }
}
