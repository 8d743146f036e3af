package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.bootstrap.boot.BootState;
import io.apiserverupdater.bootstrap.boot.BootStateStore;
import io.apiserverupdater.bootstrap.boot.HostsNameEntry;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.nft.NftBootRuleTable;
import io.apiserverupdater.bootstrap.nft.RuleOutcome;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Optional;

/** {@code restore}: removes the block from the hosts file and the rule from the kernel. */
public final class RestoreCommand {
  private static final int OK = 0;
  private static final int CHANGES = 1;
  private static final int FAILED = 1;
  private static final Duration RULE_DEADLINE = Duration.ofSeconds(5);

  private RestoreCommand() {}

  /** Returns the exit code; when it throws, the hosts file is as it was. */
  public static int run(BootstrapConfig config, Log log, PrintStream out) throws IOException {
    HostsFileStore store = new HostsFileStore(config.hostsFile(), config.stateDir(), log::warn);
    BootRuleTable table = NftBootRuleTable.ofThisNode(config.service(), config.port());
    BootStateStore memory = new BootStateStore(config.stateDir(), log);
    HostsNameEntry entry = new HostsNameEntry(store, config.hostname(), false, memory);
    if (config.dryRun()) {
      return new DryRunEntry(config.hostsFile(), entry, out).edit(entry::restored) ? CHANGES : OK;
    }
    HostsFileStore.Change unusedChange = store.dryRun(entry::restored);
    Optional<BootState> before = memory.read();
    // Before the change: a waiting hand-over puts an entry back that another program took out.
    memory.keep(
        BootState.unpinned(
            before.map(BootState::target).orElse(""), System.currentTimeMillis() / 1000));
    boolean changed;
    try {
      changed = store.change(entry::restored, HostsNameEntry.LOCK_DEADLINE).differs();
    } catch (IOException e) {
      before.ifPresent(memory::keep);
      throw e;
    }
    log.info("phase=unpinned name=" + config.hostname() + " changed=" + changed);
    // A node that cannot have the rule has none.
    if (table.remove(RULE_DEADLINE) instanceof RuleOutcome.Failed failed) {
      log.warn("rule=left reason=\"" + failed.reason() + "\"");
      return FAILED;
    }
    return OK;
  }
}
