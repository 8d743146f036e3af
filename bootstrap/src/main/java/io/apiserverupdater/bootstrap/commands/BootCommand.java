package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.boot.BootSequence;
import io.apiserverupdater.bootstrap.boot.BootSequence.Pinned;
import io.apiserverupdater.bootstrap.boot.CandidateOrder;
import io.apiserverupdater.bootstrap.boot.HostsNameEntry;
import io.apiserverupdater.bootstrap.boot.NameEntry;
import io.apiserverupdater.bootstrap.boot.Node;
import io.apiserverupdater.bootstrap.boot.ProbeThreads;
import io.apiserverupdater.bootstrap.boot.Probing;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.candidates.CandidateListStore;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig;
import io.apiserverupdater.bootstrap.configuration.Command;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.BootRuleTable;
import io.apiserverupdater.bootstrap.nft.NftBootRuleTable;
import io.apiserverupdater.bootstrap.state.BootMemory;
import io.apiserverupdater.bootstrap.state.BootPhase;
import io.apiserverupdater.bootstrap.state.BootStateStore;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** {@code pin}, {@code handover}, and both in one. */
public record BootCommand(BootstrapConfig config, Log log, PrintStream out) {
  private static final int OK = 0;
  private static final int CHANGES = 1;
  private static final int ONLY_VERIFIED = 3;
  private static final int KEPT = 4;

  /** As long as a control plane looks for its peers: the kubelet waits. */
  private static final Duration ADDRESS_PATIENCE = Duration.ofSeconds(5);

  private static final Duration ADDRESS_INTERVAL = Duration.ofMillis(100);

  /** A hand-over that may know wrong addresses ends after this; the unit's --retry starts over. */
  private static final Duration DOUBT = Duration.ofMinutes(5);

  /**
   * Returns the exit code; when it throws, the hosts file is as it was.
   *
   * @throws InterruptedException when the program was told to end
   */
  public int run() throws IOException, InterruptedException {
    HostsFileStore store = new HostsFileStore(config.hostsFile(), config.stateDir(), log::warn);
    BootStateStore memory = new BootStateStore(config.stateDir(), log);
    HostsNameEntry entry = new HostsNameEntry(store, config.hostname(), config.adopt(), memory);
    if (config.command() == Command.HANDOVER && !config.dryRun() && memory.isUnpinned()) {
      // Also where the rest of the configuration is of no use any more.
      log.info(BootSequence.endedByRestore(config.hostname()));
      return OK;
    }
    BootRuleTable table = NftBootRuleTable.ofThisNode(config.service(), config.port());
    if (config.dryRun()) {
      return dryRun(new DryRunEntry(config.hostsFile(), entry, out), table);
    }
    BootSequence sequence =
        sequence(entry, table, new ProbeThreads(VerifiedProbe.repeated(config, log)), memory);
    Pinned pinned = config.command() == Command.HANDOVER ? Pinned.READY : sequence.pin();
    if (config.command() == Command.PIN) {
      return switch (pinned) {
        case READY -> OK;
        case VERIFIED -> ONLY_VERIFIED;
        case NOBODY -> KEPT;
      };
    }
    boolean justPinned = config.command() == Command.RUN && pinned == Pinned.READY;
    Termination termination = Termination.interrupting(Thread.currentThread());
    try {
      // What takes the entry out from now on starts no hand-over while this one runs.
      do {
        boolean refreshed =
            memory.read().filter(state -> state.phase() == BootPhase.HANDED_OVER).isPresent()
                && isAtItsEnd(sequence, entry);
        if (!sequence.handover(justPinned)) {
          return KEPT;
        }
        if (!refreshed && !memory.isUnpinned()) {
          refresh();
        }
        justPinned = false;
      } while (!memory.isUnpinned() && !isAtItsEnd(sequence, entry));
    } finally {
      termination.over();
    }
    return OK;
  }

  private static boolean isAtItsEnd(BootSequence sequence, NameEntry entry) throws IOException {
    return entry.address().equals(Optional.of(sequence.destination().ip()));
  }

  /** The list is for the next boot; this one is done. */
  private void refresh() {
    try {
      int unusedCode = RefreshCommand.run(config, log, out);
    } catch (IOException e) {
      log.warn("refresh=failed reason=\"" + e.getMessage() + "\"");
    }
  }

  /** The search is real, what follows from it is shown. A hand-over is shown without the wait. */
  private int dryRun(DryRunEntry entry, BootRuleTable table)
      throws IOException, InterruptedException {
    BootSequence sequence =
        sequence(
            entry,
            new DryRunRuleTable(table, log),
            new DryRunProbing(new ProbeThreads(VerifiedProbe.repeated(config, log))),
            BootMemory.NONE);
    if (config.command() != Command.HANDOVER) {
      Pinned unusedPinned = sequence.pin();
    }
    if (config.command() != Command.PIN) {
      boolean unusedChange = entry.pointAt(sequence.destination().ip());
    }
    return entry.changed() ? CHANGES : OK;
  }

  private BootSequence sequence(
      NameEntry entry, BootRuleTable table, Probing probing, BootMemory memory)
      throws IOException, InterruptedException {
    List<ApiserverAddress> candidates =
        CandidateOrder.ofGroups(
            new CandidateListStore(config.stateDir(), log::warn)
                .read(config.controlPlanes())
                .inGroups(),
            Node.identity(Path.of("/")));
    List<ApiserverAddress> usable = usable(candidates);
    Optional<ApiserverAddress> local = local(candidates, probing);
    if (usable.isEmpty() && local.isEmpty()) {
      throw new IOException(
          "no control plane is known: %s cannot be looked up, and was not before; add an IP address"
              .formatted(String.join(", ", config.controlPlaneNames())));
    }
    return new BootSequence(
        new BootSequence.Plan(
            config.hostname(),
            usable,
            config.port(),
            local,
            config.service(),
            config.strategy(),
            config.removeAfterHandover(),
            config.timeout(),
            waitLimit(config, local),
            config.rise()),
        entry,
        table,
        probing,
        memory,
        () -> System.currentTimeMillis() / 1000,
        new Random()::nextDouble,
        log);
  }

  /** A hosts file holds no port, so a candidate on another port than the URLs' is out of reach. */
  private List<ApiserverAddress> usable(List<ApiserverAddress> candidates) {
    List<ApiserverAddress> usable = new ArrayList<>();
    for (ApiserverAddress candidate : candidates) {
      if (candidate.port() == config.port() || config.strategy() == Strategy.NFT) {
        usable.add(candidate);
      }
    }
    return usable;
  }

  private Optional<ApiserverAddress> local(List<ApiserverAddress> candidates, Probing probing)
      throws InterruptedException {
    if (config.role() == Role.WORKER || config.localApiserver().isPresent()) {
      return config.localApiserver();
    }
    long end = probing.now() + addressPatience().toNanos();
    Optional<ApiserverAddress> local = localNow(candidates);
    if (local.isEmpty()) {
      log.info(
          "waiting-for=address reason=\"this node has none but loopback and link-local ones\"");
    }
    while (local.isEmpty() && end - probing.now() > 0) {
      // Nobody is asked yet, so nobody answers.
      Optional<Probing.Answer> unusedAnswer =
          probing.await(probing.now() + ADDRESS_INTERVAL.toNanos());
      local = localNow(candidates);
    }
    return local.or(() -> Optional.of(Node.onLoopback(config.port())));
  }

  private Optional<ApiserverAddress> localNow(List<ApiserverAddress> candidates) {
    return Node.localApiserver(candidates, Node.addresses(), config.port());
  }

  private Duration addressPatience() {
    if (config.dryRun()) {
      return Duration.ZERO;
    }
    return config.command() == Command.HANDOVER
        ? config.waitLimit().orElse(BootSequence.NO_LIMIT)
        : ADDRESS_PATIENCE;
  }

  /**
   * How long a hand-over may wait. It ends early where it goes by what may be known better later:
   * names that are looked up once, and a control plane's own address that was not there.
   *
   * @param local the own apiserver of a control plane
   */
  static Optional<Duration> waitLimit(BootstrapConfig config, Optional<ApiserverAddress> local) {
    boolean guessed =
        config.localApiserver().isEmpty()
            && local.equals(Optional.of(Node.onLoopback(config.port())));
    if (config.controlPlaneNames().isEmpty() && !guessed) {
      return config.waitLimit();
    }
    return config
        .waitLimit()
        .filter(limit -> limit.compareTo(DOUBT) < 0)
        .or(() -> Optional.of(DOUBT));
  }
}
