package io.apiserverupdater.failover;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.BuildScript;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.PodProcess;
import io.apiserverupdater.lab.Worker;
import io.apiserverupdater.sandbox.Json;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * MetalLB in layer 2 mode in a lab: its controller and a speaker on each worker, with the rights of
 * its own manifests. Workers of the lab have no kubelet, so its programs run as {@link PodProcess},
 * beside Pods that exist in the API alone: the speakers find each other by those.
 */
final class MetalLb {
  private static final String NAMESPACE = "metallb-system";
  private static final String PODS = "/api/v1/namespaces/" + NAMESPACE + "/pods";
  private static final Pattern LINK_ADDRESS = Pattern.compile("(?:lladdr|link/ether) (\\S+)");

  private final Lab lab;

  private MetalLb(Lab lab) {
    this.lab = lab;
  }

  /**
   * Installs and starts it. Run {@code src/test/metallb/build} before entering the universe.
   *
   * @param addresses an IPAddressPool and an L2Advertisement, in YAML
   */
  static MetalLb start(Lab lab, String addresses) {
    Path built = BuildScript.run(lab.projectRoot(), "metallb");
    lab.kubectl().run("apply", "-k", built.toString()).orThrow();
    lab.kubectl().run("wait", "--for=condition=Established", "crd", "--all").orThrow();
    lab.kubectl().apply(addresses);
    MetalLb metalLb = new MetalLb(lab);
    for (Worker worker : lab.workers()) {
      metalLb.createPod("speaker", worker);
      // As the network plugin of a node does it.
      worker.host().run("sh", "-ec", "echo 1 >/proc/sys/net/ipv4/ip_forward").orThrow();
    }
    for (Worker worker : lab.workers()) {
      PodProcess unusedSpeaker =
          metalLb
              .pod("speaker", worker)
              .environment("METALLB_NODE_NAME", worker.name())
              .environment("METALLB_POD_NAME", podName("speaker", worker))
              .environment("METALLB_ML_BIND_ADDR", worker.host().address())
              .environment("METALLB_ML_LABELS", "app=metallb,component=speaker")
              .start(built.resolve("speaker").toString());
    }
    PodProcess unusedController =
        metalLb
            .pod("controller", lab.worker(2))
            .start(
                built.resolve("controller").toString(), "--port=7473", "--webhook-mode=disabled");
    return metalLb;
  }

  private static String podName(String component, Worker worker) {
    return component + "-" + worker.name();
  }

  private void createPod(String component, Worker worker) {
    String name = podName(component, worker);
    JsonObject unusedPod =
        lab.admin()
            .create(
                PODS,
                """
                {"apiVersion": "v1", "kind": "Pod",
                 "metadata": {"name": "%1$s", "labels": {"app": "metallb", "component": "%2$s"}},
                 "spec": {"nodeName": "%3$s", "hostNetwork": true, "serviceAccountName": "%2$s",
                          "containers": [{"name": "%2$s", "image": "none"}]}}
                """
                    .formatted(name, component, worker.name()));
    String address = worker.host().address();
    JsonObject unusedStatus =
        lab.admin()
            .patch(
                PODS + "/" + name + "/status",
                "{\"status\": {\"podIP\": \"%1$s\", \"podIPs\": [{\"ip\": \"%1$s\"}]}}"
                    .formatted(address));
  }

  private PodProcess.Builder pod(String component, Worker worker) {
    return lab.pod(worker, podName(component, worker))
        .namespace(NAMESPACE)
        .serviceAccount(component);
  }

  /** The external address of a Service in kube-system, once it has one. */
  String addressOf(String service) {
    String path = "status/loadBalancer/ingress/0/ip";
    Optional<JsonObject> found =
        lab.admin()
            .await(
                "/api/v1/namespaces/kube-system/services",
                service,
                object -> object.filter(it -> !Json.text(it, path).isEmpty()).isPresent(),
                FailoverCluster.SOON);
    return Json.text(found.orElseThrow(), path);
  }

  /** The worker to which a host sends its packets for an external address, if any. */
  Optional<Worker> announcer(LabHost host, String address) {
    String linkAddress = linkAddress(host.run("ip", "neigh", "show", "to", address).out());
    return lab.workers().stream()
        .filter(
            worker ->
                linkAddress(worker.host().run("ip", "link", "show", "eth0").out())
                    .equals(linkAddress))
        .findFirst();
  }

  private static String linkAddress(String output) {
    Matcher matcher = LINK_ADDRESS.matcher(output);
    return matcher.find() ? matcher.group(1) : "";
  }
}
