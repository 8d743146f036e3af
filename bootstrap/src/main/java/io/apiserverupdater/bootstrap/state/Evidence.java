package io.apiserverupdater.bootstrap.state;

import java.util.Locale;

/**
 * The evidence for the address that the name points at; each in lower case is also how status, log
 * and state file spell it.
 */
public enum Evidence {
  /** It answered that it is ready. */
  READY,
  /** It proved that it is an apiserver, and does not tell this node whether it is ready. */
  ALIVE,
  /** It proved that it is an apiserver, and is not ready. */
  VERIFIED,
  /** It is this control plane's own apiserver, which starts after the kubelet. */
  LOCAL,
  /** Nothing: nobody answered. */
  NONE;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
