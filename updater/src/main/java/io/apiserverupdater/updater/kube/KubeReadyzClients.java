package io.apiserverupdater.updater.kube;

import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.HttpsReadyzProbe;
import io.apiserverupdater.apiserver.tls.ClientCertificate;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.readiness.ReadyzClients;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Asks the members as the cluster is accessed otherwise: the same certificate authority, the same
 * identity, and the name that every apiserver's certificate carries. Thread-safe.
 */
public final class KubeReadyzClients implements ReadyzClients {
  /** How long a token that was read is used before it is looked at again. */
  private static final Duration TOKEN_AGE = Duration.ofSeconds(10);

  private final ClusterAccess access;
  private final LongSupplier monotonic;

  private record Anonymous(Optional<String> authority, HttpsReadyzProbe probe) {}

  private record Authenticated(
      Optional<String> authority,
      Optional<ClientCertificate> certificate,
      HttpsReadyzProbe probe) {}

  // All guarded by this.
  private Optional<Anonymous> anonymous = Optional.empty();
  private Optional<Authenticated> authenticated = Optional.empty();
  private Optional<String> token = Optional.empty();
  private long tokenReadAt;

  public KubeReadyzClients(ClusterAccess access, LongSupplier monotonic) {
    this.access = access;
    this.monotonic = monotonic;
    this.tokenReadAt = monotonic.getAsLong() - TOKEN_AGE.toNanos();
  }

  @Override
  public synchronized HttpsReadyzProbe anonymous() throws IOException, GeneralSecurityException {
    Optional<String> authority = access.certificateAuthority();
    Optional<Anonymous> kept = anonymous.filter(made -> made.authority().equals(authority));
    if (kept.isPresent()) {
      return kept.get().probe();
    }
    HttpsReadyzProbe made =
        new HttpsReadyzProbe(
            ApiserverClient.anonymous(
                ClusterAccess.MEMBER_TLS_NAME, ClusterAccess.trust(authority)));
    anonymous = Optional.of(new Anonymous(authority, made));
    return made;
  }

  @Override
  public synchronized HttpsReadyzProbe authenticated()
      throws IOException, GeneralSecurityException {
    Optional<String> authority = access.certificateAuthority();
    Optional<ClientCertificate> certificate = access.identity(false).certificate();
    Optional<Authenticated> kept =
        authenticated.filter(
            made -> made.authority().equals(authority) && made.certificate().equals(certificate));
    if (kept.isPresent()) {
      return kept.get().probe();
    }
    HttpsReadyzProbe made =
        new HttpsReadyzProbe(
            ApiserverClient.authenticated(
                ClusterAccess.MEMBER_TLS_NAME,
                ClusterAccess.trust(authority),
                certificate,
                this::token));
    authenticated = Optional.of(new Authenticated(authority, certificate, made));
    return made;
  }

  private synchronized Optional<String> token() {
    long now = monotonic.getAsLong();
    if (now - tokenReadAt >= TOKEN_AGE.toNanos()) {
      tokenReadAt = now;
      try {
        token = access.identity(false).token();
      } catch (IOException e) {
        // A file that is being replaced: what was good a moment ago may still be.
        return token;
      }
    }
    return token;
  }
}
