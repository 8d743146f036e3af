package io.apiserverupdater.updater.kube.access;

import io.apiserverupdater.apiserver.address.DnsName;
import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.kubeconfig.ProxyServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Access from a pod, by its ServiceAccount. Token and CA are read at each use: both rotate. */
record InClusterAccess(ServerAddress server, Path directory) implements ClusterAccess {
  static final Path SERVICE_ACCOUNT = Path.of("/var/run/secrets/kubernetes.io/serviceaccount");

  private static final int MAX_PORT = 65_535;

  /** The access of the pod that this process runs in; none outside a pod. */
  static Optional<ClusterAccess> find(Map<String, String> environment, Path directory) {
    String host = environment.getOrDefault("KUBERNETES_SERVICE_HOST", "");
    String port = environment.getOrDefault("KUBERNETES_SERVICE_PORT", "");
    if (!(DnsName.isName(host) || IpAddress.parse(host).isPresent())
        || !port.matches("[0-9]{1,5}")
        || Integer.parseInt(port) > MAX_PORT
        || !Files.exists(directory.resolve("token"))) {
      return Optional.empty();
    }
    return Optional.of(
        new InClusterAccess(
            new ServerAddress(host, Integer.parseInt(port), "", Optional.empty()), directory));
  }

  @Override
  public String origin() {
    return "service account";
  }

  @Override
  public boolean isInCluster() {
    return true;
  }

  @Override
  public ProxyServer proxy() {
    return ProxyServer.NONE;
  }

  @Override
  public Optional<String> certificateAuthority() throws IOException {
    return Optional.of(Files.readString(directory.resolve("ca.crt")));
  }

  @Override
  public ClientIdentity identity(boolean fresh) throws IOException {
    Path file = directory.resolve("token");
    String token = Files.readString(file).strip();
    if (token.isEmpty() || !ClientIdentity.fitsHeader(token)) {
      throw new IOException(file + ": no token in it");
    }
    return ClientIdentity.ofToken(token);
  }
}
