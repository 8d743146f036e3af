package io.apiserverupdater.updater.kube.access;

import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.kubeconfig.ProxyServer;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Optional;

/**
 * How to reach a cluster, and as whom. What may change while we run, files and tokens, is read
 * again at each call.
 */
public interface ClusterAccess {

  /** A name that every apiserver's certificate carries: kubeadm and others put it there. */
  String MEMBER_TLS_NAME = "kubernetes.default.svc";

  /** Where this access comes from, for messages: a file and context, or the service account. */
  String origin();

  /**
   * Whether this process runs in the cluster, so that it can reach the control planes' addresses.
   */
  default boolean isInCluster() {
    return false;
  }

  /** The configured apiserver. */
  ServerAddress server();

  /** The proxy to go through. */
  ProxyServer proxy();

  /**
   * The certificates that the apiserver's must be signed by, as PEM; empty for the Java runtime's
   * own list.
   *
   * @throws IOException when the file cannot be read
   */
  Optional<String> certificateAuthority() throws IOException;

  /**
   * Whom to trust by such certificates, or by the Java runtime's own list.
   *
   * @throws GeneralSecurityException when the text cannot be read as certificates
   */
  static ServerTrust.Verified trust(Optional<String> authority) throws GeneralSecurityException {
    if (authority.isEmpty()) {
      return new ServerTrust.RuntimeAuthorities();
    }
    try {
      return ServerTrust.authorities(authority.get().getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new GeneralSecurityException("certificate authority: " + e.getMessage(), e);
    }
  }

  /**
   * Our identity at this moment.
   *
   * @param fresh whether a kept identity must be fetched again, because it was turned down
   * @throws IOException when a file cannot be read or a credential plugin fails; the message says
   *     which and why
   */
  ClientIdentity identity(boolean fresh) throws IOException;
}
