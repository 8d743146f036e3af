package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.tls.ClientTls;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections to the servers, and the credentials that they were made with. They are made again
 * when the certificate authority or our certificate changes. Thread-safe.
 */
final class Connections implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Connections.class);

  /** How long what was read from files is used before they are looked at again. */
  private static final Duration CREDENTIALS_AGE = Duration.ofSeconds(10);

  /** What to send a call by, and the token to send with it. */
  record Connection(Transport transport, Optional<String> token) {}

  /** There is nothing to show to any server; none of them is to blame. */
  static final class CredentialsException extends IOException {
    CredentialsException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private final ClusterAccess access;
  private final String userAgent;
  private final LongSupplier monotonic;
  private final ScheduledExecutorService deadlines;

  // All guarded by this.
  private Optional<Credentials> credentials = Optional.empty();
  private Optional<Transport> transport = Optional.empty();
  private long readAt;
  private String lastFailure = "";

  private record Credentials(
      Optional<String> authority, ClientIdentity identity, ServerTrust.Verified trust) {
    boolean sameTls(Optional<String> otherAuthority, ClientIdentity otherIdentity) {
      return authority.equals(otherAuthority)
          && identity.certificate().equals(otherIdentity.certificate());
    }
  }

  /**
   * @param deadlines for short tasks
   */
  Connections(
      ClusterAccess access,
      String userAgent,
      LongSupplier monotonic,
      ScheduledExecutorService deadlines) {
    this.access = access;
    this.userAgent = userAgent;
    this.monotonic = monotonic;
    this.deadlines = deadlines;
  }

  /**
   * What to send a call by.
   *
   * @param fresh whether credentials that were kept must be read again
   * @throws CredentialsException when a credential cannot be had
   * @throws GeneralSecurityException when a certificate or key cannot be read
   */
  synchronized Connection get(boolean fresh) throws IOException, GeneralSecurityException {
    Credentials current = credentials(fresh);
    Transport open =
        transport.isPresent()
            ? transport.get()
            : new Transport(
                ClientTls.of(current.trust(), current.identity().certificate()),
                access.proxy(),
                userAgent,
                deadlines);
    transport = Optional.of(open);
    return new Connection(open, current.identity().token());
  }

  private Credentials credentials(boolean fresh) throws IOException, GeneralSecurityException {
    long now = monotonic.getAsLong();
    Credentials kept = credentials.orElse(null);
    if (kept != null && !fresh && now - readAt < CREDENTIALS_AGE.toNanos()) {
      return kept;
    }
    Credentials next;
    try {
      next = read(fresh, Optional.ofNullable(kept));
      tellOfFailure("");
    } catch (IOException | GeneralSecurityException e) {
      if (kept == null) {
        throw new CredentialsException(ApiClient.reason(e), e);
      }
      // A file that is being replaced: what was good a moment ago may still be.
      tellOfFailure(ApiClient.reason(e));
      next = kept;
    }
    credentials = Optional.of(next);
    readAt = now;
    return next;
  }

  /** Has the credentials read again at the next call, whatever their age. */
  synchronized void expireCredentials() {
    readAt = monotonic.getAsLong() - CREDENTIALS_AGE.toNanos();
  }

  private void tellOfFailure(String reason) {
    if (reason.equals(lastFailure)) {
      return;
    }
    if (reason.isEmpty()) {
      log.info("credentials=readable origin=\"{}\"", access.origin());
    } else {
      log.warn("credentials=unreadable reason=\"{}\"", reason);
    }
    lastFailure = reason;
  }

  private Credentials read(boolean fresh, Optional<Credentials> kept)
      throws IOException, GeneralSecurityException {
    Optional<String> authority = access.certificateAuthority();
    ClientIdentity identity = access.identity(fresh);
    if (kept.isPresent() && kept.get().sameTls(authority, identity)) {
      return new Credentials(authority, identity, kept.get().trust());
    }
    ServerTrust.Verified trust = ClusterAccess.trust(authority);
    if (kept.isPresent()) {
      log.info("credentials=reloaded origin=\"{}\"", access.origin());
      close();
    }
    return new Credentials(authority, identity, trust);
  }

  /** Gives up the connections to a server. */
  synchronized void evict(ServerAddress server) {
    transport.ifPresent(open -> open.evict(server));
  }

  /** Forgets servers that are not among these. */
  synchronized void retain(Set<ServerAddress> wanted) {
    transport.ifPresent(open -> open.retain(wanted));
  }

  /** Ends the watches at such servers. */
  synchronized void cancelWatches(Predicate<ServerAddress> at) {
    transport.ifPresent(open -> open.cancelWatches(at));
  }

  @Override
  public synchronized void close() {
    transport.ifPresent(Transport::close);
    transport = Optional.empty();
  }
}
