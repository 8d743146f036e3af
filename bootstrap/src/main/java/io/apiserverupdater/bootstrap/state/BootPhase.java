package io.apiserverupdater.bootstrap.state;

import java.util.Locale;

/** How far a node has come; each name is also how status, log and state file spell it. */
public enum BootPhase {
  /** The name has no entry of ours. */
  UNPINNED,
  /** The name leads to a control plane, past kube-proxy. */
  PINNED,
  /** The name leads to where it is to end up. */
  HANDED_OVER;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
