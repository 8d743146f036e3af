package io.apiserverupdater.updater.kube;

import io.apiserverupdater.apiserver.tls.ClientTls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Proxy;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.ConnectionPool;
import okhttp3.Dns;
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
 * HTTP/2, or HTTP/1.1, with servers by name or behind a proxy. One client for each server and use,
 * each with connections of its own: a watch that hangs shares none with a write. Thread-safe.
 */
final class OkHttpTransport implements Transport {
  private static final MediaType JSON = MediaType.get("application/json");
  private static final Duration CONNECT = Duration.ofSeconds(1);

  /**
   * A watch is silent for minutes, and pings find a server that has vanished: after one to two of
   * these. Sooner than that a watch leaves an apiserver that our probes have found unready.
   */
  private static final Duration WATCH_PING = Duration.ofSeconds(2);

  private enum Use {
    UNARY,
    WATCH
  }

  private final OkHttpClient template;
  private final String userAgent;
  private final ScheduledExecutorService deadlines;

  // Guarded by this.
  private final Map<ServerAddress, Map<Use, OkHttpClient>> clients = new HashMap<>();

  /**
   * @param deadlines for short tasks
   */
  OkHttpTransport(ClientTls tls, Proxy proxy, String userAgent, ScheduledExecutorService deadlines)
      throws GeneralSecurityException {
    this.template =
        new OkHttpClient.Builder()
            .socketFactory(new PromptSockets())
            .sslSocketFactory(tls.newSocketFactory(), tls.trustManager())
            .protocols(List.of(Protocol.HTTP_2, Protocol.HTTP_1_1))
            .proxy(proxy)
            .connectTimeout(CONNECT)
            // OkHttp would send a write again by itself after a failed ping.
            .retryOnConnectionFailure(false)
            .followRedirects(false)
            .followSslRedirects(false)
            .build();
    this.userAgent = userAgent;
    this.deadlines = deadlines;
  }

  @Override
  public Reply exchange(
      ServerAddress server, ApiCall call, Optional<String> token, Duration timeout)
      throws IOException {
    Call http = client(server, Use.UNARY).newCall(request(server, call, token));
    http.timeout().timeout(timeout.toNanos(), TimeUnit.NANOSECONDS);
    try (Response response = http.execute()) {
      return reply(response);
    }
  }

  @Override
  public Opened open(
      ServerAddress server,
      ApiCall call,
      Optional<String> token,
      Duration timeout,
      Duration longest)
      throws IOException {
    Call http =
        client(server, Use.WATCH)
            .newBuilder()
            .readTimeout(longest)
            .build()
            .newCall(request(server, call, token));
    // A time-out of the call itself would end the watch.
    ScheduledFuture<?> deadline =
        deadlines.schedule(http::cancel, timeout.toMillis(), TimeUnit.MILLISECONDS);
    Response response;
    try {
      response = http.execute();
    } catch (IOException e) {
      throw http.isCanceled() ? new IOException("no answer within " + timeout, e) : e;
    } finally {
      deadline.cancel(false);
    }
    if (response.isSuccessful()) {
      return new Opened(
          reply(response, ""), Optional.of(new OkHttpWatchStream(server, http, response)));
    }
    try (response) {
      return new Opened(reply(response), Optional.empty());
    }
  }

  private synchronized OkHttpClient client(ServerAddress server, Use use) {
    return clients
        .computeIfAbsent(server, key -> new EnumMap<>(Use.class))
        .computeIfAbsent(use, key -> client(template, server, use));
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

  private Request request(ServerAddress server, ApiCall call, Optional<String> token) {
    HttpUrl root =
        new HttpUrl.Builder()
            .scheme("https")
            .host(server.tlsName().orElse(server.host()))
            .port(server.port())
            .build();
    Request.Builder request =
        new Request.Builder()
            .url(root.resolve(server.pathPrefix() + call.target()))
            .header("User-Agent", userAgent)
            .header("Accept", "application/json");
    token.ifPresent(bearer -> request.header("Authorization", "Bearer " + bearer));
    // A bare content type: the API server does not expect a charset.
    request.method(
        call.method(),
        call.body()
            .map(body -> RequestBody.create(body.getBytes(StandardCharsets.UTF_8), JSON))
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

  /** A call that timed out leaves its HTTP/2 connection in the pool, dead or alive. */
  @Override
  public synchronized void evict(ServerAddress server) {
    Map<Use, OkHttpClient> gone = clients.remove(server);
    if (gone != null) {
      gone.values().forEach(client -> client.connectionPool().evictAll());
    }
  }

  @Override
  public synchronized Set<ServerAddress> servers() {
    return Set.copyOf(clients.keySet());
  }

  @Override
  public synchronized void close() {
    retain(Set.of());
  }
}
