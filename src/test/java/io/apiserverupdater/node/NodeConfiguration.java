package io.apiserverupdater.node;

import io.apiserverupdater.lab.Lab;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * What a cluster's installer puts on a node: identity, CA, kubeconfigs, the settings of kubelet and
 * kube-proxy. The kubelet joins with a token and gets its certificate from the cluster, as with
 * {@code kubeadm join}.
 */
final class NodeConfiguration {
  /** The label by which the DaemonSet of kube-proxy finds its nodes. */
  static final String PROXY_LABEL = "lab/kube-proxy";

  private static final String SERVER = "https://" + Lab.APISERVER_NAME + ":" + Lab.APISERVER_PORT;

  private NodeConfiguration() {}

  static void write(NodeDisk disk, NodeImage image, NodePlan plan, Lab lab) {
    disk.copy(image.rootfs() + "/.", "/");
    disk.copy(image.pauseImage().toString(), "/usr/local/lib/lab/pause.tar");
    disk.write("/etc/hostname", plan.name() + "\n");
    // An empty one makes a first boot, with presets and much waiting.
    disk.write("/etc/machine-id", "6e6f6465%024d%n".formatted(plan.number()));
    disk.write(
        "/etc/hosts",
        """
        127.0.0.1\tlocalhost
        %s\t%s

        # The following lines are desirable for IPv6 capable hosts
        ::1     localhost ip6-localhost ip6-loopback
        """
            .formatted(plan.address(), plan.name()));
    disk.write("/etc/kubernetes/pki/ca.crt", caCertificate(lab));
    disk.write("/etc/kubernetes/bootstrap-kubelet.conf", kubeconfig(lab, lab.joinToken()));
    disk.write("/etc/kubernetes/kube-proxy.kubeconfig", kubeconfig(lab, lab.proxyToken()));
    disk.write(
        "/etc/kubernetes/kube-proxy.yaml",
        lab.proxyConfiguration(plan.mode(), plan.name(), "/etc/kubernetes/kube-proxy.kubeconfig"));
    disk.write("/etc/kubernetes/manifests/.keep", "");
    disk.write(
        "/etc/default/kubelet",
        "KUBELET_ARGUMENTS=--node-ip=%s --hostname-override=%s --node-labels=%s=%s\n"
            .formatted(
                plan.address(),
                plan.name(),
                PROXY_LABEL,
                plan.placement() == ProxyPlacement.POD ? "pod" : "unit"));
    disk.write(
        "/etc/cni/net.d/10-lab.conflist",
        """
        {"cniVersion": "0.4.0", "name": "lab", "plugins": [
          {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
           "ipam": {"type": "host-local", "dataDir": "/run/cni",
                    "ranges": [[{"subnet": "%s"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
          {"type": "portmap", "capabilities": {"portMappings": true}}]}
        """
            .formatted(plan.podCidr()));
    List<String> enable =
        new ArrayList<>(
            List.of("systemctl", "--quiet", "enable", "lab-kernel", "lab-images", "kubelet"));
    if (plan.placement() == ProxyPlacement.UNIT) {
      enable.add("kube-proxy");
    }
    disk.chroot(enable.toArray(String[]::new)).orThrow();
  }

  private static String caCertificate(Lab lab) {
    try {
      return Files.readString(lab.pki().caFile());
    } catch (IOException e) {
      throw new IllegalStateException("cannot read the CA of the lab", e);
    }
  }

  private static String kubeconfig(Lab lab, String token) {
    return """
        apiVersion: v1
        kind: Config
        clusters:
        - name: lab
          cluster:
            certificate-authority-data: %s
            server: %s
        contexts:
        - name: node@lab
          context:
            cluster: lab
            user: node
        current-context: node@lab
        users:
        - name: node
          user:
            token: %s
        """
        .formatted(
            Base64.getEncoder().encodeToString(caCertificate(lab).getBytes(StandardCharsets.UTF_8)),
            SERVER,
            token);
  }
}
