package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.boot.HostsNameEntry;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.candidates.CandidateList;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Output;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.state.BootPhase;
import io.apiserverupdater.bootstrap.state.BootState;
import io.apiserverupdater.bootstrap.state.BootStateStore;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** {@code status}: where the name points, since when, and how old the list is. */
public final class StatusCommand {
  private static final int OK = 0;

  private StatusCommand() {}

  /**
   * What is known.
   *
   * @param target by the hosts file
   * @param told what was kept about this target; empty when somebody else wrote it
   * @param refreshed when the cluster last said who the control planes are
   */
  record Status(
      String name,
      BootPhase phase,
      Optional<InetAddress> target,
      Optional<BootState> told,
      List<ApiserverAddress> controlPlanes,
      Optional<Instant> refreshed) {
    private Optional<Instant> since() {
      return told.map(state -> Instant.ofEpochSecond(state.sinceSeconds()));
    }

    private Optional<String> evidence() {
      return told.map(state -> state.evidence().toString());
    }
  }

  /** Returns the exit code; throws when the hosts file cannot be read. */
  public static int run(BootstrapConfig config, Log log, PrintStream out) throws IOException {
    BootStateStore memory = new BootStateStore(config.stateDir(), log);
    HostsNameEntry entry =
        new HostsNameEntry(
            new HostsFileStore(config.hostsFile(), config.stateDir(), log::warn),
            config.hostname(),
            false,
            memory);
    Optional<BootState> kept = memory.read();
    Optional<InetAddress> target = entry.ownAddress();
    if (target.isEmpty() && kept.filter(it -> it.phase() != BootPhase.UNPINNED).isPresent()) {
      // Somebody else's entry may be the one that strategy nft relies on.
      String relied = kept.get().target();
      target = entry.address().filter(address -> address.getHostAddress().equals(relied));
    }
    Optional<CandidateList> list = CandidateLists.ifConfigured(config, log);
    Status status =
        status(
            config.hostname(),
            target,
            config.clusterIp(),
            config.strategy(),
            kept,
            list.map(CandidateList::inOrder).orElse(List.of()),
            list.flatMap(CandidateList::refreshedAt));
    Instant now = Instant.now();
    out.print(config.output() == Output.JSON ? json(status, now) : text(status, now));
    return OK;
  }

  /** The hosts file decides; what was kept only adds to it, and only while both agree. */
  static Status status(
      String name,
      Optional<InetAddress> target,
      Optional<InetAddress> clusterIp,
      Strategy strategy,
      Optional<BootState> kept,
      List<ApiserverAddress> controlPlanes,
      Optional<Instant> refreshed) {
    Optional<BootState> told =
        kept.filter(
            state -> target.isPresent() && state.target().equals(target.get().getHostAddress()));
    BootPhase phase = target.equals(clusterIp) ? BootPhase.HANDED_OVER : BootPhase.PINNED;
    if (target.isEmpty()) {
      phase = BootPhase.UNPINNED;
    } else if (phase == BootPhase.PINNED || strategy == Strategy.NFT) {
      phase = told.map(BootState::phase).orElse(phase);
    }
    return new Status(name, phase, target, told, controlPlanes, refreshed);
  }

  static String text(Status status, Instant now) {
    return """
        name      %s
        phase     %s
        target    %s
        since     %s
        evidence  %s
        list      %s
        list age  %s
        """
        .formatted(
            status.name(),
            status.phase(),
            status.target().map(InetAddress::getHostAddress).orElse("none"),
            status
                .since()
                .map(since -> since + ", " + age(since, now) + " ago")
                .orElse("unknown: this program did not write the current entry"),
            status.evidence().orElse("unknown"),
            status.controlPlanes().isEmpty()
                ? "no control plane configured"
                : joined(status.controlPlanes(), ApiserverAddress::toString),
            status
                .refreshed()
                .map(at -> age(at, now) + ", refreshed " + at)
                .orElse("never refreshed: only the configured ones"));
  }

  /** In the largest unit that is not zero. */
  private static String age(Instant then, Instant now) {
    Duration age = Duration.between(then, now);
    if (age.isNegative()) {
      return "in the future by this node's clock";
    }
    if (age.toDays() > 0) {
      return age.toDays() + " d";
    }
    if (age.toHours() > 0) {
      return age.toHours() + " h";
    }
    return age.toMinutes() > 0 ? age.toMinutes() + " min" : age.toSeconds() + " s";
  }

  static String json(Status status, Instant now) {
    return """
        {
          "name": %s,
          "phase": %s,
          "target": %s,
          "since": %s,
          "evidence": %s,
          "controlPlanes": [%s],
          "listRefreshed": %s,
          "listAgeSeconds": %s
        }
        """
        .formatted(
            quoted(status.name()),
            quoted(status.phase()),
            quoted(status.target().map(InetAddress::getHostAddress)),
            quoted(status.since()),
            quoted(status.evidence()),
            joined(status.controlPlanes(), StatusCommand::quoted),
            quoted(status.refreshed()),
            status
                .refreshed()
                .map(at -> Long.toString(Duration.between(at, now).toSeconds()))
                .orElse("null"));
  }

  private static String joined(
      List<ApiserverAddress> addresses, Function<ApiserverAddress, String> text) {
    return addresses.stream().map(text).collect(Collectors.joining(", "));
  }

  private static String quoted(Optional<?> value) {
    return value.isPresent() ? quoted(value.get()) : "null";
  }

  /** Names, words, addresses and times: nothing in them needs to be escaped. */
  private static String quoted(Object value) {
    return "\"" + value + '"';
  }
}
