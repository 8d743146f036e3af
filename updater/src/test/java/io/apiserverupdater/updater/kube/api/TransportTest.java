package io.apiserverupdater.updater.kube.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.kubeconfig.ProxyServer;
import io.apiserverupdater.apiserver.tls.ClientTls;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import mockwebserver3.SocketEffect;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class TransportTest {
  private static final Duration AMPLE = Duration.ofSeconds(30);
  private static final String NAME = "kubernetes.default.svc";
  private static final HeldCertificate CERTIFICATE =
      new HeldCertificate.Builder().addSubjectAlternativeName(NAME).build();
  private static final ApiCall GET = ApiCall.get("/api/v1/x");

  private final ScheduledExecutorService deadlines = Executors.newScheduledThreadPool(1);
  private final MockWebServer server = new MockWebServer();
  private Transport transport;

  @BeforeEach
  void start() throws Exception {
    server.useHttps(
        new HandshakeCertificates.Builder()
            .heldCertificate(CERTIFICATE)
            .build()
            .sslSocketFactory());
    server.start();
    transport = transport(ProxyServer.NONE);
  }

  private Transport transport(ProxyServer proxy) throws GeneralSecurityException {
    ServerTrust.Verified trust =
        ServerTrust.authorities(CERTIFICATE.certificatePem().getBytes(StandardCharsets.US_ASCII));
    return new Transport(ClientTls.of(trust, Optional.empty()), proxy, "updater/1", deadlines);
  }

  @AfterEach
  void end() {
    transport.close();
    server.close();
    deadlines.shutdownNow();
  }

  private ServerAddress address(String tlsName) {
    return new ServerAddress("127.0.0.1", server.getPort(), "", Optional.of(tlsName));
  }

  private Transport.Reply send(ApiCall call) throws IOException {
    return transport.exchange(address(NAME), call, Optional.empty(), AMPLE);
  }

  private WatchStream watch() throws IOException {
    return transport.open(address(NAME), GET, Optional.empty(), AMPLE, AMPLE).stream()
        .orElseThrow();
  }

  private static MockResponse answer(String body) {
    return new MockResponse.Builder().body(body).build();
  }

  /** Half of an event, and nothing more. */
  private static MockResponse stalled() {
    return new MockResponse.Builder()
        .body("{}\n" + " ".repeat(100))
        .throttleBody(4, 1, TimeUnit.HOURS)
        .build();
  }

  @Test
  void sendsWhoAsksAndWhatIsWritten() throws Exception {
    server.enqueue(answer("{\"a\":1}"));
    Transport.Reply reply =
        transport.exchange(
            address(NAME), ApiCall.put("/api/v1/x", "{}"), Optional.of("secret"), AMPLE);
    assertEquals("{\"a\":1}", reply.body());
    assertTrue(reply.isSuccess());
    RecordedRequest request = server.takeRequest();
    assertEquals("PUT", request.getMethod());
    assertEquals("/api/v1/x", request.getTarget());
    assertEquals("HTTP/2", request.getVersion());
    assertEquals(List.of(NAME), request.getHandshakeServerNames());
    assertEquals("127.0.0.1:" + server.getPort(), request.getHeaders().get(":authority"));
    assertEquals("Bearer secret", request.getHeaders().get("Authorization"));
    assertEquals("application/json", request.getHeaders().get("Content-Type"));
    assertEquals("updater/1", request.getHeaders().get("User-Agent"));
    assertEquals("{}", request.getBody().utf8());
  }

  @Test
  void handsOnWhatTheServerAsksForAndWarnsOf() throws Exception {
    server.enqueue(
        new MockResponse.Builder()
            .code(429)
            .addHeader("Retry-After", "7")
            .addHeader("Warning", "299 - \"old\"")
            .addHeader("Warning", "299 - \"older\"")
            .build());
    Transport.Reply reply = send(GET);
    assertEquals(429, reply.status());
    assertFalse(reply.isSuccess());
    assertEquals(Optional.of("7"), reply.retryAfter());
    assertEquals(List.of("299 - \"old\"", "299 - \"older\""), reply.warnings());
  }

  @Test
  void answerBeyondTheBoundIsRefused() throws Exception {
    server.enqueue(answer("x".repeat(ApiClient.MOST_BYTES)));
    assertEquals(ApiClient.MOST_BYTES, send(GET).body().length());
    server.enqueue(answer("x".repeat(ApiClient.MOST_BYTES + 1)));
    IOException refused = assertThrows(IOException.class, () -> send(GET));
    assertTrue(refused.toString().contains("longer than"), refused.toString());
  }

  @Test
  void redirectIsAnAnswerLikeAnyOther() throws Exception {
    server.enqueue(
        new MockResponse.Builder().code(302).addHeader("Location", "https://x.example/").build());
    assertEquals(302, send(GET).status());
  }

  /** The server may have carried it out. */
  @Test
  void writeWhoseAnswerIsLostIsNotSentAgain() throws Exception {
    server.enqueue(answer("{}"));
    send(GET);
    server.enqueue(
        new MockResponse.Builder().onResponseStart(new SocketEffect.CloseSocket()).build());
    assertThrows(IOException.class, () -> send(ApiCall.put("/api/v1/x", "{}")));
    assertEquals(2, server.getRequestCount());
  }

  @Test
  void callWithoutAnAnswerEndsInTime() {
    server.enqueue(new MockResponse.Builder().onResponseStart(SocketEffect.Stall.INSTANCE).build());
    assertThrows(
        IOException.class,
        () -> transport.exchange(address(NAME), GET, Optional.empty(), Duration.ofMillis(300)));
  }

  @Test
  void wrongNameIsTold() {
    IOException refused =
        assertThrows(
            IOException.class,
            () -> transport.exchange(address("other.example"), GET, Optional.empty(), AMPLE));
    assertEquals(
        "certificate: certificate is valid for " + NAME + ", not other.example",
        ApiClient.reason(refused));
  }

  /** The server may be as well as can be. */
  @ParameterizedTest
  @EnumSource(names = {"HTTP", "SOCKS"})
  void proxyThatIsAwayIsToldAndNotTheServer(Proxy.Type kind) throws Exception {
    int port;
    try (ServerSocket gone =
        new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
      port = gone.getLocalPort();
    }
    ProxyServer proxy =
        new ProxyServer(
            new Proxy(kind, InetSocketAddress.createUnresolved("127.0.0.1", port)),
            Optional.empty());
    try (Transport through = transport(proxy)) {
      for (Executable call :
          List.<Executable>of(
              () -> through.exchange(address(NAME), GET, Optional.empty(), AMPLE),
              () -> through.open(address(NAME), GET, Optional.empty(), AMPLE, AMPLE))) {
        assertEquals(
            "proxy 127.0.0.1:" + port + ": connection refused: nothing listens on this port",
            ApiClient.reason(assertThrows(IOException.class, call)));
      }
    }
    assertEquals(0, server.getRequestCount());
  }

  /** It may be alive, and the server behind it may not. */
  @ParameterizedTest
  @CsvSource({
    "false, 'no answer in time, from it or from the server behind it'",
    "true, 'connection lost before the server was reached: closed by the proxy'",
  })
  void proxyThatLeadsNowhereIsNotToldAsDownNorTheServerAsLost(boolean closes, String words)
      throws Exception {
    try (ServerSocket proxy =
        new ServerSocket(0, 5, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
      Thread accepts =
          new Thread(
              () -> {
                while (closes) {
                  try (Socket socket = proxy.accept()) {
                    int unusedCount = socket.getInputStream().read(new byte[8192]);
                  } catch (IOException e) {
                    // The end of the test.
                    return;
                  }
                }
              },
              "proxy");
      accepts.setDaemon(true);
      accepts.start();
      ProxyServer server =
          new ProxyServer(
              new Proxy(
                  Proxy.Type.HTTP,
                  InetSocketAddress.createUnresolved("127.0.0.1", proxy.getLocalPort())),
              Optional.empty());
      Duration time = closes ? AMPLE : Duration.ofMillis(300);
      try (Transport through = transport(server)) {
        for (Executable call :
            List.<Executable>of(
                () -> through.exchange(address(NAME), GET, Optional.empty(), time),
                () -> through.open(address(NAME), GET, Optional.empty(), time, time))) {
          assertEquals(
              "proxy 127.0.0.1:" + proxy.getLocalPort() + ": " + words,
              ApiClient.reason(assertThrows(IOException.class, call)));
        }
      }
    }
  }

  @Test
  void watchSharesNoConnectionWithCalls() throws Exception {
    server.enqueue(stalled());
    server.enqueue(answer("{}"));
    try (WatchStream stream = watch()) {
      assertEquals(Optional.of("{}"), stream.next());
      send(GET);
    }
    server.takeRequest();
    assertEquals(0, server.takeRequest().getExchangeIndex());
  }

  @Test
  void watchBringsALineForEachEvent() throws Exception {
    server.enqueue(answer("{\"a\":1}\n{\"b\":2}\n"));
    try (WatchStream stream = watch()) {
      assertEquals(Optional.of("{\"a\":1}"), stream.next());
      assertEquals(Optional.of("{\"b\":2}"), stream.next());
      assertEquals(Optional.empty(), stream.next());
    }
  }

  @Test
  void watchThatIsTurnedDownHasNoStream() throws Exception {
    server.enqueue(new MockResponse.Builder().code(403).body("no").build());
    Transport.Opened opened = transport.open(address(NAME), GET, Optional.empty(), AMPLE, AMPLE);
    assertEquals(Optional.empty(), opened.stream());
    assertEquals("no", opened.reply().body());
  }

  /** The time between two events, which is minutes, is not for this. */
  @Test
  void refusalOfAWatchThatIsNeverFinishedEndsInTime() {
    server.enqueue(stalled().newBuilder().code(403).build());
    assertTimeoutPreemptively(
        AMPLE,
        () ->
            assertThrows(
                IOException.class,
                () ->
                    transport.open(
                        address(NAME),
                        GET,
                        Optional.empty(),
                        Duration.ofMillis(300),
                        AMPLE.multipliedBy(2))));
  }

  @Test
  void eventThatIsCutOffOrTooLongIsAnError() throws Exception {
    server.enqueue(answer("{\"a\":"));
    try (WatchStream stream = watch()) {
      assertThrows(IOException.class, stream::next);
    }
    server.enqueue(answer("x".repeat(ApiClient.MOST_BYTES + 1) + "\n"));
    try (WatchStream stream = watch()) {
      assertThrows(IOException.class, stream::next);
    }
  }

  @Test
  void cancellingEndsTheWaitForAnEvent() throws Exception {
    assertEndsTheWait(WatchStream::cancel);
  }

  /** They were opened under an identity, or verified by an authority, that is of the past. */
  @Test
  void closingEndsTheWatches() throws Exception {
    assertEndsTheWait(stream -> transport.close());
  }

  private void assertEndsTheWait(Consumer<WatchStream> end) throws Exception {
    server.enqueue(stalled());
    try (WatchStream stream = watch()) {
      assertEquals(Optional.of("{}"), stream.next());
      CompletableFuture<Void> waiting =
          CompletableFuture.runAsync(() -> assertThrows(IOException.class, stream::next));
      end.accept(stream);
      waiting.get(30, TimeUnit.SECONDS);
      assertTrue(stream.isCancelled());
    }
  }

  @Test
  void serversThatAreForgottenLoseTheirConnections() throws Exception {
    for (int i = 0; i < 3; i++) {
      server.enqueue(answer("{}"));
    }
    send(GET);
    transport.retain(Set.of(address(NAME)));
    send(GET);
    transport.retain(Set.of());
    send(GET);
    assertEquals(0, server.takeRequest().getExchangeIndex());
    assertEquals(1, server.takeRequest().getExchangeIndex());
    assertEquals(0, server.takeRequest().getExchangeIndex());
  }
}
