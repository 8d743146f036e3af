package io.apiserverupdater.manifests;

import io.apiserverupdater.lab.BuildScript;
import io.apiserverupdater.lab.Execution;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Helm, built by {@code src/test/helm/build}, in the folder of the checkout. Thread-safe.
 *
 * @param program of the major version 3 or 4
 * @param home for its own files
 * @param kubeconfig of the cluster, if there is one
 */
public record Helm(Path program, Path folder, Path home, Path kubeconfig) {
  /** The major versions that the chart is for. */
  public static final List<Integer> VERSIONS = List.of(3, 4);

  private static final Duration LIMIT = Duration.ofSeconds(150);

  /** Finds or builds it, as {@link BuildScript#run}. */
  public static Helm locate(int version, Path projectRoot, Path home, Path kubeconfig) {
    Path program = BuildScript.run(projectRoot, "helm").resolve("helm" + version);
    return new Helm(program, projectRoot, home, kubeconfig);
  }

  /** Runs {@code helm ARGUMENTS} within 150 s, whatever its exit code. */
  public Execution run(String... arguments) {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(Arrays.asList(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().put("HOME", home.toString());
    builder.environment().put("KUBECONFIG", kubeconfig.toString());
    return Execution.run(builder, LIMIT);
  }
}
