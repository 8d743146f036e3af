package io.apiserverupdater.updater.kube.access;

import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.kubeconfig.InvalidKubeconfigException;
import io.apiserverupdater.apiserver.kubeconfig.Kubeconfig;
import java.io.IOException;
import java.net.Proxy;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Access by a context of one or more kubeconfig files. */
record KubeconfigAccess(Kubeconfig kubeconfig, ServerAddress server) implements ClusterAccess {

  static ClusterAccess load(
      List<Path> files, Optional<String> context, Map<String, String> environment)
      throws InvalidKubeconfigException {
    Kubeconfig kubeconfig = Kubeconfig.load(files, context, environment);
    URI uri = kubeconfig.server();
    String host = uri.getHost().replaceAll("^\\[|]$", "");
    return new KubeconfigAccess(
        kubeconfig,
        new ServerAddress(host, uri.getPort(), uri.getRawPath(), kubeconfig.tlsServerName()));
  }

  @Override
  public String origin() {
    return kubeconfig.origin();
  }

  @Override
  public Proxy proxy() {
    return kubeconfig.proxy();
  }

  @Override
  public Optional<String> certificateAuthority() throws IOException {
    return kubeconfig.certificateAuthority();
  }

  @Override
  public ClientIdentity identity(boolean fresh) throws IOException {
    return kubeconfig.identity(fresh);
  }
}
