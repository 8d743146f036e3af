package io.apiserverupdater.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The real kubectl, as the cluster's admin, in the folder of the checkout. Thread-safe. */
public record Kubectl(
    String program, Path kubeconfig, Path home, Path folder, Supplier<String> address) {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** Runs {@code kubectl ARGUMENTS} within 60 s, whatever its exit code. */
  public Execution run(String... arguments) {
    return runWithInput("", arguments);
  }

  /** The same with an input, for {@code -f -}. */
  public Execution runWithInput(String input, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(program, "--server", "https://" + address.get() + ":" + Lab.APISERVER_PORT));
    command.addAll(Arrays.asList(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().put("KUBECONFIG", kubeconfig.toString());
    // It keeps a cache of the API's discovery in the home folder, by server address.
    builder.environment().put("HOME", home.toString());
    return Execution.run(builder, input, LIMIT);
  }

  /** Applies manifests given as YAML or JSON text. */
  public void apply(String manifests) {
    runWithInput(manifests, "apply", "-f", "-").orThrow();
  }

  /** A Service without a selector, on port 6443, and its one slice with these ready addresses. */
  public void publish(
      String namespace,
      String name,
      String clusterIp,
      String slice,
      String family,
      List<String> addresses) {
    String endpoints =
        addresses.stream()
            .map(ip -> "{addresses: [\"" + ip + "\"], conditions: {ready: true}}")
            .collect(Collectors.joining(", "));
    apply(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: %1$s, namespace: %2$s}
        spec:
          clusterIP: "%3$s"
          ipFamilies: [%4$s]
          ports: [{name: https, port: 6443}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: %5$s
          namespace: %2$s
          labels: {kubernetes.io/service-name: %1$s}
        addressType: %4$s
        ports: [{name: https, port: 6443}]
        endpoints: [%6$s]
        """
            .formatted(name, namespace, clusterIp, family, slice, endpoints));
  }
}
