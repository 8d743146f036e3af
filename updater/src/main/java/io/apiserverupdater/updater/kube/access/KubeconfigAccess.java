package io.apiserverupdater.updater.kube.access;

import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.kubeconfig.InvalidKubeconfigException;
import io.apiserverupdater.apiserver.kubeconfig.Kubeconfig;
import io.apiserverupdater.apiserver.kubeconfig.ProxyServer;
import io.apiserverupdater.apiserver.kubeconfig.ServerUrl;
import java.io.IOException;
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
    ServerUrl url = kubeconfig.server();
    return new KubeconfigAccess(
        kubeconfig,
        new ServerAddress(url.host(), url.port(), url.path(), kubeconfig.tlsServerName()));
  }

  @Override
  public String origin() {
    return kubeconfig.origin();
  }

  @Override
  public ProxyServer proxy() {
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
