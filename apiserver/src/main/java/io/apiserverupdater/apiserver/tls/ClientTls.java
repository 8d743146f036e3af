package io.apiserverupdater.apiserver.tls;

import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** TLS as a client: whom to trust, and who we are. For use by several threads. */
public final class ClientTls {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final X509TrustManager trustManager;
  private final KeyManager[] keyManagers;
  private final boolean verified;

  private ClientTls(X509TrustManager trustManager, KeyManager[] keyManagers, boolean verified) {
    this.trustManager = trustManager;
    this.keyManagers = keyManagers;
    this.verified = verified;
  }

  /**
   * Prepares what each connection needs.
   *
   * @param certificate shown to a server that asks for one
   * @throws GeneralSecurityException when the certificate or its key cannot be read; the message
   *     says which
   */
  public static ClientTls of(ServerTrust trust, Optional<ClientCertificate> certificate)
      throws GeneralSecurityException {
    KeyManager[] keyManagers =
        certificate.isPresent()
            ? new KeyManager[] {ClientKey.of(certificate.get())}
            : new KeyManager[0];
    return new ClientTls(
        TrustManagers.of(trust), keyManagers, trust instanceof ServerTrust.Verified);
  }

  /** For a server from which nothing is believed. */
  public static ClientTls unverified() throws GeneralSecurityException {
    return of(new ServerTrust.Unverified(), Optional.empty());
  }

  public X509TrustManager trustManager() {
    return trustManager;
  }

  /**
   * A factory with a memory of its own. TLS sessions are resumed only between sockets of one
   * factory; a resumed session shows no certificate, so one that expired would not be noticed.
   * Unless nothing is verified, the handshake checks the name for which a socket is made.
   */
  public SSLSocketFactory newSocketFactory() throws GeneralSecurityException {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keyManagers, new TrustManager[] {trustManager}, RANDOM);
    return verified
        ? new NameCheckingSockets(context.getSocketFactory())
        : context.getSocketFactory();
  }
}
