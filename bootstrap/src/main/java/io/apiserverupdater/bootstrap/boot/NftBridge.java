package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRule;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.nft.Carrier;
import io.apiserverupdater.bootstrap.nft.RuleOutcome;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The name points at the cluster IP from the start, and a rule in the kernel leads from there to
 * the control plane. Where there cannot be such a rule, the name points at the control plane after
 * all; that is told once.
 */
final class NftBridge extends Bridge {
  private static final Duration DEADLINE = Duration.ofSeconds(5);

  private final ApiserverAddress service;
  private final NameEntry entry;
  private final BootRuleTable table;
  private final boolean removeAfterHandover;
  private final Log log;
  private boolean fallenBack;
  private RuleReading before = new RuleReading.Absent();

  /** What was taken out on trial: only without it IPVS shows whether it leads to an apiserver. */
  private Optional<BootRule> aside = Optional.empty();

  private boolean failureTold;

  NftBridge(
      ApiserverAddress service,
      NameEntry entry,
      BootRuleTable table,
      boolean removeAfterHandover,
      Log log) {
    super(entry, service.port());
    this.service = service;
    this.entry = entry;
    this.table = table;
    this.removeAfterHandover = removeAfterHandover;
    this.log = log;
  }

  @Override
  Optional<ApiserverAddress> current() throws IOException {
    if (aside.isPresent() && isEntryOfTheService()) {
      return Optional.of(aside.get().candidates().get(0));
    }
    if (table.read(DEADLINE) instanceof RuleReading.Present present) {
      return Optional.of(present.rule().candidates().get(0));
    }
    return super.current();
  }

  @Override
  boolean leadTo(ApiserverAddress controlPlane) throws IOException {
    Optional<BootRule> rule = BootRule.of(service, List.of(controlPlane));
    if (rule.isEmpty()) {
      fallBack(controlPlane + " is not of the address family of " + service);
    } else if (!fallenBack) {
      RuleOutcome outcome = table.install(rule.get(), DEADLINE);
      aside = Optional.empty();
      if (!(outcome instanceof RuleOutcome.Done)) {
        fallBack(outcome.reason());
      }
    }
    if (fallenBack) {
      return super.leadTo(controlPlane);
    }
    boolean unusedChange = entry.pointAt(service.ip());
    return true;
  }

  private void fallBack(String reason) {
    if (!fallenBack) {
      log.warn("strategy=nft fallback=hosts reason=\"" + reason + "\"");
    }
    fallenBack = true;
  }

  @Override
  void beforeAsking() throws IOException {
    before = reading();
  }

  /**
   * A rule that cannot be read is none where the name leads to a control plane: then the program
   * that pinned it, most likely another one, has fallen back.
   */
  private RuleReading reading() throws IOException {
    if (fallenBack) {
      return new RuleReading.Absent();
    }
    RuleReading reading = table.read(DEADLINE);
    return reading instanceof RuleReading.Unreadable && !isEntryOfTheService()
        ? new RuleReading.Absent()
        : reading;
  }

  private boolean isEntryOfTheService() throws IOException {
    return entry.address().equals(Optional.of(service.ip()));
  }

  @Override
  boolean mayHaveCarried() throws IOException {
    return Carrier.between(before, reading()) != Carrier.KUBE_PROXY;
  }

  /** For IPVS: the rule comes before it. kube-proxy's other modes come before the rule. */
  @Override
  boolean stepAside() throws IOException {
    if (reading() instanceof RuleReading.Present present
        && table.ipvsCarries()
        && table.remove(DEADLINE) instanceof RuleOutcome.Done) {
      aside = Optional.of(present.rule());
    }
    return aside.isPresent();
  }

  @Override
  boolean stepBack() throws IOException {
    if (aside.isEmpty()) {
      return false;
    }
    BootRule rule = aside.get();
    aside = Optional.empty();
    // restore may have taken both out meanwhile.
    if (isEntryOfTheService()) {
      RuleOutcome outcome = table.install(rule, DEADLINE);
      if (!(outcome instanceof RuleOutcome.Done)) {
        log.warn("strategy=nft rule=missing reason=\"" + outcome.reason() + "\"");
      } else if (!failureTold) {
        log.warn(
            "strategy=nft rule=kept reason=\"IPVS has %s, but does not lead to an apiserver yet\""
                .formatted(service));
        failureTold = true;
      }
    }
    return true;
  }

  @Override
  void handedOver() {
    if (!fallenBack && (removeAfterHandover || aside.isPresent())) {
      RuleOutcome outcome = table.remove(DEADLINE);
      if (outcome instanceof RuleOutcome.Done) {
        log.info("strategy=nft rule=removed");
      } else {
        log.warn("strategy=nft rule=left reason=\"" + outcome + "\"");
      }
    }
  }
}
