package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.updater.configuration.UpdaterConfig.LogFormat;
import io.apiserverupdater.updater.configuration.UpdaterConfig.Mode;
import io.apiserverupdater.updater.endpoints.SourceName;
import io.apiserverupdater.updater.export.ExportRule;
import io.apiserverupdater.updater.export.HostCommand;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a command line asks {@code updater export} for.
 *
 * @param kubeconfig the file to use instead of kubectl's own choice
 * @param context the context to use instead of the current one
 * @param failover whether the source's members are asked as apiservers by their own addresses
 * @param check ends with exit code 0 when the new file is good; empty when nobody can tell
 * @param onChange tells the balancer
 */
public record ExportConfig(
    Mode mode,
    Optional<Path> kubeconfig,
    Optional<String> context,
    boolean failover,
    Source source,
    ExportRule rule,
    Path output,
    Optional<HostCommand> check,
    Optional<HostCommand> onChange,
    boolean verbose,
    LogFormat logFormat) {

  /** What lists the servers. */
  public sealed interface Source {
    /** The members of a Service. */
    record Service(SourceName name) implements Source {}

    /**
     * Nodes.
     *
     * @param selector finds them by their labels
     * @param port that all of them listen on
     */
    record Nodes(String selector, int port) implements Source {}
  }
}
