package io.apiserverupdater.bootstrap.boot;

/** The evidence for the address that the name points at. */
public enum Evidence {
  /** It answered that it is ready. */
  READY,
  /** It proved that it is an apiserver, and is not ready. */
  VERIFIED,
  /** It is this control plane's own apiserver, which starts after the kubelet. */
  LOCAL,
  /** Nothing: nobody answered. */
  NONE
}
