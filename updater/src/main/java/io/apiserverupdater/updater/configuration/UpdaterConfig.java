package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.updater.dryrun.Output;
import io.apiserverupdater.updater.endpoints.TargetSettings;
import io.apiserverupdater.updater.leaderelection.ElectionSettings;
import io.apiserverupdater.updater.leaderelection.LeaseName;
import io.apiserverupdater.updater.readiness.ProbePolicy;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the command line and the environment ask for.
 *
 * @param kubeconfig the file to use instead of kubectl's own choice
 * @param context the context to use instead of the current one
 * @param failover whether the control planes are asked by their own addresses; decided by where we
 *     run when empty
 * @param election how to take part in the election; empty for a single replica
 * @param events whether what happens is published as Events of Kubernetes
 * @param probing how the members are probed; empty when they are not
 * @param listen where to answer health checks; empty for nowhere
 * @param statusPage whether the status is served there too
 * @param sourceFiles what a dry run takes the source from, if not from the cluster; {@code -} is
 *     the standard input
 */
public record UpdaterConfig(
    Mode mode,
    Optional<Path> kubeconfig,
    Optional<String> context,
    Optional<Boolean> failover,
    TargetSettings target,
    Optional<Election> election,
    boolean events,
    Optional<Probing> probing,
    Optional<InetSocketAddress> listen,
    boolean statusPage,
    Output output,
    List<String> sourceFiles,
    boolean verbose,
    LogFormat logFormat) {

  public enum Mode {
    RUN,
    ONCE,
    DRY_RUN
  }

  /** How a line of the log is written. */
  public enum LogFormat {
    TEXT,
    JSON
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

    record Export(ExportConfig config) implements Parsed {}

    /** A member is to be taken out for a while, or in again. */
    record Drain(DrainConfig config) implements Parsed {}

    /** The text is to be printed. */
    record Help(String text) implements Parsed {}

    record Version() implements Parsed {}

    /** The command {@code status}. */
    record Status(StatusConfig config) implements Parsed {}

    /** A script for a shell is to be printed. */
    record Completion(String script) implements Parsed {}

    /**
     * All that is wrong with it.
     *
     * @param program whose {@code --help} tells more
     */
    record Invalid(List<String> errors, String program) implements Parsed {}
  }
}
