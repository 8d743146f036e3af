package io.apiserverupdater.bootstrap.nft;

import java.time.Duration;

/**
 * The kernel's table with the boot-time rule for one service. One thread at a time; two processes
 * may, each change is one transaction. Nothing here throws for what the system does.
 */
public interface BootRuleTable {

  /** Puts the rule in, in place of the one that may be there; its counter starts at 0. */
  RuleOutcome install(BootRule rule, Duration deadline);

  /** What is in there now. */
  RuleReading read(Duration deadline);

  /** Takes the rule out, of whatever address family it is; {@code Done} when there is none. */
  RuleOutcome remove(Duration deadline);

  /**
   * Whether kube-proxy's IPVS has a destination for the service. The rule comes before IPVS, so it
   * must be taken out at the hand-over, and only then shows whether IPVS leads to an apiserver.
   */
  boolean ipvsCarries();
}
