package io.apiserverupdater.node;

/** How kube-proxy comes to run on a node. */
public enum ProxyPlacement {
  /** A systemd unit of the node, as in clusters made by hand or by kubeasz. */
  UNIT,
  /** A pod of a DaemonSet with the host's network, as kubeadm has it. */
  POD
}
