package io.apiserverupdater.bootstrap.nft;

/** Who carried this node's new connections to the clusterIP between two readings of the rule. */
public enum Carrier {
  /** None of them came to the rule, so kube-proxy's own rules took them all. */
  KUBE_PROXY,
  /** At least one came to the rule, so kube-proxy has no rule for it yet. */
  BOOT_RULE,
  /** The readings do not tell: the rule was changed meanwhile, or could not be read. */
  UNKNOWN;

  /**
   * Compares two readings between which connections to the clusterIP were made and answered. The
   * connections of other programs on the node count as well.
   */
  public static Carrier between(RuleReading before, RuleReading after) {
    if (before instanceof RuleReading.Absent && after instanceof RuleReading.Absent) {
      return KUBE_PROXY;
    }
    if (before instanceof RuleReading.Present earlier
        && after instanceof RuleReading.Present later
        && earlier.rule().equals(later.rule())
        && later.connections() >= earlier.connections()) {
      return later.connections() == earlier.connections() ? KUBE_PROXY : BOOT_RULE;
    }
    return UNKNOWN;
  }
}
