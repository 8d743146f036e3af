package io.apiserverupdater.bootstrap.boot;

import java.util.Optional;

/** How far a node has come; each name is also how status, log and state file spell it. */
public enum BootPhase {
  /** The name has no entry of ours. */
  UNPINNED("unpinned"),
  /** The name leads to a control plane, past kube-proxy. */
  PINNED("pinned"),
  /** The name leads to where it is to end up. */
  HANDED_OVER("handed-over");

  private final String text;

  BootPhase(String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }

  /** The phase of this name. */
  public static Optional<BootPhase> of(String text) {
    for (BootPhase phase : values()) {
      if (phase.text.equals(text)) {
        return Optional.of(phase);
      }
    }
    return Optional.empty();
  }
}
