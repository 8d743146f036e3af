package io.apiserverupdater.bootstrap.boot;

/** What kind of node this is. */
public enum Role {
  /** The name ends up at the cluster IP. */
  WORKER,
  /** The name ends up at the node's own apiserver, and elsewhere while that is not ready. */
  CONTROL_PLANE
}
