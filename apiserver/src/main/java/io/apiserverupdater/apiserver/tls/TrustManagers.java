package io.apiserverupdater.apiserver.tls;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** The JDK's own check of a server's chain and name, told in words that lead a person on. */
final class TrustManagers {
  private TrustManagers() {}

  static X509ExtendedTrustManager of(ServerTrust trust) throws GeneralSecurityException {
    if (trust instanceof ServerTrust.Authorities authorities) {
      return new Explaining(pkix(authorities.certificates()));
    } else if (trust instanceof ServerTrust.PinnedAuthorities pins) {
      return new Pinned(pins);
    } else if (trust instanceof ServerTrust.RuntimeAuthorities) {
      return new Explaining(runtime());
    }
    return new Unverified();
  }

  private static X509ExtendedTrustManager pkix(List<X509Certificate> authorities)
      throws GeneralSecurityException {
    Set<TrustAnchor> anchors = new HashSet<>();
    for (X509Certificate authority : authorities) {
      anchors.add(new TrustAnchor(authority, null));
    }
    PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, null);
    // A cluster's authority publishes no revocations.
    parameters.setRevocationEnabled(false);
    TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
    factory.init(new CertPathTrustManagerParameters(parameters));
    return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
  }

  private static X509ExtendedTrustManager runtime() throws GeneralSecurityException {
    TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
    factory.init((KeyStore) null);
    return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
  }

  /** The name asked for, when the JDK is to check it. */
  private static Optional<String> expectedName(
      SSLParameters parameters, @Nullable SSLSession session) {
    return parameters.getEndpointIdentificationAlgorithm() == null
        ? Optional.empty()
        : Optional.ofNullable(session).map(SSLSession::getPeerHost);
  }

  /** What all of them have in common: they are clients, and one method decides. */
  private abstract static class ServerCheck extends X509ExtendedTrustManager {

    /** The JDK's check with whatever the kind of connection gives it. */
    interface Check {
      void with(X509ExtendedTrustManager manager) throws CertificateException;
    }

    abstract void check(X509Certificate[] chain, Optional<String> name, Check check)
        throws CertificateException;

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
        throws CertificateException {
      Optional<String> name =
          socket instanceof SSLSocket secured
              ? expectedName(secured.getSSLParameters(), secured.getHandshakeSession())
              : Optional.empty();
      check(
          chain,
          name,
          manager -> {
            if (isUnknownToTheJdk(name)) {
              manager.checkServerTrusted(chain, authType);
            } else {
              manager.checkServerTrusted(chain, authType, socket);
            }
          });
    }

    /** Go takes an underscore, and so does the check of the name that follows the JDK's. */
    private static boolean isUnknownToTheJdk(Optional<String> name) {
      return name.filter(it -> it.contains("_")).isPresent();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
        throws CertificateException {
      Optional<String> name = expectedName(engine.getSSLParameters(), engine.getHandshakeSession());
      check(chain, name, manager -> manager.checkServerTrusted(chain, authType, engine));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType)
        throws CertificateException {
      check(chain, Optional.empty(), manager -> manager.checkServerTrusted(chain, authType));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
        throws CertificateException {
      throw notAServer();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
        throws CertificateException {
      throw notAServer();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType)
        throws CertificateException {
      throw notAServer();
    }

    private static CertificateException notAServer() {
      return new CertificateException("this end is a client, and trusts no other client");
    }
  }

  private static final class Explaining extends ServerCheck {
    private final X509ExtendedTrustManager manager;

    Explaining(X509ExtendedTrustManager manager) {
      this.manager = manager;
    }

    @Override
    void check(X509Certificate[] chain, Optional<String> name, Check check)
        throws CertificateException {
      try {
        check.with(manager);
        // A certificate that is itself among the trusted ones passes the JDK at any age, and one
        // without names by its subject; the kubelet (Go) takes neither.
        chain[0].checkValidity();
        List<String> names = CertificateFaults.names(chain[0]);
        Optional<String> wrong = name.flatMap(it -> CertificateFaults.wrongName(names, it));
        if (wrong.isPresent()) {
          throw new CertificateException(wrong.get());
        }
      } catch (CertificateException e) {
        List<X509Certificate> trusted = Arrays.asList(manager.getAcceptedIssuers());
        throw new CertificateRejectedException(
            CertificateFaults.explain(Arrays.asList(chain), name, trusted, Instant.now(), e),
            false);
      }
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return manager.getAcceptedIssuers();
    }
  }

  private static final class Pinned extends ServerCheck {
    private final ServerTrust.PinnedAuthorities pins;

    Pinned(ServerTrust.PinnedAuthorities pins) {
      this.pins = pins;
    }

    @Override
    void check(X509Certificate[] chain, Optional<String> name, Check check)
        throws CertificateException {
      List<X509Certificate> authorities = new ArrayList<>(pins.learned());
      for (X509Certificate certificate : chain) {
        if (pins.isPinned(certificate) && !authorities.contains(certificate)) {
          authorities.add(certificate);
        }
      }
      if (authorities.isEmpty()) {
        throw new CertificateRejectedException(
            "the server's certificate chain has no CA with the pinned key", true);
      }
      try {
        new Explaining(pkix(authorities)).check(chain, name, check);
      } catch (CertificateException e) {
        throw e;
      } catch (GeneralSecurityException e) {
        throw new CertificateException(e);
      }
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return pins.learned().toArray(X509Certificate[]::new);
    }
  }

  private static final class Unverified extends ServerCheck {
    @Override
    void check(X509Certificate[] chain, Optional<String> name, Check check) {
      // Asked for: ServerTrust.Unverified.
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
