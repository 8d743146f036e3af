package io.apiserverupdater.lab;

import java.nio.file.Path;

/** The configuration file of a worker's kube-proxy. */
final class KubeProxyConfig {
  private KubeProxyConfig() {}

  static Path write(
      LabFiles files, LabHost host, ProxyMode mode, String minSyncPeriod, Path kubeconfig) {
    return files.write(
        host.name() + "-proxy.yaml", text(mode, minSyncPeriod, host.name(), kubeconfig.toString()));
  }

  /**
   * Its text.
   *
   * @param minSyncPeriod the least pause between two changes of the rules, as Kubernetes writes
   *     durations
   */
  static String text(ProxyMode mode, String minSyncPeriod, String nodeName, String kubeconfig) {
    return """
        apiVersion: kubeproxy.config.k8s.io/v1alpha1
        kind: KubeProxyConfiguration
        mode: %s
        hostnameOverride: %s
        clientConnection: {kubeconfig: %s}
        healthzBindAddress: 0.0.0.0:10256
        metricsBindAddress: 127.0.0.1:10249
        iptables: {localhostNodePorts: false, minSyncPeriod: %s}
        nftables: {minSyncPeriod: %s}
        # The limits of conntrack belong to the machine, not to a network namespace.
        conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
        """
        .formatted(mode.setting(), nodeName, kubeconfig, minSyncPeriod, minSyncPeriod);
  }
}
