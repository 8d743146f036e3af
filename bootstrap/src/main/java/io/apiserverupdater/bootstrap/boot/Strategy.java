package io.apiserverupdater.bootstrap.boot;

/** How the time until kube-proxy has rules is bridged. */
public enum Strategy {
  /** The name points at a control plane, later at the cluster IP. */
  HOSTS,
  /** The name points at the cluster IP, and a rule in the kernel leads from there. */
  NFT
}
