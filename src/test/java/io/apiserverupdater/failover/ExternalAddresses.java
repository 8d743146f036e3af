package io.apiserverupdater.failover;

import io.apiserverupdater.failover.Observation.Client;
import io.apiserverupdater.failover.Observation.Pace;
import io.apiserverupdater.failover.Observation.Service;
import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.LabProcess;
import io.apiserverupdater.lab.TrafficTarget;
import io.apiserverupdater.lab.Worker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Two external addresses that MetalLB announces in layer 2, and a host that is no node and uses
 * them: that of the {@code apiserver} Service, as {@code docs/load-balancer.md} sets it up, and
 * that of a Service with a copy of the {@code kubernetes} Service's endpoints, without a health
 * check. An {@link Observation} of this client names the copy {@link Service#KUBERNETES}. Used by
 * one thread at a time.
 */
public final class ExternalAddresses {
  /** Has the manifests that are applied. */
  static final String PAGE = "docs/load-balancer.md";

  /** The one that endpoint-copier-operator maintains has this name. */
  private static final String COPY = "kubernetes-vip";

  /** MetalLB gives both to the same worker, w1: it decides by a hash of both names. */
  private static final String ADDRESSES = "172.30.5.11-172.30.5.12";

  private final Lab lab;
  private final MetalLb metalLb;
  private final LabHost client;
  private final String address;
  private final String copyAddress;

  private ExternalAddresses(Lab lab, MetalLb metalLb) {
    this.lab = lab;
    this.metalLb = metalLb;
    this.client = lab.addHost("outside", "172.30.4.9");
    this.address = metalLb.addressOf("apiserver");
    this.copyAddress = metalLb.addressOf(COPY);
  }

  /** Sets it all up; once for a cluster. It ends with the cluster. */
  public static ExternalAddresses announce(FailoverCluster cluster) {
    Lab lab = cluster.lab();
    expose(lab);
    startCopier(lab, cluster.command());
    return new ExternalAddresses(lab, MetalLb.start(lab, manifests(lab.projectRoot())));
  }

  /** What the page tells to apply, with addresses of the lab. */
  private static String manifests(Path projectRoot) {
    Path file = projectRoot.resolve(PAGE);
    String page = LabException.wrap("cannot read " + file, () -> Files.readString(file));
    int from = page.indexOf("   apiVersion: metallb.io");
    return page.substring(from, page.indexOf("   ```", from))
        .stripTrailing()
        .stripIndent()
        .replaceAll("(addresses:) .*", "$1 [" + ADDRESSES + "]");
  }

  /** The component on the base, and a Service for the copy. */
  private static void expose(Lab lab) {
    Path folder = lab.work().resolve("load-balancer");
    LabException.wrap(
        "cannot write in " + folder,
        () -> {
          Files.createDirectory(folder);
          // Kustomize takes relative paths only.
          Path deploy =
              folder
                  .toRealPath()
                  .relativize(lab.projectRoot().toRealPath())
                  .resolve("deploy/kustomize");
          return Files.writeString(
              folder.resolve("kustomization.yaml"),
              """
              apiVersion: kustomize.config.k8s.io/v1beta1
              kind: Kustomization
              resources: [%1$s/base]
              components: [%1$s/components/load-balancer]
              """
                  .formatted(deploy));
        });
    lab.kubectl().run("apply", "-k", folder.toString()).orThrow();
    lab.kubectl()
        .apply(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: %s, namespace: kube-system}
            spec:
              type: LoadBalancer
              ports: [{name: https, port: 6443}]
            """
                .formatted(COPY));
  }

  /** Writes what the {@code kubernetes} Service has, without a question to any apiserver. */
  private static void startCopier(Lab lab, List<String> updater) {
    Path kubeconfig =
        lab.kubeconfig(
            "copier",
            "https://" + Lab.APISERVER_SERVICE_ADDRESS + ":" + Lab.APISERVER_PORT,
            lab.adminToken());
    List<String> command = new ArrayList<>(updater);
    command.addAll(
        List.of(
            "--health-check=off",
            "--service=" + COPY,
            "--leader-elect=false",
            "--apiserver-failover",
            "--listen=0",
            "--kubeconfig=" + kubeconfig));
    LabProcess unusedCopier =
        lab.worker(2)
            .host()
            .start("copier", command, Map.of("JAVA_HOME", System.getProperty("java.home", "")));
  }

  /** Starts requests of the client through both addresses. */
  public Observation requests(String path, Pace pace) {
    return Observation.start(
        lab,
        List.of(new Client(client, "no node")),
        path,
        pace,
        service ->
            TrafficTarget.of(address(service), Lab.APISERVER_PORT, Lab.APISERVER_NAME).path(path));
  }

  private String address(Service service) {
    return service == Service.APISERVER ? address : copyAddress;
  }

  /** Who is to answer, by name. */
  public Set<String> controlPlanes() {
    return lab.controlPlanes().stream().map(ControlPlaneHost::name).collect(Collectors.toSet());
  }

  /** The worker to which the client sends its packets for the address of a Service, if any. */
  public Optional<Worker> announcer(Service service) {
    return metalLb.announcer(client, address(service));
  }
}
