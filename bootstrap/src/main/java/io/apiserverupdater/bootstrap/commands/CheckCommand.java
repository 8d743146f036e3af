package io.apiserverupdater.bootstrap.commands;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.boot.HostsNameEntry;
import io.apiserverupdater.bootstrap.boot.Node;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.candidates.CandidateList;
import io.apiserverupdater.bootstrap.check.Facts;
import io.apiserverupdater.bootstrap.check.Facts.HostsBlock;
import io.apiserverupdater.bootstrap.check.Facts.Probed;
import io.apiserverupdater.bootstrap.check.NodeFiles;
import io.apiserverupdater.bootstrap.check.NodeProbes;
import io.apiserverupdater.bootstrap.check.NodePrograms;
import io.apiserverupdater.bootstrap.check.Reading;
import io.apiserverupdater.bootstrap.check.Report;
import io.apiserverupdater.bootstrap.check.Rules;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Output;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Trust;
import io.apiserverupdater.bootstrap.hosts.HostsEntry;
import io.apiserverupdater.bootstrap.hosts.HostsFile;
import io.apiserverupdater.bootstrap.hosts.HostsFileStore;
import io.apiserverupdater.bootstrap.ipvs.IpvsServices;
import io.apiserverupdater.bootstrap.log.Log;
import io.apiserverupdater.bootstrap.nft.NftBootRuleTable;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import io.apiserverupdater.bootstrap.program.Program;
import io.apiserverupdater.bootstrap.state.BootStateStore;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code check}: examines the node, and says what to do about what is wrong. Changes nothing. */
public record CheckCommand(BootstrapConfig config, Log log) {
  private static final Duration RULE_DEADLINE = Duration.ofSeconds(3);

  /** Returns the exit code: 0 all is well, 1 with a warning, 2 with a failure. */
  public int run(PrintStream out) throws InterruptedException {
    Report report = new Report(Rules.findings(facts()));
    out.print(config.output() == Output.JSON ? report.json() : report.text());
    return report.exitCode();
  }

  private Facts facts() throws InterruptedException {
    String path = System.getenv().getOrDefault("PATH", "");
    NodePrograms programs = new NodePrograms(Program.folders(path), Path.of("/proc"));
    NodeFiles files = new NodeFiles(Path.of("/"));
    Optional<CandidateList> list = CandidateLists.ifConfigured(config, log);
    List<ApiserverAddress> addresses = list.map(CandidateList::inOrder).orElse(List.of());
    Optional<ApiserverAddress> service = config.service();
    Reading<List<Probed>> probed = probe(addresses, service);
    Reading<NodeProbes.Shown> shown = probed.then(all -> NodeProbes.shown(config.hostname(), all));
    Optional<Map<String, String>> proxyEnvironment = programs.environmentOf("kube-proxy");
    return new Facts(
        Instant.now(),
        new Facts.Settings(
            config.hostname(),
            config.port(),
            config.clusterIp(),
            config.hasControlPlanes(),
            !(config.trust().orElse(null) instanceof Trust.Anybody),
            config.role(),
            config.strategy(),
            config.kubeletUnit(),
            config.proxyUnit()),
        programs.resolution(config.hostname()),
        hosts(),
        list.flatMap(CandidateList::refreshedAt),
        probed.then(all -> new Reading.Known<>(all.subList(0, addresses.size()))),
        service.map(unused -> probed.then(all -> new Reading.Known<>(all.get(addresses.size())))),
        NodeProbes.certificate(shown),
        authorities(shown),
        files.dialled(config.kubeconfig(), programs.environmentOf("kubelet").orElseGet(Map::of)),
        files
            .proxyKubeconfig()
            .then(file -> files.dialled(file, proxyEnvironment.orElseGet(Map::of))),
        files.clusterDns(),
        programs.units(config.kubeletUnit(), config.proxyUnit()),
        programs.unitOf("kubelet"),
        programs.unitOf("kube-proxy"),
        proxyEnvironment.map(Map::keySet),
        programs.clockSynchronized(),
        files.machineId(),
        files.conntrackTimeout("syn_sent"),
        files.conntrackTimeout("close"),
        files.snapshots(config.hostname()),
        rule(),
        service
            .flatMap(IpvsServices::ofKubeProxy)
            .map(
                found ->
                    new Facts.Ipvs(
                        found,
                        files.ipvsSetting("conntrack"),
                        files.ipvsSetting("expire_nodest_conn"))),
        Node.addresses());
  }

  /** The control planes, then the clusterIP if there is one. */
  private Reading<List<Probed>> probe(
      List<ApiserverAddress> controlPlanes, Optional<ApiserverAddress> service)
      throws InterruptedException {
    List<ApiserverAddress> addresses = new ArrayList<>(controlPlanes);
    service.ifPresent(addresses::add);
    try {
      return new Reading.Known<>(NodeProbes.probe(VerifiedProbe.once(config, log), addresses));
    } catch (IOException e) {
      return new Reading.Unknown<>(String.valueOf(e.getMessage()));
    }
  }

  private Reading<HostsBlock> hosts() {
    if (Files.notExists(config.hostsFile())) {
      return new Reading.Unknown<>(config.hostsFile() + " is missing");
    }
    try {
      HostsFileStore store = new HostsFileStore(config.hostsFile(), config.stateDir(), log::warn);
      BootStateStore memory = new BootStateStore(config.stateDir(), log);
      HostsFile file =
          new HostsNameEntry(store, config.hostname(), false, memory).claimed(store.read());
      List<InetAddress> addresses =
          file.entry()
              .filter(entry -> entry.name().equalsIgnoreCase(config.hostname()))
              .map(HostsEntry::addresses)
              .orElse(List.of());
      List<Integer> foreign = file.linesNaming(config.hostname());
      return new Reading.Known<>(
          new HostsBlock(
              addresses,
              foreign,
              foreign.stream().findFirst().flatMap(file::foreignBlockAt),
              new NodeFiles(Path.of("/")).cloudInit(config.hostname())));
    } catch (IOException e) {
      return new Reading.Unknown<>(String.valueOf(e.getMessage()));
    }
  }

  private Optional<Reading<List<Facts.Authority>>> authorities(Reading<NodeProbes.Shown> shown) {
    if (!(config.trust().orElse(null) instanceof Trust.Authority authority)) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new Reading.Known<>(
              NodeProbes.authorities(VerifiedProbe.authorities(authority.file()), shown)));
    } catch (IOException e) {
      return Optional.of(new Reading.Unknown<>(String.valueOf(e.getMessage())));
    }
  }

  private Optional<RuleReading> rule() {
    return config.strategy() == Strategy.NFT && config.clusterIp().isPresent()
        ? Optional.of(
            NftBootRuleTable.ofThisNode(config.service(), config.port()).read(RULE_DEADLINE))
        : Optional.empty();
  }
}
