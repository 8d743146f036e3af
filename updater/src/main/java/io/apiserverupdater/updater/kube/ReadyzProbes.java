package io.apiserverupdater.updater.kube;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
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
import java.util.concurrent.atomic.AtomicBoolean;
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

  // Guarded by this.
  private final Map<Boolean, Made> made = new HashMap<>();
  private long tokenReadAt;

  /** Whether a thread asks who we are, which takes as long as a credential plugin does. */
  private final AtomicBoolean reading = new AtomicBoolean();

  private volatile Optional<ClientIdentity> kept = Optional.empty();

  public ReadyzProbes(ClusterAccess access, LongSupplier monotonic) {
    this.access = access;
    this.monotonic = monotonic;
    this.tokenReadAt = monotonic.getAsLong() - TOKEN_AGE.toNanos();
  }

  /** The monotonic clock, in nanoseconds. */
  long now() {
    return monotonic.getAsLong();
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
  HttpsReadyzProbe probe(boolean authenticated) throws IOException, GeneralSecurityException {
    Optional<String> authority = access.certificateAuthority();
    return probe(
        authenticated, authority, authenticated ? identity().certificate() : Optional.empty());
  }

  private synchronized HttpsReadyzProbe probe(
      boolean authenticated, Optional<String> authority, Optional<ClientCertificate> certificate)
      throws GeneralSecurityException {
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

  /** Who we are; while one thread finds out, the others go on with what was found before. */
  private ClientIdentity identity() throws IOException {
    boolean alone = reading.compareAndSet(false, true);
    try {
      Optional<ClientIdentity> before = kept;
      if (!alone && before.isPresent()) {
        return before.get();
      }
      ClientIdentity read = access.identity(false);
      kept = Optional.of(read);
      return read;
    } finally {
      if (alone) {
        reading.set(false);
      }
    }
  }

  /** Who we were when that was last found out. */
  Optional<ClientIdentity> keptIdentity() {
    return kept;
  }

  /** Whether a new identity was found since, or a thread is about to find one. */
  boolean isRenewedSince(Optional<ClientIdentity> before) {
    return before.isPresent() && (reading.get() || !kept.equals(before));
  }

  /**
   * The token of this moment, or one that was read in the last ten seconds; an earlier one while a
   * credential plugin runs.
   */
  Optional<String> token() {
    if (isTimeToRead()) {
      try {
        ClientIdentity unusedRead = identity();
      } catch (IOException e) {
        // A file that is being replaced: what was good a moment ago may still be.
      }
    }
    return kept.flatMap(ClientIdentity::token);
  }

  private synchronized boolean isTimeToRead() {
    long now = monotonic.getAsLong();
    boolean due = now - tokenReadAt >= TOKEN_AGE.toNanos();
    tokenReadAt = due ? now : tokenReadAt;
    return due;
  }
}
