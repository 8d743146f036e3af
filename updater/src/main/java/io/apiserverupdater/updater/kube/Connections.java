package io.apiserverupdater.updater.kube;

import io.apiserverupdater.probe.tls.ClientTls;
import java.io.IOException;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import okhttp3.ConnectionPool;
import okhttp3.Dns;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One HTTP client for each server and use, each with connections of its own: a watch that hangs
 * shares none with a write. They are made anew when the certificate authority or our certificate
 * changes. Thread-safe.
 */
final class Connections implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Connections.class);

  /** How long what was read from files is used before they are looked at again. */
  private static final Duration CREDENTIALS_AGE = Duration.ofSeconds(10);

  private static final Duration CONNECT = Duration.ofSeconds(1);

  /**
   * A watch is silent for minutes, and pings find a server that has vanished: after one to two of
   * these. Sooner than that a watch leaves an apiserver that our probes have found unready.
   */
  private static final Duration WATCH_PING = Duration.ofSeconds(2);

  enum Use {
    UNARY,
    WATCH
  }

  /** A client to use at once, and the token to send with it. */
  record Connection(OkHttpClient client, Optional<String> token) {}

  private final ClusterAccess access;
  private final LongSupplier monotonic;

  // All guarded by this.
  private final Map<ServerAddress, Map<Use, OkHttpClient>> clients = new HashMap<>();
  private Optional<Credentials> credentials = Optional.empty();
  private long readAt;
  private String lastFailure = "";

  private record Credentials(
      Optional<String> authority, ClientIdentity identity, OkHttpClient template) {
    boolean sameTls(Optional<String> otherAuthority, ClientIdentity otherIdentity) {
      return authority.equals(otherAuthority)
          && identity.certificate().equals(otherIdentity.certificate());
    }
  }

  Connections(ClusterAccess access, LongSupplier monotonic) {
    this.access = access;
    this.monotonic = monotonic;
  }

  /**
   * A client for the server.
   *
   * @param fresh whether credentials that were kept must be read anew
   * @throws IOException when a credential cannot be had
   * @throws GeneralSecurityException when a certificate or key cannot be read
   */
  synchronized Connection get(ServerAddress server, Use use, boolean fresh)
      throws IOException, GeneralSecurityException {
    Credentials current = credentials(fresh);
    OkHttpClient client =
        clients
            .computeIfAbsent(server, key -> new EnumMap<>(Use.class))
            .computeIfAbsent(use, key -> client(current.template(), server, use));
    return new Connection(client, current.identity().token());
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
    } catch (IOException | GeneralSecurityException e) {
      if (kept == null) {
        throw e;
      }
      // A file that is being replaced: what was good a moment ago may still be.
      tellOfFailure(ApiClient.reason(e));
      credentials = Optional.of(kept);
      readAt = now;
      return kept;
    }
    tellOfFailure("");
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
      return new Credentials(authority, identity, kept.get().template());
    }
    if (kept.isPresent()) {
      log.info("credentials=reloaded origin=\"{}\"", access.origin());
      evictAll();
      clients.clear();
    }
    return new Credentials(authority, identity, template(authority, identity));
  }

  private OkHttpClient template(Optional<String> authority, ClientIdentity identity)
      throws GeneralSecurityException {
    ClientTls tls = ClientTls.of(ClusterAccess.trust(authority), identity.certificate());
    return new OkHttpClient.Builder()
        .socketFactory(new PromptSockets())
        .sslSocketFactory(tls.newSocketFactory(), tls.trustManager())
        .protocols(List.of(Protocol.HTTP_2, Protocol.HTTP_1_1))
        .proxy(access.proxy())
        .connectTimeout(CONNECT)
        // OkHttp would send a write again by itself after a failed ping.
        .retryOnConnectionFailure(false)
        .followRedirects(false)
        .followSslRedirects(false)
        .build();
  }

  private static OkHttpClient client(OkHttpClient template, ServerAddress server, Use use) {
    OkHttpClient.Builder builder =
        template.newBuilder().connectionPool(new ConnectionPool(2, 5, TimeUnit.MINUTES));
    server.tlsName().ifPresent(name -> builder.dns(fixed(server)));
    if (use == Use.WATCH) {
      builder.pingInterval(WATCH_PING);
    }
    return builder.build();
  }

  /** Whatever name the URL carries, for the certificate's sake, the server is this one. */
  private static Dns fixed(ServerAddress server) {
    return hostname -> List.of(InetAddress.getAllByName(server.host()));
  }

  /**
   * Gives up the connections to a server. A call that timed out leaves its HTTP/2 connection in the
   * pool, dead or alive.
   */
  synchronized void evict(ServerAddress server) {
    Map<Use, OkHttpClient> gone = clients.remove(server);
    if (gone != null) {
      gone.values().forEach(client -> client.connectionPool().evictAll());
    }
  }

  /** Forgets servers that are not among these. */
  synchronized void retain(Set<ServerAddress> wanted) {
    for (ServerAddress server : new ArrayList<>(clients.keySet())) {
      if (!wanted.contains(server)) {
        evict(server);
      }
    }
  }

  private void evictAll() {
    clients
        .values()
        .forEach(uses -> uses.values().forEach(client -> client.connectionPool().evictAll()));
  }

  @Override
  public synchronized void close() {
    evictAll();
    clients.clear();
  }
}
