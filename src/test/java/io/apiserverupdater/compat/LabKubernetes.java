package io.apiserverupdater.compat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * The releases of Kubernetes that the lab knows, as {@code src/test/kube/version} tells them.
 *
 * @param standard the one that it builds unless it is told otherwise, as in {@code v1.37.2}
 * @param supported the minor versions that {@code ./bench compat} runs, as in {@code 1.37}
 */
public record LabKubernetes(String standard, List<String> supported) {
  /** Asks the script of the checkout, which needs no network for this. */
  public static LabKubernetes read(Path root) throws IOException {
    return new LabKubernetes(run(root, "").strip(), run(root, "--supported").lines().toList());
  }

  private static String run(Path root, String argument) throws IOException {
    String script = root.resolve("src/test/kube/version").toString();
    Process process =
        new ProcessBuilder(script, argument).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int exitCode = process.onExit().join().exitValue();
    if (exitCode != 0) {
      throw new IOException("exit code " + exitCode + " of " + script + " " + argument);
    }
    return answer;
  }
}
