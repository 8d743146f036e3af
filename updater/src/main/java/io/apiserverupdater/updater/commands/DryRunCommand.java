package io.apiserverupdater.updater.commands;

import io.apiserverupdater.updater.configuration.UpdaterConfig;
import io.apiserverupdater.updater.dryrun.DryRun;
import io.apiserverupdater.updater.dryrun.Output;
import io.apiserverupdater.updater.dryrun.Report;
import io.apiserverupdater.updater.dryrun.ServiceRange;
import io.apiserverupdater.updater.dryrun.SourceFile;
import io.apiserverupdater.updater.dryrun.Surroundings;
import io.apiserverupdater.updater.endpoints.EndpointSlice;
import io.apiserverupdater.updater.endpoints.MirrorRule;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.kube.ClusterReading;
import io.apiserverupdater.updater.kube.KubeCluster;
import io.apiserverupdater.updater.kube.SliceJson;
import io.apiserverupdater.updater.kube.access.ClusterAccesses;
import io.apiserverupdater.updater.readiness.MemberProbing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code --dry-run}: reads, compares, prints, writes nothing. */
public final class DryRunCommand {
  private static final int ERROR = 2;

  private DryRunCommand() {}

  /**
   * Prints the report.
   *
   * @param cluster the cluster to compare with; without one, its objects count as absent
   * @param probing for the members of the cluster's own source
   * @return the exit code
   */
  public static int run(
      UpdaterConfig config,
      MirrorRule rule,
      Optional<KubeCluster> cluster,
      Optional<MemberProbing> probing) {
    Optional<List<EndpointSlice>> given;
    try {
      given =
          config.sourceFiles().isEmpty()
              ? Optional.empty()
              : Optional.of(
                  SourceFile.read(
                      config.sourceFiles(), System.in, config.target(), SliceJson::read));
    } catch (SourceFile.InvalidException e) {
      Optional.ofNullable(e.getMessage()).stream()
          .flatMap(String::lines)
          .forEach(fault -> System.err.println("error: " + fault));
      return ERROR;
    }
    if (cluster.isEmpty() && given.isEmpty()) {
      System.err.println("error: " + ClusterAccesses.NONE_FOUND + "; -f FILE needs none");
      return ERROR;
    }
    ObservedState state =
        new ObservedState(given.orElse(List.of()), Optional.empty(), Map.of(), Optional.empty());
    Surroundings surroundings = Surroundings.UNKNOWN;
    if (cluster.isPresent()) {
      try (KubeCluster open = cluster.get()) {
        ClusterReading reading = open.readOnce(given);
        if (reading instanceof ClusterReading.Unreadable unreadable) {
          System.err.println("error: " + unreadable.why());
          return ERROR;
        }
        state = ((ClusterReading.Read) reading).state();
        surroundings =
            new Surroundings(
                open.otherSlices(),
                open.serviceRanges().stream()
                    .flatMap(range -> ServiceRange.parse(range).stream())
                    .toList(),
                List.of(),
                List.of());
      }
    }
    // Members that a file names may be those of any cluster.
    OneShotProbes probed =
        OneShotProbes.of(
            rule, state, given.isPresent() ? Optional.empty() : probing, Clock.systemUTC());
    MemberAppearance appearance = MemberAppearance.of(probed.health(), Clock.systemUTC());
    Report report =
        new DryRun(rule, cluster.isPresent())
            .compare(
                state,
                probed.reading(),
                probed.health(),
                probed.gate(),
                probed.drained(),
                surroundings.with(appearance.certificates(), appearance.clocks()));
    boolean colours = Output.colours(standardOutputIsTerminal(), System.getenv());
    System.out.print(config.output().render(report, colours));
    System.out.flush();
    report.messages().forEach(System.err::println);
    return report.exitCode();
  }

  /** The Java runtime's own answer needs the standard input to be a terminal too. */
  static boolean standardOutputIsTerminal() {
    try {
      String device = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
      return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }
}
