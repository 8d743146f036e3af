package io.apiserverupdater.real;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A host with the bootstrap on it, and with the credential of a kubelet. Its hosts file is a file
 * of its own, so that the bootstrap may replace it; names are looked up in the host's.
 */
final class BootstrapHost {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String NODE_CERTIFICATE =
      """
      openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" \\
        -subj "/O=system:nodes/CN=system:node:$2" -out "$1.csr"
      openssl x509 -req -in "$1.csr" -CA "$3.crt" -CAkey "$3.key" -set_serial 4711 -days 1 \\
        -out "$1.crt"
      cat "$1.crt" "$1.key" >"$1.pem"
      """;

  private final Lab lab;
  private final LabHost host;
  private final Path folder;

  BootstrapHost(Lab lab, LabHost host) {
    this.lab = lab;
    this.host = host;
    this.folder = lab.work().resolve("bootstrap-" + host.name());
    try {
      Files.createDirectories(folder);
      Files.writeString(hostsFile(), "127.0.0.1 localhost\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String authority = lab.pki().caFile().toString();
    Execution.run(
            LIMIT,
            "sh",
            "-ec",
            NODE_CERTIFICATE,
            "sh",
            folder.resolve("node").toString(),
            host.name(),
            authority.substring(0, authority.length() - ".crt".length()))
        .orThrow();
  }

  LabHost host() {
    return host;
  }

  private Path hostsFile() {
    return folder.resolve("hosts");
  }

  /** Runs the bootstrap; what it says of time, authority and files is added. */
  Execution run(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                System.getProperty("bootstrap.jar")));
    command.addAll(List.of(arguments));
    command.addAll(
        List.of(
            "--hosts-file=" + hostsFile(),
            "--state-dir=" + folder.resolve("state"),
            "--ca-file=" + lab.pki().caFile()));
    return host.run(LIMIT, Map.of(), command.toArray(String[]::new));
  }

  /** The cached list, as it is in its file; empty when there is none. */
  String candidateFiles() {
    StringBuilder text = new StringBuilder();
    try (var files = Files.walk(folder.resolve("state"))) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        text.append(Files.readString(file));
      }
      return text.toString();
    } catch (IOException e) {
      return "";
    }
  }

  /** The kubelet's kubeconfig, with its certificate and key in one file, as kubeadm has it. */
  Path kubeconfig(String server) {
    try {
      return Files.writeString(
          folder.resolve("kubelet.conf"),
          """
          apiVersion: v1
          clusters:
          - cluster:
              certificate-authority: CA-FILE
              server: SERVER
            name: kubernetes
          contexts:
          - context:
              cluster: kubernetes
              user: system:node:NAME
            name: system:node:NAME@kubernetes
          current-context: system:node:NAME@kubernetes
          kind: Config
          preferences: {}
          users:
          - name: system:node:NAME
            user:
              client-certificate: node.pem
              client-key: node.pem
          """
              .replace("CA-FILE", lab.pki().caFile().toString())
              .replace("SERVER", server)
              .replace("NAME", host.name()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
