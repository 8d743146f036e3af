package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.tls.ClientTls;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
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

    CredentialsException(String reason) {
      super(reason);
    }
  }

  private final ClusterAccess access;
  private final String userAgent;
  private final LongSupplier monotonic;
  private final ScheduledExecutorService deadlines;

  /** Held by whoever reads the credentials, however long a plugin takes. */
  private final Semaphore reading = new Semaphore(1);

  // Of whoever reads.
  private String lastFailure = "";

  // All guarded by this.
  private Optional<Credentials> credentials = Optional.empty();
  private Optional<Transport> transport = Optional.empty();
  private long readAt;
  private int reads;

  private record Credentials(Optional<String> authority, ClientIdentity identity, ClientTls tls) {
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
   * What to send a call by. One thread reads the credentials at a time, and others go on with those
   * that there are: a credential plugin may take its time.
   *
   * @param fresh whether credentials that were kept must be read again
   * @throws CredentialsException when a credential cannot be had
   * @throws GeneralSecurityException when a certificate or key cannot be read
   */
  Connection get(boolean fresh) throws IOException, GeneralSecurityException {
    Optional<Credentials> kept;
    boolean young;
    int before;
    synchronized (this) {
      kept = credentials;
      young = monotonic.getAsLong() - readAt < CREDENTIALS_AGE.toNanos();
      before = reads;
    }
    if (fresh || kept.isEmpty()) {
      reading.acquireUninterruptibly();
    } else if (young || !reading.tryAcquire()) {
      return connection(kept.get());
    }
    try {
      synchronized (this) {
        if (reads != before) {
          // Somebody else has read them while this thread waited.
          return connection(credentials.orElseThrow());
        }
      }
      return install(next(fresh, kept));
    } finally {
      reading.release();
    }
  }

  private synchronized Connection connection(Credentials current) throws GeneralSecurityException {
    Transport open =
        transport.isPresent()
            ? transport.get()
            : new Transport(current.tls(), access.proxy(), userAgent, deadlines);
    transport = Optional.of(open);
    return new Connection(open, current.identity().token());
  }

  private synchronized Connection install(Credentials next) throws GeneralSecurityException {
    boolean sameTls =
        credentials.map(kept -> kept.sameTls(next.authority(), next.identity())).orElse(true);
    if (!sameTls) {
      log.info("credentials=reloaded origin=\"{}\"", access.origin());
      close();
    }
    credentials = Optional.of(next);
    readAt = monotonic.getAsLong();
    reads++;
    return connection(next);
  }

  private Credentials next(boolean fresh, Optional<Credentials> kept)
      throws IOException, GeneralSecurityException {
    try {
      Credentials next = read(fresh, kept);
      tellOfFailure("");
      return next;
    } catch (IOException | GeneralSecurityException e) {
      if (kept.isEmpty()) {
        throw new CredentialsException(ApiClient.reason(e), e);
      }
      // A file that is being replaced: what was good a moment ago may still be.
      tellOfFailure(ApiClient.reason(e));
      return kept.get();
    }
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
      return new Credentials(authority, identity, kept.get().tls());
    }
    // A certificate and a key that do not fit are found before the ones that do are given up.
    ClientTls tls = ClientTls.of(ClusterAccess.trust(authority), identity.certificate());
    return new Credentials(authority, identity, tls);
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
