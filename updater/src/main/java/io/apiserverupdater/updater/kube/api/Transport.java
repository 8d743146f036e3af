package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.apiserver.kubeconfig.ProxyServer;
import io.apiserverupdater.apiserver.probe.AnswerFault;
import io.apiserverupdater.apiserver.probe.AnswerFault.Stage;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.tls.ClientTls;
import io.apiserverupdater.apiserver.tls.NameCheckingSockets;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.X509TrustManager;
import okhttp3.Authenticator;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.ConnectionPool;
import okhttp3.EventListener;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.Buffer;
import okio.BufferedSource;

/**
 * HTTP with apiservers, under one identity: HTTP/2, or HTTP/1.1 where a proxy knows no better. One
 * client for each server and use, each with connections of its own: a watch that hangs shares none
 * with a write. Thread-safe.
 */
final class Transport implements AutoCloseable {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);

  /**
   * An answer, whatever its status.
   *
   * @param words what stands behind the status; may be empty
   * @param retryAfter the header of that name
   * @param warnings the headers of the name Warning
   */
  record Reply(
      int status, String words, Optional<String> retryAfter, List<String> warnings, String body) {
    boolean isSuccess() {
      return status >= 200 && status < 300;
    }
  }

  /** How a watch began: with its stream, unless the server said no. */
  record Opened(Reply reply, Optional<WatchStream> stream) {}

  private enum Use {
    UNARY,
    WATCH
  }

  private final OkHttpClient template;
  private final X509TrustManager trustManager;
  private final String userAgent;
  private final ScheduledExecutorService deadlines;

  // All guarded by this.
  private final Map<ServerAddress, Map<Use, OkHttpClient>> clients = new HashMap<>();
  private final Set<WatchStream> watches = new HashSet<>();
  private boolean closed;

  /**
   * @param deadlines for short tasks
   */
  Transport(ClientTls tls, ProxyServer proxy, String userAgent, ScheduledExecutorService deadlines)
      throws GeneralSecurityException {
    this.trustManager = tls.trustManager();
    this.template =
        new OkHttpClient.Builder()
            .sslSocketFactory(tls.newSocketFactory(), trustManager)
            .protocols(List.of(Protocol.HTTP_2, Protocol.HTTP_1_1))
            .proxy(proxy.address())
            .proxyAuthenticator(authenticator(proxy))
            .connectTimeout(CONNECT_TIMEOUT)
            // OkHttp would send a write again by itself after a failed ping.
            .retryOnConnectionFailure(false)
            .followRedirects(false)
            .followSslRedirects(false)
            .eventListenerFactory(
                call ->
                    Optional.<EventListener>ofNullable(call.request().tag(Progress.class))
                        .orElse(EventListener.NONE))
            .build();
    this.userAgent = userAgent;
    this.deadlines = deadlines;
  }

  /**
   * Sends a call and reads its answer.
   *
   * @param token a bearer token
   * @throws IOException when there is none within the time; the call may have been carried out
   */
  Reply exchange(ServerAddress server, ApiCall call, Optional<String> token, Duration timeout)
      throws IOException {
    Progress progress = new Progress(beforeTheHandshake());
    Call http = client(server, Use.UNARY).newCall(request(server, call, token, progress));
    http.timeout().timeout(timeout.toNanos(), TimeUnit.NANOSECONDS);
    try (Response response = http.execute()) {
      return reply(response);
    } catch (IOException e) {
      throw told(e, progress.stage);
    }
  }

  /** How far a call has come. */
  private static final class Progress extends EventListener {
    private volatile Stage stage;

    Progress(Stage first) {
      stage = first;
    }

    @Override
    public void secureConnectStart(Call call) {
      stage = Stage.HANDSHAKE;
    }

    @Override
    public void connectionAcquired(Call call, Connection connection) {
      stage = Stage.ANSWER;
    }
  }

  /** The library does not tell when a proxy is connected: an exception does, if it is not. */
  private Stage beforeTheHandshake() {
    return proxy().type() == Proxy.Type.HTTP ? Stage.TUNNEL : Stage.CONNECTION;
  }

  private Proxy proxy() {
    return Optional.ofNullable(template.proxy()).orElse(Proxy.NO_PROXY);
  }

  /**
   * In the words that probes have for it. If nobody is there, that is the proxy, where there is
   * one, and not the server.
   */
  private IOException told(IOException thrown, Stage stage) {
    Optional<ProbeResult.Unreachable> fault = AnswerFault.of(thrown, stage);
    if (fault.isEmpty()) {
      return thrown;
    }
    String words =
        (!fault.get().reached() || stage == Stage.TUNNEL)
                && proxy().address() instanceof InetSocketAddress address
            ? "proxy %s:%d: %s"
                .formatted(address.getHostString(), address.getPort(), fault.get().detail())
            : fault.get().detail();
    return thrown instanceof InterruptedIOException
        ? new InterruptedIOException(words)
        : new IOException(words);
  }

  /**
   * Opens a watch.
   *
   * @param timeout until the server lets it be opened, or has said why it does not
   * @param longest between two events
   * @throws IOException when there is no answer within the time
   */
  Opened open(
      ServerAddress server,
      ApiCall call,
      Optional<String> token,
      Duration timeout,
      Duration longest)
      throws IOException {
    Progress progress = new Progress(beforeTheHandshake());
    Call http =
        client(server, Use.WATCH)
            .newBuilder()
            .readTimeout(longest)
            .build()
            .newCall(request(server, call, token, progress));
    // A timeout of the call itself would end the watch.
    ScheduledFuture<?> deadline =
        deadlines.schedule(http::cancel, timeout.toMillis(), TimeUnit.MILLISECONDS);
    try {
      Response response = http.execute();
      if (response.isSuccessful()) {
        return new Opened(reply(response, ""), Optional.of(remembered(server, http, response)));
      }
      try (response) {
        return new Opened(reply(response), Optional.empty());
      }
    } catch (IOException e) {
      // As the library says it of a call that has a timeout of its own.
      throw told(http.isCanceled() ? new InterruptedIOException("timeout") : e, progress.stage);
    } finally {
      deadline.cancel(false);
    }
  }

  private synchronized WatchStream remembered(ServerAddress server, Call http, Response response) {
    WatchStream stream = new WatchStream(server, http, response, this::forget);
    if (closed) {
      stream.cancel();
    } else {
      watches.add(stream);
    }
    return stream;
  }

  /** Ends the watches at such servers. */
  synchronized void cancelWatches(Predicate<ServerAddress> at) {
    watches.stream().filter(watch -> at.test(watch.server())).forEach(WatchStream::cancel);
  }

  private synchronized void forget(WatchStream stream) {
    watches.remove(stream);
  }

  private synchronized OkHttpClient client(ServerAddress server, Use use) {
    return clients
        .computeIfAbsent(server, key -> new EnumMap<>(Use.class))
        .computeIfAbsent(use, key -> newClient(server, use));
  }

  private OkHttpClient newClient(ServerAddress server, Use use) {
    // A connection that the last watch has left would only be pinged.
    int idle = use == Use.WATCH ? 0 : 1;
    OkHttpClient.Builder builder =
        template.newBuilder().connectionPool(new ConnectionPool(idle, 5, TimeUnit.MINUTES));
    server
        .tlsName()
        .ifPresent(
            name ->
                builder
                    .sslSocketFactory(named(template.sslSocketFactory(), name), trustManager)
                    // The handshake has compared the certificate with the name that it was for.
                    .hostnameVerifier((host, session) -> name.equals(session.getPeerHost())));
    if (use == Use.WATCH) {
      builder.pingInterval(Http2Ping.INTERVAL);
    }
    return builder.build();
  }

  /**
   * Asks for a name and verifies it, whatever the URL's host is: that is where to connect, for a
   * proxy too, and what the header Host says.
   */
  private static NameCheckingSockets named(SSLSocketFactory sockets, String name) {
    return new NameCheckingSockets(sockets) {
      @Override
      public Socket createSocket(Socket connected, String host, int port, boolean autoClose)
          throws IOException {
        return super.createSocket(connected, name, port, autoClose);
      }
    };
  }

  /** Sends what the proxy's URL holds, once: with the first request already. */
  private static Authenticator authenticator(ProxyServer proxy) {
    return (route, response) ->
        proxy
            .authorization()
            .filter(unused -> response.request().header("Proxy-Authorization") == null)
            .map(
                value ->
                    response.request().newBuilder().header("Proxy-Authorization", value).build())
            .orElse(null);
  }

  private Request request(
      ServerAddress server, ApiCall call, Optional<String> token, Progress progress) {
    HttpUrl root =
        new HttpUrl.Builder().scheme("https").host(server.host()).port(server.port()).build();
    Request.Builder request =
        new Request.Builder()
            .url(root.resolve(server.pathPrefix() + call.target()))
            .header("User-Agent", userAgent)
            .header("Accept", "application/json")
            .tag(Progress.class, progress);
    token.ifPresent(bearer -> request.header("Authorization", "Bearer " + bearer));
    // A bare content type: the API server does not expect a charset.
    MediaType type = MediaType.get(call.contentType());
    request.method(
        call.method(),
        call.body()
            .map(body -> RequestBody.create(body.getBytes(StandardCharsets.UTF_8), type))
            .orElse(null));
    return request.build();
  }

  private static Reply reply(Response response) throws IOException {
    return reply(response, boundedBody(response.body().source()));
  }

  private static Reply reply(Response response, String body) {
    return new Reply(
        response.code(),
        response.message(),
        Optional.ofNullable(response.header("Retry-After")),
        response.headers("Warning"),
        body);
  }

  private static String boundedBody(BufferedSource source) throws IOException {
    Buffer buffer = new Buffer();
    while (source.read(buffer, 64 << 10) >= 0) {
      if (buffer.size() > ApiClient.MOST_BYTES) {
        throw new IOException("the answer is longer than " + ApiClient.MOST_BYTES + " bytes");
      }
    }
    return buffer.readUtf8();
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

  /** Gives up the connections to servers that are not among these. */
  synchronized void retain(Set<ServerAddress> wanted) {
    Set.copyOf(clients.keySet()).stream()
        .filter(server -> !wanted.contains(server))
        .forEach(this::evict);
  }

  /** Ends all connections, and the watches that were opened under this identity. */
  @Override
  public synchronized void close() {
    closed = true;
    retain(Set.of());
    cancelWatches(server -> true);
  }
}
