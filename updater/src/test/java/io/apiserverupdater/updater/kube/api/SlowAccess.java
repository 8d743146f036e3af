package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.kubeconfig.ProxyServer;
import io.apiserverupdater.apiserver.tls.ClientCertificate;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** Gives one token after the other, and does before what a test wants it to. */
public final class SlowAccess implements ClusterAccess {
  public final AtomicInteger asked = new AtomicInteger();
  public volatile Runnable whenAsked = () -> {};
  public volatile Optional<ClientCertificate> certificate = Optional.empty();
  public volatile Optional<String> authority = Optional.empty();
  public volatile ServerAddress server = ServerAddress.member("192.0.2.1", 6443);

  @Override
  public String origin() {
    return "test";
  }

  @Override
  public ServerAddress server() {
    return server;
  }

  @Override
  public ProxyServer proxy() {
    return ProxyServer.NONE;
  }

  @Override
  public Optional<String> certificateAuthority() {
    return authority;
  }

  @Override
  public ClientIdentity identity(boolean fresh) {
    int number = asked.incrementAndGet();
    whenAsked.run();
    return new ClientIdentity(Optional.of("token-" + number), certificate);
  }
}
