package io.apiserverupdater.lab;

/** How a worker's kube-proxy programs the kernel; the names are those of its own setting. */
public enum ProxyMode {
  NFTABLES("nftables"),
  IPTABLES("iptables"),
  /** Not in every kernel: for a {@link VirtualMachine}. */
  IPVS("ipvs");

  private final String setting;

  ProxyMode(String setting) {
    this.setting = setting;
  }

  /** As kube-proxy spells it. */
  public String setting() {
    return setting;
  }
}
