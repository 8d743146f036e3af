package io.apiserverupdater.updater.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(10)
class StatusServerTest {
  private static final int LARGE = 1 << 20;

  private volatile Optional<String> trouble = Optional.empty();
  private volatile boolean alive = true;
  private final AtomicLong skipped = new AtomicLong();
  private final StatusServer server = bind();

  private StatusServer bind() {
    List<HealthCheck> checks =
        List.of(
            HealthCheck.live("reconciler", () -> alive, "its thread has ended"),
            HealthCheck.ready("apiserver", () -> trouble));
    try {
      return StatusServer.bind(
          new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0),
          checks,
          accept -> new MetricsPage.Text("text/x-test; accept=" + accept, "leader 1\n"),
          List.of(
              new Document(
                  "/page",
                  "text/html; charset=utf-8",
                  Map.of("Cache-Control", "no-store", "Content-Security-Policy", "default-src x"),
                  parameters -> "page with " + parameters),
              new Document("/large", "text/plain", Map.of(), parameters -> "x".repeat(LARGE)),
              new Document("/slow", "text/plain", Map.of(), parameters -> slowly())),
          () -> System.nanoTime() + skipped.get());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @BeforeEach
  void start() {
    server.start();
  }

  @AfterEach
  void close() {
    server.close();
  }

  /** All that the server sends for these requests on one connection. */
  private String exchange(String... lines) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(server.address(), 2000);
      socket.setSoTimeout((int) Duration.ofSeconds(2).toMillis());
      for (int i = 0; i < lines.length; i++) {
        String connection = i == lines.length - 1 ? "close" : "keep-alive";
        String request =
            lines[i] + " HTTP/1.1\r\nHost: x\r\nConnection: " + connection + "\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      }
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** The status and the body. */
  private static String brief(String answer) {
    return answer.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length())
        + " "
        + answer.substring(answer.indexOf("\r\n\r\n") + 4);
  }

  private String get(String path) throws IOException {
    return brief(exchange("GET " + path));
  }

  @ParameterizedTest
  @CsvSource({"/livez", "/readyz", "/healthz", "/livez/", "/readyz/apiserver", "/readyz?x=y"})
  void answersOk(String path) throws Exception {
    assertEquals("200 ok", get(path));
  }

  @Test
  void unreachableApiserverIsNotReadyAndStillAlive() throws Exception {
    trouble = Optional.of("no answer for 12s");
    assertEquals(
        "500 [+]reconciler ok\n[-]apiserver failed: no answer for 12s\nreadyz check failed\n",
        get("/readyz"));
    assertEquals("200 ok", get("/livez"));
    assertEquals("200 ok", get("/healthz"));
  }

  @Test
  void deadThreadIsNeitherAliveNorReady() throws Exception {
    alive = false;
    assertEquals(
        "500 [-]reconciler failed: its thread has ended\nlivez check failed\n", get("/livez"));
    assertTrue(get("/readyz").startsWith("500 "));
  }

  @ParameterizedTest
  @CsvSource({"/readyz?verbose", "/readyz?verbose=true", "/readyz?a=b&verbose"})
  void tellsEachCheckWhenAsked(String path) throws Exception {
    assertEquals("200 [+]reconciler ok\n[+]apiserver ok\nreadyz check passed\n", get(path));
  }

  @Test
  void livezKnowsOnlyWhatMakesRestartUseful() throws Exception {
    assertEquals("200 [+]reconciler ok\nlivez check passed\n", get("/livez?verbose"));
  }

  @Test
  void excludesChecks() throws Exception {
    trouble = Optional.of("no answer");
    assertEquals("200 ok", get("/readyz?exclude=apiserver"));
    assertTrue(get("/readyz?exclude=other").startsWith("500 "));
  }

  @Test
  void answersSingleCheck() throws Exception {
    trouble = Optional.of("no answer");
    assertEquals("200 ok", get("/readyz/reconciler"));
    assertEquals(
        "500 [-]apiserver failed: no answer\nreadyz check failed\n", get("/readyz/apiserver"));
  }

  @ParameterizedTest
  @CsvSource({"/", "/metrics/", "/metricsx", "/readyz/nothing", "/livez/apiserver", "/livezz"})
  void knowsNothingElse(String path) throws Exception {
    assertTrue(get(path).startsWith("404 "), path);
  }

  @Test
  void showsTheMetricsInAFormatThatTheClientReads() throws Exception {
    assertEquals("200 leader 1\n", get("/metrics"));
    String answer = exchange("GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\nX:");
    assertTrue(
        answer.contains("Content-Type: text/x-test; accept=application/openmetrics-text\r\n"),
        answer);
  }

  @Test
  void servesADocumentUnderItsPathAlone() throws Exception {
    assertEquals("200 page with []", get("/page"));
    assertEquals("200 page with [pause]", get("/page?pause"));
    assertEquals("404 not found\n", get("/page/"));
    assertEquals("404 not found\n", get("/pages"));
    String head = exchange("HEAD /page");
    for (String line :
        List.of(
            "HTTP/1.1 200 OK",
            "Content-Type: text/html; charset=utf-8",
            "Content-Length: 12",
            "X-Content-Type-Options: nosniff",
            "Cache-Control: no-store",
            "Content-Security-Policy: default-src x",
            "Connection: close")) {
      assertTrue(head.contains(line + "\r\n"), head);
    }
    assertFalse(exchange("GET /metrics").contains("Cache-Control"));
  }

  @Test
  void headHasNoBodyAndKeepsTheConnection() throws Exception {
    assertEquals("200 ", brief(exchange("HEAD /readyz")));
    String both = exchange("HEAD /readyz", "GET /readyz");
    assertTrue(both.endsWith("\r\n\r\nok"), both);
  }

  @Test
  void usedAddressCannotBeBoundTwice() {
    assertThrows(
        IOException.class,
        () ->
            StatusServer.bind(
                    server.address(),
                    List.of(),
                    accept -> new MetricsPage.Text("", ""),
                    List.of(),
                    System::nanoTime)
                .close());
  }

  @Test
  void closedServerRefusesConnections() {
    InetSocketAddress address = server.address();
    server.close();
    assertThrows(
        ConnectException.class, () -> new Socket(address.getAddress(), address.getPort()).close());
  }

  /** Each holds back the end of its head, as anybody in the cluster can; most are let go of. */
  @Test
  void answersUnderTwoThousandHalfOpenConnections() throws IOException {
    List<Socket> halfOpen = new ArrayList<>();
    try {
      Duration slowest = Duration.ZERO;
      for (int i = 0; i < 2000; i++) {
        halfOpen.add(halfOpen());
        if (i % 100 == 99) {
          long start = System.nanoTime();
          assertEquals("200 ok", get("/livez"));
          Duration took = Duration.ofNanos(System.nanoTime() - start);
          slowest = took.compareTo(slowest) > 0 ? took : slowest;
        }
      }
      assertTrue(slowest.compareTo(Duration.ofSeconds(1)) < 0, slowest::toString);
    } finally {
      for (Socket socket : halfOpen) {
        socket.close();
      }
    }
  }

  /** One who asks without end, and for what costs most. */
  @Test
  void answersOthersBetweenTheRequestsOfOne() throws Exception {
    try (Socket greedy = new Socket(server.address().getAddress(), server.address().getPort())) {
      greedy.getOutputStream().write("GET /slow HTTP/1.1\r\n\r\n".repeat(300).getBytes(US_ASCII));
      assertEquals('H', greedy.getInputStream().read());
      long start = System.nanoTime();
      assertEquals("200 ok", get("/livez"));
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      assertTrue(took.compareTo(Duration.ofSeconds(1)) < 0, took::toString);
    }
  }

  private static String slowly() {
    long end = System.nanoTime() + Duration.ofMillis(10).toNanos();
    while (System.nanoTime() - end < 0) {
      Thread.onSpinWait();
    }
    return "slow";
  }

  /** The heap is 24 MiB. */
  @Test
  void keepsLittleForThoseWhoDoNotTakeTheirAnswer() throws Exception {
    List<Socket> lazy = new ArrayList<>();
    try {
      for (int i = 0; i < 12; i++) {
        Socket socket = new Socket();
        lazy.add(socket);
        socket.setReceiveBufferSize(4096);
        socket.connect(server.address(), 2000);
        // The kernel takes some of them.
        socket.getOutputStream().write("GET /large HTTP/1.1\r\n\r\n".repeat(15).getBytes(US_ASCII));
        socket
            .getOutputStream()
            .write("GET /large HTTP/1.1\r\nConnection: close\r\n\r\n".getBytes(US_ASCII));
        assertEquals('H', socket.getInputStream().read());
      }
      int complete = 0;
      for (Socket socket : lazy) {
        complete += length(socket) > 16 * LARGE ? 1 : 0;
      }
      assertTrue(complete > 0 && complete < 6, "it had kept " + complete);
    } finally {
      for (Socket socket : lazy) {
        socket.close();
      }
    }
  }

  /** Until the server closes the connection, in order or not. */
  private static int length(Socket socket) {
    int length = 0;
    try {
      byte[] part = new byte[1 << 16];
      for (int n = 0; n >= 0; n = socket.getInputStream().read(part)) {
        length += n;
      }
    } catch (IOException e) {
      // It was closed with something left to send.
    }
    return length;
  }

  private Socket halfOpen() throws IOException {
    Socket socket = new Socket(server.address().getAddress(), server.address().getPort());
    socket.getOutputStream().write("GET /livez HTTP/1.1\r\n".getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  /** As when a library leaks them. The client that waits is answered once there is one again. */
  @Test
  @Timeout(60)
  void waitsInsteadOfSpinningWithoutFileDescriptors() throws Exception {
    Process process =
        new ProcessBuilder(
                "prlimit",
                "--nofile=128",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                FullProcess.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out = process.inputReader();
        Writer in = process.outputWriter()) {
      InetSocketAddress address =
          new InetSocketAddress(server.address().getAddress(), Integer.parseInt(out.readLine()));
      // By then it has loaded its classes, which takes file descriptors.
      try (Socket first = livez(address)) {
        assertEquals("200 ok", answer(first));
      }
      in.write("\n");
      in.flush();
      assertEquals("full", out.readLine());
      try (Socket waiting = livez(address)) {
        in.write("\n");
        in.flush();
        long looks = Long.parseLong(out.readLine());
        // Some three for each of five attempts; a loop that does not wait has thousands.
        assertTrue(looks < 200, () -> looks + " rounds in half a second");
        in.write("\n");
        in.flush();
        assertEquals("free", out.readLine());
        assertEquals("200 ok", answer(waiting));
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private static Socket livez(InetSocketAddress address) throws IOException {
    Socket socket = new Socket(address.getAddress(), address.getPort());
    socket
        .getOutputStream()
        .write("GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n".getBytes(US_ASCII));
    return socket;
  }

  private static String answer(Socket socket) throws IOException {
    return brief(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
  }

  @Test
  void letsGoOfWhoDoesNotAsk() throws Exception {
    try (Socket silent = halfOpen()) {
      assertEquals("200 ok", get("/livez"));
      skipped.set(Duration.ofSeconds(3).toNanos());
      // It looks at the time when something happens.
      assertEquals("200 ok", get("/livez"));
      silent.setSoTimeout(1500);
      assertEquals(-1, silent.getInputStream().read());
    }
  }

  @Test
  void answersHeadInPieces() throws Exception {
    try (Socket socket = halfOpen()) {
      socket
          .getOutputStream()
          .write("Connection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertEquals(
          "200 ok",
          brief(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8)));
    }
  }

  @Test
  void refusesWhatIsNoRequest() throws Exception {
    assertEquals("400 this is no request of HTTP/1.1\n", brief(exchange("GET")));
    assertEquals("405 expected GET or HEAD\n", brief(exchange("POST /livez")));
    try (Socket endless = new Socket(server.address().getAddress(), server.address().getPort())) {
      endless.getOutputStream().write("x".repeat(8192).getBytes(StandardCharsets.US_ASCII));
      assertEquals(
          "431 the head of the request is too long\n",
          brief(new String(endless.getInputStream().readAllBytes(), StandardCharsets.UTF_8)));
    }
  }
}
