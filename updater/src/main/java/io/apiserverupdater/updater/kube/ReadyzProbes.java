package io.apiserverupdater.updater.kube;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.HttpsReadyzProbe;
import io.apiserverupdater.apiserver.tls.ClientCertificate;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.readiness.MemberProbe;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Asks the members as the cluster is accessed otherwise: the same certificate authority, the same
 * identity, and the name that every apiserver's certificate carries. Whom to trust and who we are
 * may change while we run, so both are asked for before each new connection. Thread-safe.
 */
public final class ReadyzProbes {
  /** How long a token that was read is used before it is looked at again. */
  private static final Duration TOKEN_AGE = Duration.ofSeconds(10);

  private final ClusterAccess access;
  private final LongSupplier monotonic;

  private record Made(
      Optional<String> authority,
      Optional<ClientCertificate> certificate,
      HttpsReadyzProbe probe) {}

  // All guarded by this.
  private final Map<Boolean, Made> made = new HashMap<>();
  private Optional<String> token = Optional.empty();
  private long tokenReadAt;

  public ReadyzProbes(ClusterAccess access, LongSupplier monotonic) {
    this.access = access;
    this.monotonic = monotonic;
    this.tokenReadAt = monotonic.getAsLong() - TOKEN_AGE.toNanos();
  }

  /** The probe of one member; nothing is sent yet. */
  public MemberProbe of(ApiserverAddress address) {
    return new ReadyzMemberProbe(this, address);
  }

  /**
   * What to ask with.
   *
   * @param authenticated whether to say who we are, to servers that have proved who they are
   * @throws IOException when a file cannot be read or a credential plugin fails
   * @throws GeneralSecurityException when a certificate or key is none
   */
  synchronized HttpsReadyzProbe probe(boolean authenticated)
      throws IOException, GeneralSecurityException {
    Optional<String> authority = access.certificateAuthority();
    Optional<ClientCertificate> certificate =
        authenticated ? access.identity(false).certificate() : Optional.empty();
    Made last = made.get(authenticated);
    if (last != null
        && last.authority().equals(authority)
        && last.certificate().equals(certificate)) {
      return last.probe();
    }
    HttpsReadyzProbe probe =
        new HttpsReadyzProbe(
            ApiserverClient.authenticated(
                ClusterAccess.MEMBER_TLS_NAME,
                ClusterAccess.trust(authority),
                certificate,
                authenticated ? this::token : Optional::empty));
    made.put(authenticated, new Made(authority, certificate, probe));
    return probe;
  }

  private synchronized Optional<String> token() {
    long now = monotonic.getAsLong();
    if (now - tokenReadAt >= TOKEN_AGE.toNanos()) {
      tokenReadAt = now;
      try {
        token = access.identity(false).token();
      } catch (IOException e) {
        // A file that is being replaced: what was good a moment ago may still be.
      }
    }
    return token;
  }
}
