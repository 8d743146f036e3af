package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRule;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.nft.RuleOutcome;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import java.time.Duration;

/** The kernel's table as it is: what would change there is told. */
record DryRunRuleTable(BootRuleTable real, Log log) implements BootRuleTable {
  @Override
  public RuleOutcome install(BootRule rule, Duration deadline) {
    log.info("dry-run=true rule=installed service=" + rule.service() + " to=" + rule.candidates());
    return new RuleOutcome.Done();
  }

  @Override
  public RuleReading read(Duration deadline) {
    return real.read(deadline);
  }

  @Override
  public RuleOutcome remove(Duration deadline) {
    log.info("dry-run=true rule=removed");
    return new RuleOutcome.Done();
  }

  @Override
  public boolean ipvsCarries() {
    return real.ipvsCarries();
  }
}
