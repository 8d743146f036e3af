package io.apiserverupdater.updater.kube.access;

import io.apiserverupdater.apiserver.kubeconfig.InvalidKubeconfigException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds the cluster to talk to, in kubectl's order. */
public final class ClusterAccesses {
  /** What to tell a person when there is no configuration at all. */
  public static final String NONE_FOUND =
      "found no cluster: no --kubeconfig, no KUBECONFIG, no ~/.kube/config and no pod service"
          + " account";

  private ClusterAccesses() {}

  /**
   * The access by {@code --kubeconfig}; else by the files in {@code KUBECONFIG}; else by {@code
   * ~/.kube/config}; else by the pod's service account.
   *
   * @param kubeconfig the flag's value; empty when not given
   * @param context the context to use; empty for the file's current one
   * @return empty when there is no configuration at all
   * @throws InvalidKubeconfigException when there is one and it cannot be used
   */
  public static Optional<ClusterAccess> find(
      Optional<Path> kubeconfig, Optional<String> context, Map<String, String> environment)
      throws InvalidKubeconfigException {
    if (kubeconfig.isPresent()) {
      return Optional.of(KubeconfigAccess.load(List.of(kubeconfig.get()), context, environment));
    }
    List<Path> listed = new ArrayList<>();
    for (String name : environment.getOrDefault("KUBECONFIG", "").split(":", -1)) {
      if (!name.isEmpty()) {
        listed.add(path("KUBECONFIG", name));
      }
    }
    if (!listed.isEmpty()) {
      // As kubectl does: files of the list that do not exist are passed over.
      List<Path> existing = listed.stream().filter(Files::exists).toList();
      if (existing.isEmpty()) {
        throw new InvalidKubeconfigException(
            "KUBECONFIG=" + environment.get("KUBECONFIG") + ": no such file");
      }
      return Optional.of(KubeconfigAccess.load(existing, context, environment));
    }
    Path home = path("HOME", environment.getOrDefault("HOME", "/")).resolve(".kube/config");
    if (Files.exists(home)) {
      return Optional.of(KubeconfigAccess.load(List.of(home), context, environment));
    }
    if (context.isPresent()) {
      throw new InvalidKubeconfigException(
          "--context " + context.get() + ": no kubeconfig; use --kubeconfig FILE");
    }
    return InClusterAccess.find(environment, InClusterAccess.SERVICE_ACCOUNT);
  }

  private static Path path(String variable, String text) throws InvalidKubeconfigException {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new InvalidKubeconfigException(
          "%s: \"%s\" is no path in this locale, expected one; set LANG=C.UTF-8"
              .formatted(variable, text));
    }
  }
}
