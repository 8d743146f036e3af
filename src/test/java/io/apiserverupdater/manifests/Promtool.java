package io.apiserverupdater.manifests;

import io.apiserverupdater.lab.BuildScript;
import io.apiserverupdater.lab.Execution;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Prometheus' own checks, built by {@code src/test/prometheus/build}. Thread-safe. */
public record Promtool(Path program) {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** Finds or builds it, as {@link BuildScript#run}. */
  public static Promtool locate(Path projectRoot) {
    return new Promtool(BuildScript.run(projectRoot, "prometheus").resolve("promtool"));
  }

  /** Runs {@code promtool ARGUMENTS} within 60 s, whatever its exit code. */
  public Execution run(String input, String... arguments) {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(Arrays.asList(arguments));
    return Execution.run(new ProcessBuilder(command), input, LIMIT);
  }
}
