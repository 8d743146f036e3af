package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.updater.endpoints.TargetSettings;
import io.apiserverupdater.updater.leaderelection.LeaseName;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the command {@code status} is asked for.
 *
 * @param kubeconfig the file to use instead of kubectl's own choice
 * @param context the context to use instead of the current one
 */
public record StatusConfig(
    Optional<Path> kubeconfig,
    Optional<String> context,
    TargetSettings target,
    LeaseName lease,
    Format output,
    boolean verbose) {

  /** How it is printed. */
  public enum Format {
    TEXT,
    JSON
  }
}
