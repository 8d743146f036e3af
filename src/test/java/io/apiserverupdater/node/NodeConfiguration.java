package io.apiserverupdater.node;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;

/**
 * What is on a node's disk before it boots: what makes it a machine of its own, and what an
 * installer puts there.
 */
final class NodeConfiguration {
  /** The label by which the DaemonSet of kube-proxy finds its nodes. */
  static final String PROXY_LABEL = "lab/kube-proxy";

  /** On the node; to be imported once it is on. */
  static final String KUBERNETES_IMAGE = "/usr/local/lib/lab/kubernetes.tar";

  private static final String KUBELET_CONFIGURATION = "/var/lib/kubelet/config.yaml";

  private static final Duration QUICK = Duration.ofSeconds(10);

  /** What cfssl makes of kubeasz's request for a kubelet: $1.pem and $1-key.pem. */
  private static final String KUBEASZ_CERTIFICATE =
      """
      openssl genrsa -traditional -out "$1-key.pem" 2048
      openssl req -new -key "$1-key.pem" -out "$1.csr" \\
        -subj "/C=CN/ST=HangZhou/L=XS/O=system:nodes/OU=System/CN=system:node:$2"
      openssl x509 -req -in "$1.csr" -CA "$3" -CAkey "$4" -set_serial 4711 -days 1 -out "$1.pem"
      """;

  private static final String SERVER = "https://" + Lab.APISERVER_NAME + ":" + Lab.APISERVER_PORT;

  private NodeConfiguration() {}

  /** A machine with a container runtime and a network for pods; it belongs to no cluster. */
  static void writeMachine(NodeDisk disk, NodeImage image, NodePlan plan) {
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
    disk.write("/etc/kubernetes/manifests/.keep", "");
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
    disk.chroot("systemctl", "--quiet", "enable", "lab-kernel", "lab-images", "kubelet").orThrow();
  }

  /**
   * A node of a cluster made by hand: CA, kubeconfigs, the settings of kubelet and kube-proxy. The
   * kubelet joins with a token and gets its certificate from the cluster.
   */
  static void write(NodeDisk disk, NodeImage image, NodePlan plan, Lab lab) {
    writeMachine(disk, image, plan);
    disk.write("/etc/kubernetes/pki/ca.crt", caCertificate(lab));
    disk.write(
        "/etc/kubernetes/bootstrap-kubelet.conf", kubeconfig(lab, "token: " + lab.joinToken()));
    disk.write(
        "/etc/kubernetes/kube-proxy.kubeconfig", kubeconfig(lab, "token: " + lab.proxyToken()));
    disk.write(
        "/etc/kubernetes/kube-proxy.yaml",
        lab.proxyConfiguration(plan.mode(), plan.name(), "/etc/kubernetes/kube-proxy.kubeconfig"));
    disk.write(
        "/etc/default/kubelet",
        "KUBELET_ARGUMENTS=--node-ip=%s --hostname-override=%s --node-labels=%s=%s\n"
            .formatted(
                plan.address(),
                plan.name(),
                PROXY_LABEL,
                plan.placement() == ProxyPlacement.POD ? "pod" : "unit"));
    if (plan.placement() == ProxyPlacement.UNIT) {
      disk.chroot("systemctl", "--quiet", "enable", "kube-proxy").orThrow();
    }
  }

  /**
   * Makes what {@link #write} has made the node of a kubeasz cluster, off and fresh: its file
   * places and flags (roles/kube-node there), and a kubelet that has its certificate from the
   * installer.
   */
  static void moveToKubeaszPlaces(NodeDisk disk, NodePlan plan, Lab lab) {
    Path kubelet = lab.work().resolve(plan.name() + "-kubelet");
    Execution.run(
            QUICK,
            "sh",
            "-ec",
            KUBEASZ_CERTIFICATE,
            "sh",
            kubelet.toString(),
            plan.name(),
            lab.pki().caFile().toString(),
            lab.pki().caKey().toString())
        .orThrow();
    disk.write("/etc/kubernetes/ssl/ca.pem", caCertificate(lab));
    disk.copy(kubelet + ".pem", "/etc/kubernetes/ssl/kubelet.pem");
    disk.copy(kubelet + "-key.pem", "/etc/kubernetes/ssl/kubelet-key.pem");
    disk.write(
        "/etc/kubernetes/kubelet.kubeconfig",
        kubeconfig(
            lab,
            "client-certificate-data: %s\n    client-key-data: %s"
                .formatted(
                    base64(disk.text("/etc/kubernetes/ssl/kubelet.pem")),
                    base64(disk.text("/etc/kubernetes/ssl/kubelet-key.pem")))));
    disk.write(
        KUBELET_CONFIGURATION,
        disk.text(KUBELET_CONFIGURATION)
            .replace("/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/ssl/ca.pem")
            .replace(
                "rotateCertificates: true",
                """
                tlsCertFile: /etc/kubernetes/ssl/kubelet.pem
                tlsPrivateKeyFile: /etc/kubernetes/ssl/kubelet-key.pem"""));
    disk.write(
        "/etc/systemd/system/kubelet.service",
        """
        [Unit]
        Description=Kubernetes Kubelet

        [Service]
        WorkingDirectory=/var/lib/kubelet
        ExecStart=/opt/kube/kubelet --config=/var/lib/kubelet/config.yaml --hostname-override=%s \
          --kubeconfig=/etc/kubernetes/kubelet.kubeconfig --root-dir=/var/lib/kubelet
        Restart=always
        RestartSec=5

        [Install]
        WantedBy=multi-user.target
        """
            .formatted(plan.name()));
    disk.write(
        "/var/lib/kube-proxy/kube-proxy-config.yaml", disk.text("/etc/kubernetes/kube-proxy.yaml"));
    disk.write(
        "/etc/systemd/system/kube-proxy.service",
        """
        [Unit]
        Description=Kubernetes Kube-Proxy Server
        After=network.target

        [Service]
        WorkingDirectory=/var/lib/kube-proxy
        ExecStart=/opt/kube/kube-proxy --config=/var/lib/kube-proxy/kube-proxy-config.yaml
        Restart=always
        RestartSec=5

        [Install]
        WantedBy=multi-user.target
        """);
    for (String elsewhere :
        List.of(
            "/etc/kubernetes/pki/ca.crt",
            "/etc/kubernetes/bootstrap-kubelet.conf",
            "/etc/kubernetes/kube-proxy.yaml",
            "/etc/default/kubelet")) {
      disk.remove(elsewhere);
    }
  }

  /** A machine on which kubeadm can make, or join, a cluster, as its Debian packages leave it. */
  static void writeKubeadmMachine(NodeDisk disk, NodeImage image, NodePlan plan) {
    writeMachine(disk, image, plan);
    disk.copy(image.kubernetesImage().toString(), KUBERNETES_IMAGE);
    // What the machines of the lab need is kept; the rest comes from kubeadm.
    disk.write("/etc/lab/kubelet.conf.d/lab.conf", disk.text(KUBELET_CONFIGURATION));
    disk.remove(KUBELET_CONFIGURATION);
    // There it is a DaemonSet.
    disk.remove("/etc/systemd/system/kube-proxy.service");
    disk.write("/etc/default/kubelet", "");
    disk.write(
        "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
        """
        [Service]
        EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
        ExecStart=
        ExecStart=/opt/kube/kubelet --config=%s --config-dir=/etc/lab/kubelet.conf.d \
          --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
          --kubeconfig=/etc/kubernetes/kubelet.conf $KUBELET_KUBEADM_ARGS
        """
            .formatted(KUBELET_CONFIGURATION));
    // The limits of conntrack belong to the machine, not to a network namespace.
    disk.write(
        "/etc/lab/kube-proxy.yaml",
        """
        ---
        apiVersion: kubeproxy.config.k8s.io/v1alpha1
        kind: KubeProxyConfiguration
        conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
        """);
    // A container is not what kubeadm wants of a machine: it is told to take it all the same, and
    // a configuration that it is given gets what kube-proxy needs here.
    disk.write(
        "/usr/local/bin/kubeadm",
        """
        #!/bin/sh
        set -eu
        previous=
        for word; do
          if [ "$1 $2 $previous" = "init --config --config" ]; then
            cat /etc/lab/kube-proxy.yaml >>"$word"
          fi
          previous=$word
        done
        case "$1 $2" in
          "init phase" | "join phase") ;;
          init* | join*) set -- "$@" --ignore-preflight-errors=all ;;
        esac
        exec /opt/kube/kubeadm "$@"
        """);
    disk.chroot("chmod", "755", "/usr/local/bin/kubeadm").orThrow();
    disk.chroot("ln", "-s", "/opt/kube/kubectl", "/usr/local/bin/kubectl").orThrow();
  }

  private static String caCertificate(Lab lab) {
    try {
      return Files.readString(lab.pki().caFile());
    } catch (IOException e) {
      throw new IllegalStateException("cannot read the CA of the lab", e);
    }
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  /** With what says in it who the user is. */
  private static String kubeconfig(Lab lab, String credential) {
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
            %s
        """
        .formatted(base64(caCertificate(lab)), SERVER, credential);
  }
}
