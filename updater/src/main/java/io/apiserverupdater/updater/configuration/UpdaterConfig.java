package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.apiserver.flags.CommandLine;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.apiserver.flags.GoDuration;
import io.apiserverupdater.updater.dryrun.Output;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.endpoints.TargetSettings;
import io.apiserverupdater.updater.kube.KubeCluster.LeaseName;
import io.apiserverupdater.updater.leaderelection.ElectionSettings;
import io.apiserverupdater.updater.readiness.ProbePolicy;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the command line and the environment ask for.
 *
 * @param kubeconfig the file to use instead of kubectl's own choice
 * @param context the context to use instead of the current one
 * @param failover whether the control planes are asked by their own addresses; decided by where we
 *     run when empty
 * @param election how to take part in the election; empty for a single replica
 * @param probing how the members are probed; empty when they are not
 * @param listen where to answer health checks; empty for nowhere
 * @param sourceFile where a dry run takes the source from; {@code -} is the standard input
 */
public record UpdaterConfig(
    Mode mode,
    Optional<Path> kubeconfig,
    Optional<String> context,
    Optional<Boolean> failover,
    TargetSettings target,
    Optional<Election> election,
    Optional<Probing> probing,
    Optional<InetSocketAddress> listen,
    Output output,
    Optional<String> sourceFile,
    boolean verbose) {

  public enum Mode {
    RUN,
    ONCE,
    DRY_RUN
  }

  /** The Lease and the times of the election. */
  public record Election(LeaseName lease, ElectionSettings settings) {}

  /** What is asked of the members, and what follows from the answers. */
  public record Probing(Question question, ProbePolicy policy) {

    /** What a member is asked. */
    public enum Question {
      /** {@code /readyz}, over TLS. */
      READYZ,
      /** Whether its host accepts a connection. */
      TCP
    }
  }

  /** What a command line amounts to. */
  public sealed interface Parsed {
    record Run(UpdaterConfig config) implements Parsed {}

    record Help() implements Parsed {}

    record Version() implements Parsed {}

    /** All that is wrong with it. */
    record Invalid(List<String> errors) implements Parsed {}
  }

  /**
   * Reads the command line.
   *
   * @param hostName asked for only when nothing else names this replica
   * @param randomPart makes the identity unique
   */
  public static Parsed parse(
      List<String> arguments,
      Map<String, String> environment,
      Supplier<String> hostName,
      Supplier<String> randomPart) {
    CommandLine line = CommandLine.parse(UpdaterFlags.ALL, arguments);
    if (line.get(UpdaterFlags.HELP)) {
      return new Parsed.Help();
    }
    if (line.get(UpdaterFlags.VERSION)) {
      return new Parsed.Version();
    }
    Mode mode = mode(line);
    Election election = election(line, identity(line, environment, hostName, randomPart));
    UpdaterConfig config =
        new UpdaterConfig(
            mode,
            line.given(UpdaterFlags.KUBECONFIG).map(Path::of),
            line.given(UpdaterFlags.CONTEXT),
            line.given(UpdaterFlags.APISERVER_FAILOVER),
            target(line),
            line.get(UpdaterFlags.LEADER_ELECT) ? Optional.of(election) : Optional.empty(),
            probing(line),
            line.get(UpdaterFlags.LISTEN),
            line.get(UpdaterFlags.OUTPUT),
            line.given(UpdaterFlags.FILENAME),
            line.get(UpdaterFlags.VERBOSE));
    if (mode != Mode.DRY_RUN) {
      for (Flag<?> flag : List.of(UpdaterFlags.OUTPUT, UpdaterFlags.FILENAME)) {
        if (line.isGiven(flag)) {
          String name = "--" + flag.name();
          line.error(name + " belongs to --dry-run: add --dry-run, or leave " + name + " out");
        }
      }
    }
    return line.errors().isEmpty() ? new Parsed.Run(config) : new Parsed.Invalid(line.errors());
  }

  private static Mode mode(CommandLine line) {
    boolean dryRun = line.get(UpdaterFlags.DRY_RUN);
    boolean once = line.get(UpdaterFlags.ONCE);
    if (dryRun && once) {
      line.error("--dry-run and --once exclude each other: use one of them");
    }
    return dryRun ? Mode.DRY_RUN : once ? Mode.ONCE : Mode.RUN;
  }

  private static TargetSettings target(CommandLine line) {
    UpdaterFlags.ServiceName source = line.get(UpdaterFlags.SOURCE);
    TargetName target =
        new TargetName(line.get(UpdaterFlags.NAMESPACE), line.get(UpdaterFlags.SERVICE));
    if (source.namespace().equals(target.namespace()) && source.name().equals(target.service())) {
      line.error("--source is the target Service itself, " + target + ": expected another one");
    }
    return new TargetSettings(
        source.namespace(), source.name(), target, line.get(UpdaterFlags.WRITE_ENDPOINTS));
  }

  private static String identity(
      CommandLine line,
      Map<String, String> environment,
      Supplier<String> hostName,
      Supplier<String> randomPart) {
    String name =
        line.given(UpdaterFlags.IDENTITY)
            .or(() -> Optional.ofNullable(environment.get("POD_NAME")))
            .filter(given -> !given.isEmpty())
            .orElseGet(hostName);
    return name + "_" + randomPart.get();
  }

  private static Election election(CommandLine line, String identity) {
    Duration lease = line.get(UpdaterFlags.LEASE_DURATION);
    Duration renew = line.get(UpdaterFlags.RENEW_DEADLINE);
    Duration retry = line.get(UpdaterFlags.RETRY_PERIOD);
    if (lease.compareTo(Duration.ofSeconds(1)) < 0 || lease.toNanosPart() != 0) {
      line.error(
          "--lease-duration is "
              + GoDuration.format(lease)
              + ", expected whole seconds, 1s or more");
    }
    mustBeLess(line, UpdaterFlags.RENEW_DEADLINE, UpdaterFlags.LEASE_DURATION);
    mustBeLess(line, UpdaterFlags.RETRY_PERIOD, UpdaterFlags.RENEW_DEADLINE);
    return new Election(
        new LeaseName(
            line.given(UpdaterFlags.LEASE_NAMESPACE).orElse(line.get(UpdaterFlags.NAMESPACE)),
            line.get(UpdaterFlags.LEASE_NAME)),
        new ElectionSettings(identity, lease, renew, retry));
  }

  private static void mustBeLess(CommandLine line, Flag<Duration> shorter, Flag<Duration> longer) {
    if (line.get(shorter).compareTo(line.get(longer)) >= 0) {
      line.error(
          "--"
              + shorter.name()
              + " is "
              + GoDuration.format(line.get(shorter))
              + ", expected less than --"
              + longer.name()
              + ", which is "
              + GoDuration.format(line.get(longer)));
    }
  }

  private static Optional<Probing> probing(CommandLine line) {
    ProbePolicy policy =
        new ProbePolicy(
            line.get(UpdaterFlags.PROBE_INTERVAL),
            line.get(UpdaterFlags.PROBE_TIMEOUT),
            line.get(UpdaterFlags.RISE),
            line.get(UpdaterFlags.FALL));
    return switch (line.get(UpdaterFlags.HEALTH_CHECK)) {
      case READYZ -> Optional.of(new Probing(Probing.Question.READYZ, policy));
      case TCP -> Optional.of(new Probing(Probing.Question.TCP, policy));
      case OFF -> Optional.empty();
    };
  }
}
