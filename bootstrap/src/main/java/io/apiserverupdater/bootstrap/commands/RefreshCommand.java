package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverProbe;
import io.apiserverupdater.bootstrap.api.ApiserverSource;
import io.apiserverupdater.bootstrap.api.SourceAnswer;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.candidates.CandidateList;
import io.apiserverupdater.bootstrap.candidates.CandidateListStore;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig;
import io.apiserverupdater.bootstrap.files.LockFile;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRule;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.nft.NftBootRuleTable;
import io.apiserverupdater.bootstrap.nft.RuleOutcome;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import io.apiserverupdater.bootstrap.nft.RuleUpkeep;
import io.apiserverupdater.bootstrap.state.BootStateStore;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * {@code refresh}: what the cluster says of its control planes goes into the cached list, and into
 * the boot-time rule where there is one.
 */
public final class RefreshCommand {
  private static final int OK = 0;
  private static final int CHANGES = 1;
  private static final int FAILED = 1;
  private static final int DRY_RUN_FAILED = 2;
  private static final Duration ASK_DEADLINE = Duration.ofSeconds(20);
  private static final Duration RULE_DEADLINE = Duration.ofSeconds(5);
  private static final Duration PROBE_DEADLINE = Duration.ofSeconds(2);

  private RefreshCommand() {}

  /** Returns the exit code; when it throws, the list is as it was. */
  public static int run(BootstrapConfig config, Log log, PrintStream out) throws IOException {
    CandidateListStore store = new CandidateListStore(config.stateDir(), log::warn);
    SourceAnswer answer =
        ApiserverSource.of(config.kubeconfig())
            .orAt(config.hostname(), store.read(config.controlPlanes()).inOrder())
            .read(ASK_DEADLINE);
    if (!(answer instanceof SourceAnswer.Members members)) {
      if (answer instanceof SourceAnswer.Failed failed) {
        log.warn(
            "refresh=failed effect=\"the list of control planes is unchanged\" reason=\"%s\""
                .formatted(failed.message().replace('\n', ' ').replace('"', '\'')));
      }
      return config.dryRun() ? DRY_RUN_FAILED : FAILED;
    }
    if (config.dryRun()) {
      CandidateList before = store.read(config.controlPlanes());
      return show(before, before.refresh(members.addresses(), Instant.now()), out);
    }
    CandidateList list =
        store.refresh(
            config.controlPlanes(), members.addresses(), Instant.now(), LockFile.DEADLINE);
    log.info("refresh=done control-planes=" + members.addresses().toString().replace(" ", ""));
    keepRuleCurrent(config, list.refreshed(), log);
    return OK;
  }

  private static int show(CandidateList before, CandidateList after, PrintStream out) {
    List<ApiserverAddress> gone = new ArrayList<>(before.refreshed());
    gone.removeAll(after.refreshed());
    gone.forEach(address -> out.println("-" + address));
    boolean changes = !gone.isEmpty();
    for (ApiserverAddress address : after.refreshed()) {
      boolean known = before.refreshed().contains(address);
      out.println((known ? " " : "+") + address);
      changes |= !known;
    }
    return changes ? CHANGES : OK;
  }

  private static void keepRuleCurrent(
      BootstrapConfig config, List<ApiserverAddress> members, Log log) {
    Optional<ApiserverAddress> service = config.service();
    boolean restored = new BootStateStore(config.stateDir(), log).isUnpinned();
    if (service.isEmpty() || config.strategy() != Strategy.NFT || restored) {
      return;
    }
    BootRuleTable table = NftBootRuleTable.ofThisNode(config.service(), config.port());
    RuleUpkeep upkeep =
        RuleUpkeep.decide(
            table.read(RULE_DEADLINE),
            BootRule.of(service.get(), ready(config, members, log)),
            config.removeAfterHandover(),
            table.ipvsCarries());
    carryOut(upkeep, table, () -> leadsToAnApiserver(config, service.get(), log), log);
  }

  /**
   * Carries it out.
   *
   * @param ipvsLeads asks the cluster IP, while the rule is not there
   */
  static void carryOut(RuleUpkeep upkeep, BootRuleTable table, BooleanSupplier ipvsLeads, Log log) {
    if (upkeep instanceof RuleUpkeep.Install install) {
      told(table.install(install.rule(), RULE_DEADLINE), installed(install.rule()), log);
    } else if (upkeep instanceof RuleUpkeep.InstallUnlessIpvsLeads missing) {
      if (!ipvsLeads.getAsBoolean()) {
        putBack(missing.rule(), table, installed(missing.rule()), log);
      }
    } else if (upkeep instanceof RuleUpkeep.Remove remove) {
      RuleOutcome removed = table.remove(RULE_DEADLINE);
      // The kernel may have done what is told as failed.
      if (!(removed instanceof RuleOutcome.Done)
          && !(table.read(RULE_DEADLINE) instanceof RuleReading.Absent)) {
        told(removed, "removed", log);
      } else if (ipvsLeads.getAsBoolean()) {
        log.info("rule=removed");
      } else {
        BootRule rule = remove.otherwise();
        String words = "kept reason=\"IPVS has %s, but does not reach an apiserver\"";
        putBack(rule, table, words.formatted(rule.service()), log);
      }
    }
  }

  /** What failed once may have been in a moment when another program changed its own rules. */
  private static void putBack(BootRule rule, BootRuleTable table, String done, Log log) {
    RuleOutcome outcome = table.install(rule, RULE_DEADLINE);
    if (!(outcome instanceof RuleOutcome.Done)) {
      outcome = table.install(rule, RULE_DEADLINE);
    }
    if (outcome instanceof RuleOutcome.Done) {
      log.info("rule=" + done);
    } else {
      log.warn("rule=missing reason=\"" + outcome.reason() + "\"");
    }
  }

  private static String installed(BootRule rule) {
    return "installed to=" + rule.candidates().toString().replace(" ", "");
  }

  /** Asked as often as at the hand-over, each time on a connection of its own. */
  private static boolean leadsToAnApiserver(
      BootstrapConfig config, ApiserverAddress service, Log log) {
    try {
      ApiserverProbe probe = VerifiedProbe.once(config, log);
      for (int i = 0; i < config.rise(); i++) {
        if (!probe.probe(service, PROBE_DEADLINE).works()) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** The members that are ready now; all of them when none is, or nobody says whom to trust. */
  private static List<ApiserverAddress> ready(
      BootstrapConfig config, List<ApiserverAddress> members, Log log) {
    try {
      ApiserverProbe probe = VerifiedProbe.once(config, log);
      List<ApiserverAddress> ready =
          members.stream().filter(it -> probe.probe(it, PROBE_DEADLINE).works()).toList();
      return ready.isEmpty() ? members : ready;
    } catch (IOException e) {
      return members;
    }
  }

  private static void told(RuleOutcome outcome, String done, Log log) {
    if (outcome instanceof RuleOutcome.Done) {
      log.info("rule=" + done);
    } else {
      log.warn("rule=unchanged reason=\"" + outcome.reason() + "\"");
    }
  }
}
