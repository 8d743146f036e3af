package io.apiserverupdater.updater.kube;

import io.apiserverupdater.probe.tls.Pem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** Whom to trust and which certificate to show, made from PEM texts. */
record Tls(SSLSocketFactory socketFactory, X509TrustManager trustManager) {
  private static final char[] NO_PASSWORD = new char[0];

  /**
   * @param authority the trusted certificates as PEM; empty for the Java runtime's own list
   * @throws GeneralSecurityException when a text cannot be read; the message says which one
   */
  static Tls of(Optional<String> authority, Optional<ClientIdentity.Certificate> certificate)
      throws GeneralSecurityException, IOException {
    X509TrustManager trust = trustManager(authority);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keyManagers(certificate), new TrustManager[] {trust}, null);
    return new Tls(context.getSocketFactory(), trust);
  }

  private static X509TrustManager trustManager(Optional<String> authority)
      throws GeneralSecurityException, IOException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    if (authority.isPresent()) {
      KeyStore store = emptyStore();
      int number = 0;
      for (X509Certificate trusted : read("certificate authority", authority.get())) {
        store.setCertificateEntry("ca-" + number++, trusted);
      }
      factory.init(store);
    } else {
      factory.init((KeyStore) null);
    }
    for (TrustManager manager : factory.getTrustManagers()) {
      if (manager instanceof X509TrustManager trust) {
        return trust;
      }
    }
    throw new GeneralSecurityException("the Java runtime has no X.509 trust manager");
  }

  private static KeyManager[] keyManagers(Optional<ClientIdentity.Certificate> certificate)
      throws GeneralSecurityException, IOException {
    if (certificate.isEmpty()) {
      return new KeyManager[0];
    }
    KeyStore store = emptyStore();
    List<X509Certificate> chain = read("client certificate", certificate.get().chain());
    try {
      store.setKeyEntry(
          "client",
          Pem.privateKey(certificate.get().key().getBytes(StandardCharsets.UTF_8)),
          NO_PASSWORD,
          chain.toArray(X509Certificate[]::new));
    } catch (GeneralSecurityException e) {
      throw new GeneralSecurityException("client key: " + e.getMessage(), e);
    }
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, NO_PASSWORD);
    return factory.getKeyManagers();
  }

  private static List<X509Certificate> read(String what, String pem)
      throws GeneralSecurityException {
    try {
      return Pem.certificates(pem.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new GeneralSecurityException(what + ": " + e.getMessage(), e);
    }
  }

  private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, NO_PASSWORD);
    return store;
  }
}
