package io.apiserverupdater.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/**
 * A kubeconfig file: one cluster and one context per apiserver, named as the apiserver, and one
 * user.
 *
 * @param yaml its text
 */
public record Kubeconfig(String yaml) {

  /** How a user proves who it is. */
  public sealed interface Identity {
    String user();

    record Token(String user, String token) implements Identity {}

    record Certificate(String user, SandboxPki.Credential credential) implements Identity {}
  }

  static Kubeconfig of(SandboxCluster cluster, Identity identity) {
    List<SandboxApiserver> servers = cluster.apiservers();
    String authority = base64(cluster.pki().authorityPem());
    StringBuilder yaml = new StringBuilder("apiVersion: v1\nkind: Config\nclusters:\n");
    for (SandboxApiserver server : servers) {
      yaml.append("- name: ").append(server.name()).append('\n');
      yaml.append("  cluster:\n");
      yaml.append("    server: ").append(server.url()).append('\n');
      yaml.append("    certificate-authority-data: ").append(authority).append('\n');
    }
    yaml.append("users:\n- name: ").append(quoted(identity.user())).append("\n  user:\n");
    if (identity instanceof Identity.Token token) {
      yaml.append("    token: ").append(quoted(token.token())).append('\n');
    } else {
      SandboxPki.Credential credential = ((Identity.Certificate) identity).credential();
      yaml.append("    client-certificate-data: ")
          .append(base64(credential.certificatePem()))
          .append('\n');
      yaml.append("    client-key-data: ").append(base64(credential.privateKeyPem())).append('\n');
    }
    yaml.append("contexts:\n");
    for (SandboxApiserver server : servers) {
      yaml.append("- name: ").append(server.name()).append('\n');
      yaml.append("  context:\n");
      yaml.append("    cluster: ").append(server.name()).append('\n');
      yaml.append("    user: ").append(quoted(identity.user())).append('\n');
    }
    yaml.append("current-context: ").append(servers.get(0).name()).append('\n');
    return new Kubeconfig(yaml.toString());
  }

  /** Writes the file. */
  public void write(Path file) {
    try {
      Files.writeString(file, yaml);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
