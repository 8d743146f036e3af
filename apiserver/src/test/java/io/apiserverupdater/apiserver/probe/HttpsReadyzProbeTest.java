package io.apiserverupdater.apiserver.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult.NotReady;
import io.apiserverupdater.apiserver.probe.ProbeResult.Ready;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HttpsReadyzProbeTest {
  /** For what is to come: never the limit. */
  private static final Duration AMPLE = Duration.ofSeconds(30);

  /** For what never comes, behind stages that take a part of it. */
  private static final Duration SHORT = Duration.ofMillis(1_500);

  private static final Authority AUTHORITY = Authority.create("kubernetes");
  private static final HeldCertificate SERVER = AUTHORITY.server();

  /** Loads TLS, so that no short deadline below pays for it. */
  @BeforeAll
  static void warmUp() throws Exception {
    try (TestServer server = TestServer.tls(SERVER, ready())) {
      assertEquals(new Ready(), AUTHORITY.probe().probe(server.address(), AMPLE));
    }
  }

  private static TestServer.Conduct ready() {
    return exchange -> {
      exchange.readRequest();
      exchange.answer(200, "ok");
    };
  }

  private static TestServer.Conduct saying(String answer) {
    return exchange -> {
      exchange.readRequest();
      exchange.write(answer);
    };
  }

  private static void assertUnreachable(Reason reason, String detail, ProbeResult result) {
    Unreachable unreachable = assertInstanceOf(Unreachable.class, result);
    assertEquals(reason, unreachable.reason(), unreachable.toString());
    assertTrue(unreachable.detail().contains(detail), unreachable.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void answer200IsReadyOnBothFamilies(String ip) throws Exception {
    try (TestServer server =
        TestServer.tls(
            TestServer.ip(ip), new HandshakeCertificates.Builder(), SERVER, List.of(), ready())) {
      assertEquals(new Ready(), AUTHORITY.probe().probe(server.address(), AMPLE));
      String request = server.requests.remove();
      assertTrue(request.startsWith("GET /readyz HTTP/1.1\r\n"), request);
      assertTrue(request.contains("Host: apiserver.cluster.local:"), request);
      assertFalse(request.contains("Authorization"), request);
    }
  }

  static List<Arguments> keysAndNames() {
    return List.of(
        Arguments.of("EC", AUTHORITY.certificate(Authority.NAME).ecdsa256().build()),
        Arguments.of("RSA", AUTHORITY.certificate(Authority.NAME).rsa2048().build()),
        Arguments.of("a wildcard", AUTHORITY.certificate("*.cluster.local").build()),
        Arguments.of("in capitals", AUTHORITY.certificate("APIServer.Cluster.Local").build()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("keysAndNames")
  void takesEachKindOfKeyAndName(String kind, HeldCertificate certificate) throws Exception {
    try (TestServer server = TestServer.tls(certificate, ready())) {
      assertEquals(new Ready(), AUTHORITY.probe().probe(server.address(), AMPLE), kind);
    }
  }

  @Test
  void takesAnAddressAsTheName() throws Exception {
    for (String name : List.of("10.96.0.100", "fd00::64")) {
      HeldCertificate certificate = AUTHORITY.certificate(name).build();
      HttpsReadyzProbe probe =
          new HttpsReadyzProbe(ApiserverClient.anonymous(name, AUTHORITY.trust()));
      try (TestServer server = TestServer.tls(certificate, ready())) {
        assertEquals(new Ready(), probe.probe(server.address(), AMPLE), name);
      }
    }
  }

  @Test
  void takesAnAuthorityBetween() throws Exception {
    HeldCertificate between =
        new HeldCertificate.Builder()
            .commonName("between")
            .certificateAuthority(0)
            .signedBy(AUTHORITY.held())
            .build();
    HeldCertificate certificate =
        new HeldCertificate.Builder()
            .addSubjectAlternativeName(Authority.NAME)
            .signedBy(between)
            .build();
    try (TestServer server =
        TestServer.tls(
            TestServer.V4,
            new HandshakeCertificates.Builder(),
            certificate,
            List.of(between),
            ready())) {
      assertEquals(new Ready(), AUTHORITY.probe().probe(server.address(), AMPLE));
    }
  }

  @Test
  void certificateIsShownAnewEachTime() throws Exception {
    HttpsReadyzProbe probe = AUTHORITY.probe();
    List<Boolean> fresh = new ArrayList<>();
    try (TestServer server =
        TestServer.tls(
            SERVER,
            exchange -> {
              exchange.readRequest();
              synchronized (fresh) {
                fresh.add(exchange.isNewSession());
              }
              exchange.answer(200, "ok");
            })) {
      for (int i = 0; i < 3; i++) {
        assertEquals(new Ready(), probe.probe(server.address(), AMPLE));
      }
    }
    assertEquals(List.of(true, true, true), fresh);
  }

  static List<Arguments> honestAnswers() {
    String verbose =
        """
        [+]ping ok
        [-]etcd failed: reason withheld
        [+]log ok
        [-]poststarthook/start-apiextensions-controllers failed: reason withheld
        readyz check failed
        """;
    String head = "HTTP/1.1 500 Internal Server Error\r\n";
    String length = "Content-Length: " + verbose.length() + "\r\n\r\n";
    List<String> failing = List.of("etcd", "poststarthook/start-apiextensions-controllers");
    ProbeResult notReady = new NotReady(500, failing);
    return List.of(
        Arguments.of("with a length", head + length + verbose, notReady),
        Arguments.of("up to the end", head + "\r\n" + verbose, notReady),
        Arguments.of("HTTP/1.0", "HTTP/1.0 500 x\r\n\r\n" + verbose, notReady),
        Arguments.of(
            "in chunks",
            head
                + "Transfer-Encoding: chunked\r\n\r\n"
                + "5;x=y\r\n[-]et\r\n"
                + "13\r\ncd failed: withheld\r\n0\r\nTrailer: x\r\n\r\n",
            new NotReady(500, List.of("etcd"))),
        Arguments.of(
            "after a preliminary answer",
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + head + length + verbose,
            notReady),
        Arguments.of(
            "anonymous is turned away",
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
            new NotReady(401, List.of())),
        Arguments.of(
            "a right is missing",
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}",
            new NotReady(403, List.of())),
        Arguments.of("no words behind the status", "HTTP/1.1 200\r\n\r\nok", new Ready()),
        Arguments.of("no body", "HTTP/1.1 204 No Content\r\n\r\n", new NotReady(204, List.of())),
        Arguments.of(
            "control characters in a name",
            "HTTP/1.1 500 x\r\n\r\n[-]\u001b[31mred failed\n[-]\n",
            new NotReady(500, List.of("?[31mred", ""))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("honestAnswers")
  void readsEachFormOfAnswer(String form, String answer, ProbeResult expected) throws Exception {
    try (TestServer server = TestServer.tls(SERVER, saying(answer))) {
      assertEquals(expected, AUTHORITY.probe().probe(server.address(), AMPLE), form);
    }
  }

  static List<Arguments> brokenAnswers() {
    String endless = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    return List.of(
        Arguments.of("garbage", "garbage\r\n\r\n", Reason.MALFORMED_ANSWER, "expected an HTTP"),
        Arguments.of("HTTP/2", "HTTP/2 200\r\n\r\n", Reason.MALFORMED_ANSWER, "expected an HTTP"),
        Arguments.of(
            "no status", "HTTP/1.1 abc OK\r\n\r\n", Reason.MALFORMED_ANSWER, "expected an HTTP"),
        Arguments.of(
            "long header",
            "HTTP/1.1 200 OK\r\nX: " + "x".repeat(20_000) + "\r\n\r\n",
            Reason.MALFORMED_ANSWER,
            "head of the answer is longer than 16384"),
        Arguments.of(
            "many preliminary answers",
            "HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000),
            Reason.MALFORMED_ANSWER,
            "head of the answer is longer than 16384"),
        Arguments.of(
            "no colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", Reason.MALFORMED_ANSWER, "header"),
        Arguments.of(
            "huge length",
            "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
            Reason.MALFORMED_ANSWER,
            "longer than 65536 bytes"),
        Arguments.of(
            "a length that cannot be",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            Reason.MALFORMED_ANSWER,
            "expected a length, found \"-1\""),
        Arguments.of(
            "two lengths",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            Reason.MALFORMED_ANSWER,
            "two lengths"),
        Arguments.of(
            "compressed",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx",
            Reason.MALFORMED_ANSWER,
            "transfer encoding"),
        Arguments.of(
            "huge body",
            "HTTP/1.1 200 OK\r\n\r\n" + "x".repeat(70_000),
            Reason.MALFORMED_ANSWER,
            "longer than 65536 bytes"),
        Arguments.of(
            "huge chunks",
            endless + ("4000\r\n" + "x".repeat(0x4000) + "\r\n").repeat(5),
            Reason.MALFORMED_ANSWER,
            "longer than 65536 bytes"),
        Arguments.of(
            "huge chunk",
            endless + "7fffffffffffffff\r\n",
            Reason.MALFORMED_ANSWER,
            "expected a length"),
        Arguments.of(
            "a chunk that goes on",
            endless + "2\r\nxxx\r\n",
            Reason.MALFORMED_ANSWER,
            "longer than it says"),
        Arguments.of(
            "nothing", "", Reason.CONNECTION_LOST, "the connection ended without an answer"),
        Arguments.of(
            "ends within the head",
            "HTTP/1.1 200 O",
            Reason.CONNECTION_LOST,
            "the connection ended within the answer"),
        Arguments.of(
            "ends within the body",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok",
            Reason.CONNECTION_LOST,
            "the connection ended within the answer"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("brokenAnswers")
  void tellsBrokenAnswers(String situation, String answer, Reason reason, String detail)
      throws Exception {
    try (TestServer server = TestServer.tls(SERVER, saying(answer))) {
      ProbeResult result = AUTHORITY.probe().probe(server.address(), AMPLE);
      assertUnreachable(reason, detail, result);
      assertEquals(reason == Reason.MALFORMED_ANSWER, result.verified(), situation);
    }
  }

  @Test
  void nobodyListens() throws Exception {
    ApiserverAddress address;
    try (ServerSocket free = new ServerSocket(0, 1, TestServer.V4)) {
      address = new ApiserverAddress(free.getInetAddress(), free.getLocalPort());
    }
    assertUnreachable(Reason.REFUSED, "nothing listens", AUTHORITY.probe().probe(address, AMPLE));
  }

  @Test
  void noWayThere() throws Exception {
    // The kernel makes no connection to a multicast group; no packet is sent.
    ApiserverAddress group = ApiserverAddress.parse("224.0.0.1:6443", 1).orElseThrow();
    assertUnreachable(Reason.NO_ROUTE, "nreachable", AUTHORITY.probe().probe(group, AMPLE));
  }

  /** As a host behind a black hole: with a full queue, the kernel drops what asks to connect. */
  @Test
  void noAnswerToTheFirstPacket() throws Exception {
    List<Socket> filling = new ArrayList<>();
    try (ServerSocket full = new ServerSocket(0, 1, TestServer.V4)) {
      for (boolean room = true; room; ) {
        Socket socket = new Socket();
        filling.add(socket);
        try {
          socket.connect(full.getLocalSocketAddress(), 200);
        } catch (SocketTimeoutException e) {
          room = false;
        }
      }
      ApiserverAddress address = new ApiserverAddress(full.getInetAddress(), full.getLocalPort());
      assertUnreachable(
          Reason.CONNECT_TIMEOUT,
          "packets dropped",
          AUTHORITY.probe().probe(address, Duration.ofMillis(100)));
    } finally {
      for (Socket socket : filling) {
        socket.close();
      }
    }
  }

  @Test
  void deadlineThatHasPassedIsATimeOut() throws Exception {
    try (TestServer server = TestServer.tls(SERVER, ready())) {
      assertUnreachable(
          Reason.CONNECT_TIMEOUT, "", AUTHORITY.probe().probe(server.address(), Duration.ZERO));
    }
  }

  interface Opening {
    TestServer server() throws IOException;
  }

  private static Arguments slow(String situation, Reason reason, Opening opening) {
    return Arguments.of(situation, reason, opening);
  }

  static List<Arguments> slowServers() {
    String record = "\u0016\u0003\u0003?\u00ff";
    return List.of(
        slow(
            "accepts and says nothing",
            Reason.HANDSHAKE_TIMEOUT,
            () -> TestServer.plain(exchange -> exchange.hang())),
        slow(
            "drips its part of the handshake",
            Reason.HANDSHAKE_TIMEOUT,
            () -> TestServer.plain(exchange -> exchange.drip(record + "x".repeat(10_000)))),
        slow(
            "never answers",
            Reason.ANSWER_TIMEOUT,
            () ->
                TestServer.tls(
                    SERVER,
                    exchange -> {
                      exchange.readRequest();
                      exchange.hang();
                    })),
        slow(
            "drips its answer",
            Reason.ANSWER_TIMEOUT,
            () ->
                TestServer.tls(
                    SERVER,
                    exchange -> {
                      exchange.readRequest();
                      exchange.drip("HTTP/1.1 200 OK\r\nX: " + "x".repeat(10_000));
                    })),
        slow(
            "hangs within the body",
            Reason.ANSWER_TIMEOUT,
            () ->
                TestServer.tls(
                    SERVER,
                    exchange -> {
                      exchange.readRequest();
                      exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
                      exchange.hang();
                    })));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("slowServers")
  void oneDeadlineCoversAll(String situation, Reason reason, Opening opening) throws Exception {
    try (TestServer server = opening.server()) {
      long start = System.nanoTime();
      ProbeResult result = AUTHORITY.probe().probe(server.address(), SHORT);
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      assertUnreachable(reason, "", result);
      assertTrue(took.compareTo(SHORT) >= 0, situation + " ended early: " + took);
      assertTrue(took.compareTo(SHORT.plusSeconds(1)) < 0, situation + " took " + took);
    }
  }

  static List<Arguments> lostConnections() {
    return List.of(
        slow(
            "reset when accepted",
            Reason.CONNECTION_LOST,
            () -> TestServer.plain(exchange -> exchange.reset())),
        slow(
            "closed when accepted", Reason.CONNECTION_LOST, () -> TestServer.plain(exchange -> {})),
        slow(
            "reset within the handshake",
            Reason.CONNECTION_LOST,
            () ->
                TestServer.plain(
                    exchange -> {
                      exchange.write("\u0016\u0003\u0003");
                      exchange.reset();
                    })),
        slow(
            "reset instead of an answer",
            Reason.CONNECTION_LOST,
            () ->
                TestServer.tls(
                    SERVER,
                    exchange -> {
                      exchange.readRequest();
                      exchange.reset();
                    })),
        slow(
            "not TLS",
            Reason.TLS,
            () ->
                TestServer.plain(
                    exchange -> exchange.write("HTTP/1.0 400 Bad Request\r\n\r\nspeak TLS"))),
        slow(
            "garbage",
            Reason.TLS,
            () -> TestServer.plain(exchange -> exchange.write("\0".repeat(200)))),
        slow(
            "an alert",
            Reason.TLS,
            () ->
                TestServer.plain(exchange -> exchange.write("\u0015\u0003\u0003\0\u0002\u0002("))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("lostConnections")
  void tellsLostConnections(String situation, Reason reason, Opening opening) throws Exception {
    try (TestServer server = opening.server()) {
      ProbeResult result = AUTHORITY.probe().probe(server.address(), AMPLE);
      assertUnreachable(reason, "", result);
      assertFalse(result.verified(), situation);
    }
  }

  static List<Arguments> wrongCertificates() {
    HeldCertificate namesake = Authority.create("kubernetes").server();
    HeldCertificate expired = AUTHORITY.validFor(-100, -49);
    HeldCertificate early = AUTHORITY.validFor(5, 100);
    return List.of(
        Arguments.of(
            "expired",
            expired,
            List.of(
                "certificate has expired or is not yet valid: current time ",
                "Z is after " + expired.certificate().getNotAfter().toInstant())),
        Arguments.of(
            "not yet valid",
            early,
            List.of(
                "certificate has expired or is not yet valid: current time ",
                "Z is before " + early.certificate().getNotBefore().toInstant())),
        Arguments.of(
            "another name",
            AUTHORITY.certificate("kubernetes", "kubernetes.default", "10.96.0.1").build(),
            List.of(
                "certificate is valid for kubernetes, kubernetes.default, 10.96.0.1,"
                    + " not apiserver.cluster.local")),
        Arguments.of(
            "a name in the subject only",
            AUTHORITY.certificate().commonName(Authority.NAME).build(),
            List.of(
                "certificate is not valid for any names, but wanted to match"
                    + " apiserver.cluster.local")),
        Arguments.of(
            "another authority",
            Authority.create("other").server(),
            List.of(
                "certificate signed by unknown authority (\"CN=other\"; trusted: \"CN=kubernetes\")")),
        Arguments.of(
            "another authority of the same name",
            namesake,
            List.of(
                "certificate signed by unknown authority (\"CN=kubernetes\"; as the trusted one is"
                    + " called, but with another key")),
        Arguments.of(
            "its own authority",
            new HeldCertificate.Builder()
                .commonName("me")
                .addSubjectAlternativeName(Authority.NAME)
                .build(),
            List.of("certificate signed by unknown authority (\"CN=me\"; trusted: ")),
        Arguments.of(
            "all at once",
            new HeldCertificate.Builder()
                .commonName("me")
                .addSubjectAlternativeName("else\u001b[2J")
                .validityInterval(0, 1_000_000)
                .build(),
            List.of(
                "Z is after 1970-01-01T00:16:40Z",
                "certificate is valid for else?[2J, not ",
                "certificate signed by unknown authority")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongCertificates")
  void tellsWhyTheCertificateIsWrong(
      String situation, HeldCertificate certificate, List<String> details) throws Exception {
    try (TestServer server = TestServer.tls(certificate, ready())) {
      ProbeResult result = AUTHORITY.probe().probe(server.address(), AMPLE);
      for (String detail : details) {
        assertUnreachable(Reason.CERTIFICATE, detail, result);
      }
      assertFalse(result.verified(), situation);
      assertTrue(server.requests.isEmpty(), "nothing is asked of a stranger");
    }
  }
}
