package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.bootstrap.boot.HostsNameEntry;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig;
import io.apiserverupdater.bootstrap.files.FailureReason;
import io.apiserverupdater.bootstrap.files.LockFile;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.nft.NftBootRuleTable;
import io.apiserverupdater.bootstrap.nft.RuleOutcome;
import io.apiserverupdater.bootstrap.state.BootPhase;
import io.apiserverupdater.bootstrap.state.BootState;
import io.apiserverupdater.bootstrap.state.BootStateStore;
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
    Optional<BootState> before = memory.read();
    HostsFileStore.Edit restored = file -> entry.restored(file, before);
    if (config.dryRun()) {
      return new DryRunEntry(config.hostsFile(), entry, out).edit(restored) ? CHANGES : OK;
    }
    HostsFileStore.Change unusedChange = store.dryRun(restored);
    BootState unpinned =
        BootState.unpinned(
            before.map(BootState::target).orElse(""), System.currentTimeMillis() / 1000);
    end(memory, unpinned, config);
    boolean changed;
    try {
      changed = store.change(restored, LockFile.DEADLINE).differs();
    } catch (IOException e) {
      before.ifPresentOrElse(memory::keep, memory::forget);
      throw before.filter(it -> it.phase() == BootPhase.UNPINNED).isPresent() ? e : undone(e);
    }
    log.info("phase=unpinned name=" + config.hostname() + " changed=" + changed);
    // A node that cannot have the rule has none.
    if (table.remove(RULE_DEADLINE) instanceof RuleOutcome.Failed failed) {
      log.warn("rule=left reason=\"" + failed.reason() + "\"");
      return FAILED;
    }
    return OK;
  }

  /** A hand-over that was waiting has seen meanwhile that restore ended it. */
  private static IOException undone(IOException cause) {
    String message = String.valueOf(cause.getMessage());
    return new IOException(
        message
            + (message.endsWith(".") ? "" : ".")
            + " If the hand-over was waiting, it has ended: run systemctl start"
            + " apiserver-bootstrap-handover.service",
        cause);
  }

  /** Before the change: otherwise a waiting hand-over would put back what it removes. */
  private static void end(BootStateStore memory, BootState unpinned, BootstrapConfig config)
      throws IOException {
    try {
      memory.write(unpinned);
    } catch (IOException e) {
      throw new IOException(
          """
          cannot save in %s that restore ran: %s. The next hand-over would undo the change, \
          so %s is unchanged; make the folder writable, then run this again"""
              .formatted(config.stateDir(), FailureReason.of(e), config.hostsFile()),
          e);
    }
  }
}
