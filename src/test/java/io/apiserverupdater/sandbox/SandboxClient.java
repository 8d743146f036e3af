package io.apiserverupdater.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.InetAddress;
import java.security.Principal;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.Handshake;
import okhttp3.Headers;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;
import okio.BufferedSource;

/** A plain JSON client for the sandbox's own tests: one user, real TLS, real HTTP/2. */
final class SandboxClient implements AutoCloseable {
  private final OkHttpClient http;
  private final String token;

  SandboxClient(SandboxPki authority, String token) {
    this(new HandshakeCertificates.Builder(), authority, token);
  }

  SandboxClient(SandboxPki authority, SandboxPki.Credential certificate) {
    this(new HandshakeCertificates.Builder().heldCertificate(certificate.held()), authority, "");
  }

  private SandboxClient(HandshakeCertificates.Builder builder, SandboxPki authority, String token) {
    HandshakeCertificates tls =
        builder.addTrustedCertificate(authority.authority().certificate()).build();
    this.http =
        new OkHttpClient.Builder()
            .sslSocketFactory(tls.sslSocketFactory(), tls.trustManager())
            .connectionPool(new ConnectionPool())
            .retryOnConnectionFailure(false)
            .readTimeout(Duration.ofSeconds(20))
            .build();
    this.token = token;
  }

  private SandboxClient(OkHttpClient http, String token) {
    this.http = http;
    this.token = token;
  }

  /** The same user over HTTP/1.1. */
  SandboxClient withHttp11() {
    return new SandboxClient(
        http.newBuilder()
            .protocols(List.of(Protocol.HTTP_1_1))
            .dispatcher(new Dispatcher())
            .connectionPool(new ConnectionPool())
            .build(),
        token);
  }

  /** The same user, with every name resolved to one address. */
  SandboxClient resolvingTo(String ip) {
    return new SandboxClient(
        http.newBuilder()
            .dns(name -> List.of(InetAddress.getByName(ip)))
            .dispatcher(new Dispatcher())
            .connectionPool(new ConnectionPool())
            .build(),
        token);
  }

  /** An answer; json is an empty object when the body is none. */
  record Answer(int code, Protocol protocol, String body, Headers headers, String peer) {
    JsonObject json() {
      JsonElement element = JsonParser.parseString(body);
      return element.isJsonObject() ? element.getAsJsonObject() : new JsonObject();
    }

    /** This one, if it has that code. */
    Answer expect(int wanted) {
      assertEquals(wanted, code, body);
      return this;
    }

    String reason() {
      return Json.stringAt(json(), "reason");
    }

    String message() {
      return Json.stringAt(json(), "message");
    }
  }

  Answer get(String url) throws IOException {
    return send("GET", url, "");
  }

  Answer post(String url, JsonObject body) throws IOException {
    return send("POST", url, Json.print(body));
  }

  Answer put(String url, JsonObject body) throws IOException {
    return send("PUT", url, Json.print(body));
  }

  Answer delete(String url, String body) throws IOException {
    return send("DELETE", url, body);
  }

  Answer patch(String url, String type, String body) throws IOException {
    return answer(
        request(url).method("PATCH", RequestBody.create(body, MediaType.parse(type))).build());
  }

  private Answer send(String method, String url, String body) throws IOException {
    RequestBody content =
        method.toUpperCase(Locale.ROOT).equals("GET")
            ? null
            : RequestBody.create(body, MediaType.parse("application/json"));
    return answer(request(url).method(method, content).build());
  }

  private Request.Builder request(String url) {
    Request.Builder builder = new Request.Builder().url(url).header("User-Agent", "sandbox-test");
    if (!token.isEmpty()) {
      builder.header("Authorization", "Bearer " + token);
    }
    return builder;
  }

  private Answer answer(Request request) throws IOException {
    try (Response response = http.newCall(request).execute()) {
      Handshake handshake = response.handshake();
      Principal peer = handshake == null ? null : handshake.peerPrincipal();
      return new Answer(
          response.code(),
          response.protocol(),
          response.body().string(),
          response.headers(),
          peer == null ? "" : peer.getName());
    }
  }

  /** Starts a watch and returns when its headers are there. */
  Watch watch(String url) throws IOException, InterruptedException {
    Watch watch = new Watch(http.newCall(request(url).build()));
    watch.start();
    return watch;
  }

  /** Sends a request without waiting for its headers; the body is read line by line. */
  Watch watchLater(String url) {
    Watch watch = new Watch(http.newCall(request(url).build()));
    watch.call.enqueue(watch);
    return watch;
  }

  /** A watch that is read as its lines arrive. */
  static final class Watch implements AutoCloseable, Callback {
    private static final JsonObject END = Json.of("type", "END");
    private static final JsonObject FAILED = Json.of("type", "FAILED");

    private final Call call;
    private final BlockingQueue<JsonObject> events = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> code = new CompletableFuture<>();

    private Watch(Call call) {
      this.call = call;
    }

    private void start() throws IOException, InterruptedException {
      call.enqueue(this);
      try {
        int status = code.get(5, TimeUnit.SECONDS);
        if (status != 200) {
          throw new IOException("watch was answered " + status);
        }
      } catch (ExecutionException | TimeoutException e) {
        throw new IOException("watch was not answered: " + e, e);
      }
    }

    @Override
    public void onResponse(Call answered, Response response) {
      try (response) {
        code.complete(response.code());
        BufferedSource source = response.body().source();
        while (!source.exhausted()) {
          events.add(Json.parse(source.readUtf8LineStrict()));
        }
        events.add(END);
      } catch (IOException e) {
        events.add(FAILED);
      }
    }

    @Override
    public void onFailure(Call failed, IOException e) {
      code.completeExceptionally(e);
      events.add(FAILED);
    }

    /** The next event's type and object; END or FAILED when the watch is over. */
    JsonObject next() throws InterruptedException {
      JsonObject event = events.poll(5, TimeUnit.SECONDS);
      if (event == null) {
        throw new AssertionError("no event within 5 s");
      }
      return event;
    }

    /** The next event as "TYPE name". */
    String nextText() throws InterruptedException {
      JsonObject event = next();
      return (Json.stringAt(event, "type") + " " + Json.name(Json.objectAt(event, "object")))
          .strip();
    }

    boolean isQuietFor(Duration time) throws InterruptedException {
      JsonObject event = events.poll(time.toNanos(), TimeUnit.NANOSECONDS);
      return event == null;
    }

    @Override
    public void close() {
      call.cancel();
    }
  }

  @Override
  public void close() {
    http.dispatcher().cancelAll();
    http.dispatcher().executorService().shutdown();
    http.connectionPool().evictAll();
  }
}
