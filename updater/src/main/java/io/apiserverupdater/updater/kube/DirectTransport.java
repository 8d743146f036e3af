package io.apiserverupdater.updater.kube;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.ApiserverRequest;
import io.apiserverupdater.apiserver.probe.HeldConnection;
import io.apiserverupdater.apiserver.probe.HttpAnswer;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.UnreachableException;
import io.apiserverupdater.apiserver.tls.ClientCertificate;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import java.io.IOException;
import java.net.Proxy;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * HTTP/1.1 with apiservers at IP addresses, over the same connections that the probes have: each
 * call, and each watch, is written and read by the thread that makes it, on a connection that it
 * shares with nobody meanwhile. Thread-safe.
 */
final class DirectTransport implements Transport {
  private static final Duration CONNECT = Duration.ofSeconds(1);

  /**
   * What every apiserver answers at once, be it with a refusal. Calls to /livez are exempt from
   * priority and fairness (the FlowSchema "probes"), and etcd may be slow.
   */
  private static final ApiCall SIGN_OF_LIFE = ApiCall.get("/livez").with("exclude", "etcd");

  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** Two make calls at the same time: the elector, and whoever does a round. */
  private static final int MOST_IDLE = 2;

  private final ServerTrust.Verified trust;
  private final Optional<ClientCertificate> certificate;
  private final String userAgent;

  // All guarded by this.
  private final Map<ServerAddress, Peer> peers = new HashMap<>();
  private final Set<DirectWatchStream> watches = new HashSet<>();
  private boolean closed;

  /** A server, and the connections to it that nobody uses at this moment, the latest first. */
  private static final class Peer {
    final ApiserverClient client;
    final ApiserverAddress address;

    /** Guarded by the transport. */
    final Deque<HeldConnection> idle = new ArrayDeque<>();

    /** How often its connections were given up. Guarded by the transport. */
    int evictions;

    final AtomicBoolean asked = new AtomicBoolean();

    /** When it last answered a call; one that never has is silent. */
    volatile long heardAt = System.nanoTime() - DirectWatchStream.SILENCE.toNanos();

    /** When one of its watches took it for dead, for all that were open then. */
    volatile Optional<Death> death = Optional.empty();

    Peer(ApiserverClient client, ApiserverAddress address) {
      this.client = client;
      this.address = address;
    }
  }

  private record Death(long at, IOException why) {}

  /** A connection to make a call on. */
  private record Lent(HeldConnection connection, boolean used, int evictions) {}

  DirectTransport(
      ServerTrust.Verified trust, Optional<ClientCertificate> certificate, String userAgent) {
    this.trust = trust;
    this.certificate = certificate;
    this.userAgent = userAgent;
  }

  /** Whether a server can be talked to in this way: without a proxy, and without DNS. */
  static boolean reaches(ServerAddress server, Proxy proxy) {
    return proxy.equals(Proxy.NO_PROXY) && address(server).isPresent();
  }

  private static Optional<ApiserverAddress> address(ServerAddress server) {
    String host = server.host();
    return ApiserverAddress.parse(host.contains(":") ? "[" + host + "]" : host, server.port());
  }

  @Override
  public Reply exchange(
      ServerAddress server, ApiCall call, Optional<String> token, Duration timeout)
      throws IOException {
    return exchange(server, peer(server), call, token, timeout);
  }

  private Reply exchange(
      ServerAddress server, Peer peer, ApiCall call, Optional<String> token, Duration timeout)
      throws IOException {
    long end = System.nanoTime() + timeout.toNanos();
    ApiserverRequest request = request(server, call, token);
    Lent lent = lend(peer, timeout);
    try {
      return exchange(server, peer, lent, request, end);
    } catch (UnreachableException e) {
      boolean stale = lent.used() && e.result().reason() == ProbeResult.Reason.CONNECTION_LOST;
      if (!stale) {
        throw failure(e);
      }
    }
    // Its server had ended it, or forgotten it, and that had not arrived. A write names the version
    // that it replaces, so it cannot be done twice.
    try {
      return exchange(server, peer, fresh(peer, left(end)), request, end);
    } catch (UnreachableException e) {
      throw failure(e);
    }
  }

  private Reply exchange(
      ServerAddress server, Peer peer, Lent lent, ApiserverRequest request, long end)
      throws UnreachableException {
    boolean whole = false;
    try {
      HttpAnswer answer = lent.connection().send(request, ApiClient.MOST_BYTES, left(end));
      whole = true;
      peer.heardAt = System.nanoTime();
      return reply(answer);
    } finally {
      giveBack(server, peer, lent, whole);
    }
  }

  private static Duration left(long end) {
    return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
  }

  @Override
  public Opened open(
      ServerAddress server,
      ApiCall call,
      Optional<String> token,
      Duration timeout,
      Duration longest)
      throws IOException {
    Peer peer = peer(server);
    HeldConnection connection = dial(peer, timeout);
    boolean opened = false;
    try {
      HttpAnswer answer =
          connection.open(request(server, call, token), ApiClient.MOST_BYTES, timeout);
      if (answer.status() != 200) {
        return new Opened(reply(answer), Optional.empty());
      }
      DirectWatchStream stream =
          new DirectWatchStream(
              server,
              connection,
              longest,
              heardAt -> expectLife(server, peer, heardAt, token),
              this::forget);
      remember(stream);
      opened = true;
      return new Opened(reply(answer), Optional.of(stream));
    } catch (UnreachableException e) {
      throw failure(e);
    } finally {
      if (!opened) {
        connection.close();
      }
    }
  }

  private synchronized void remember(DirectWatchStream stream) {
    if (closed) {
      stream.cancel();
    } else {
      watches.add(stream);
    }
  }

  private synchronized void forget(DirectWatchStream stream) {
    watches.remove(stream);
  }

  /**
   * Asks a server for a sign of life, if it has given none for a while. A process that hangs keeps
   * its connections open, and nobody would miss the events that it does not send.
   *
   * @param peer the server as it was when the watch was opened
   * @param heardAt when the watch was opened, or last brought something
   */
  private void expectLife(ServerAddress server, Peer peer, long heardAt, Optional<String> token)
      throws IOException {
    Optional<Death> death = peer.death;
    if (death.isPresent() && death.get().at() - heardAt > 0) {
      throw death.get().why();
    }
    boolean silent = System.nanoTime() - peer.heardAt >= DirectWatchStream.SILENCE.toNanos();
    if (silent && peer.asked.compareAndSet(false, true)) {
      try {
        Reply unusedReply = exchange(server, peer, SIGN_OF_LIFE, token, PATIENCE);
      } catch (IOException e) {
        peer.death = Optional.of(new Death(System.nanoTime(), e));
        throw e;
      } finally {
        peer.asked.set(false);
      }
    }
  }

  private ApiserverRequest request(ServerAddress server, ApiCall call, Optional<String> token) {
    return new ApiserverRequest(
        call.method(), server.pathPrefix() + call.target(), userAgent, token, call.body());
  }

  private static Reply reply(HttpAnswer answer) {
    return new Reply(
        answer.status(),
        answer.reason(),
        answer.retryAfter(),
        answer.warnings(),
        answer.bodyText());
  }

  private static IOException failure(UnreachableException e) {
    boolean certificate = e.result().reason() == ProbeResult.Reason.CERTIFICATE;
    return new IOException((certificate ? ApiClient.CERTIFICATE : "") + e.result().describe(), e);
  }

  private synchronized Peer peer(ServerAddress server) throws IOException {
    Peer known = peers.get(server);
    if (known != null) {
      return known;
    }
    try {
      Peer peer =
          new Peer(
              ApiserverClient.authenticated(
                  server.tlsName().orElse(server.host()), trust, certificate, Optional::empty),
              address(server).orElseThrow());
      peers.put(server, peer);
      return peer;
    } catch (GeneralSecurityException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** One that is open, as far as can be seen without asking, or a new one. */
  private Lent lend(Peer peer, Duration timeout) throws IOException {
    for (Optional<Lent> idle = take(peer); idle.isPresent(); idle = take(peer)) {
      if (idle.get().connection().isQuiet()) {
        return idle.get();
      }
      idle.get().connection().close();
    }
    return fresh(peer, timeout);
  }

  private synchronized Optional<Lent> take(Peer peer) {
    return Optional.ofNullable(peer.idle.pollFirst())
        .map(connection -> new Lent(connection, true, peer.evictions));
  }

  private Lent fresh(Peer peer, Duration timeout) throws IOException {
    int evictions;
    synchronized (this) {
      evictions = peer.evictions;
    }
    return new Lent(dial(peer, timeout), false, evictions);
  }

  private static HeldConnection dial(Peer peer, Duration timeout) throws IOException {
    try {
      return peer.client.hold(peer.address, CONNECT, timeout).keptAlive();
    } catch (UnreachableException e) {
      throw failure(e);
    }
  }

  /**
   * Keeps a connection for the next call.
   *
   * @param whole whether its last answer was read to the end
   */
  private synchronized void giveBack(ServerAddress server, Peer peer, Lent lent, boolean whole) {
    HeldConnection connection = lent.connection();
    boolean wanted =
        whole && !closed && peer.equals(peers.get(server)) && lent.evictions() == peer.evictions;
    if (wanted && connection.isOpen() && peer.idle.size() < MOST_IDLE) {
      peer.idle.addFirst(connection);
    } else {
      connection.close();
    }
  }

  /** What is known of the server stays: since when it is silent, that is. */
  @Override
  public synchronized void evict(ServerAddress server) {
    Peer peer = peers.get(server);
    if (peer != null) {
      peer.evictions++;
      peer.idle.forEach(HeldConnection::close);
      peer.idle.clear();
    }
  }

  @Override
  public synchronized void retain(Set<ServerAddress> wanted) {
    Transport.super.retain(wanted);
    peers.keySet().retainAll(wanted);
  }

  @Override
  public synchronized Set<ServerAddress> servers() {
    return Set.copyOf(peers.keySet());
  }

  @Override
  public synchronized void close() {
    closed = true;
    retain(Set.of());
    // They were opened under an identity, or verified by an authority, that is of the past.
    watches.forEach(DirectWatchStream::cancel);
    watches.clear();
  }
}
