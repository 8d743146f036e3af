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
import java.util.concurrent.CopyOnWriteArrayList;
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
    try (TestServer server = TestServer.ready(SERVER)) {
      assertEquals(new Ready(), probe(server));
    }
  }

  private static ProbeResult probe(TestServer server) throws Exception {
    return AUTHORITY.probe().probe(server.address(), AMPLE);
  }

  private static void assertUnreachable(Reason reason, String detail, ProbeResult result) {
    Unreachable unreachable = assertInstanceOf(Unreachable.class, result);
    assertEquals(reason, unreachable.reason(), unreachable.toString());
    assertTrue(unreachable.detail().contains(detail), unreachable.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void answer200IsReadyOnBothFamilies(String ip) throws Exception {
    try (TestServer server = TestServer.ready(TestServer.ip(ip), SERVER)) {
      assertEquals(new Ready(), probe(server));
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
    try (TestServer server = TestServer.ready(certificate)) {
      assertEquals(new Ready(), probe(server), kind);
    }
  }

  @Test
  void takesAnAddressAsTheName() throws Exception {
    for (String name : List.of("10.96.0.100", "fd00::64")) {
      ApiserverClient client = ApiserverClient.anonymous(name, AUTHORITY.trust());
      try (TestServer server = TestServer.ready(AUTHORITY.certificate(name).build())) {
        ProbeResult result = new HttpsReadyzProbe(client).probe(server.address(), AMPLE);
        assertEquals(new Ready(), result, name);
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
    HeldCertificate certificate = new Authority(between).certificate(Authority.NAME).build();
    try (TestServer server = TestServer.ready(certificate, between)) {
      assertEquals(new Ready(), probe(server));
    }
  }

  @Test
  void certificateIsShownAnewEachTime() throws Exception {
    HttpsReadyzProbe probe = AUTHORITY.probe();
    List<Boolean> fresh = new CopyOnWriteArrayList<>();
    try (TestServer server =
        TestServer.asked(
            SERVER,
            exchange -> {
              fresh.add(exchange.isNewSession());
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
            new NotReady(500, List.of("\\u001b[31mred", ""))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("honestAnswers")
  void readsEachFormOfAnswer(String form, String answer, ProbeResult expected) throws Exception {
    try (TestServer server = TestServer.asked(SERVER, exchange -> exchange.write(answer))) {
      assertEquals(expected, probe(server), form);
    }
  }

  private static Arguments malformed(String situation, String answer, String detail) {
    return Arguments.of(situation, answer, Reason.MALFORMED_ANSWER, detail);
  }

  private static Arguments lost(String situation, String answer, String detail) {
    return Arguments.of(situation, answer, Reason.CONNECTION_LOST, detail);
  }

  static List<Arguments> brokenAnswers() {
    String ok = "HTTP/1.1 200 OK\r\n";
    String endless = ok + "Transfer-Encoding: chunked\r\n\r\n";
    String closed = "connection lost before the answer was complete: closed by the server";
    return List.of(
        malformed("garbage", "garbage\r\n\r\n", "expected an HTTP"),
        malformed("HTTP/2", "HTTP/2 200\r\n\r\n", "expected an HTTP"),
        malformed("no status", "HTTP/1.1 abc OK\r\n\r\n", "expected an HTTP"),
        malformed(
            "long header",
            ok + "X: " + "x".repeat(20_000) + "\r\n\r\n",
            "head of the answer is longer than 16384"),
        malformed(
            "many preliminary answers",
            "HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000),
            "head of the answer is longer than 16384"),
        malformed("no colon", ok + "nonsense\r\n\r\n", "header"),
        malformed("huge length", ok + "Content-Length: 1000000\r\n\r\n", "longer than 65536 bytes"),
        malformed(
            "a length that cannot be",
            ok + "Content-Length: -1\r\n\r\n",
            "expected a length, found \"-1\""),
        malformed(
            "two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "two lengths"),
        malformed("compressed", ok + "Transfer-Encoding: gzip\r\n\r\nxx", "transfer encoding"),
        malformed("huge body", ok + "\r\n" + "x".repeat(70_000), "longer than 65536 bytes"),
        malformed(
            "huge chunks",
            endless + ("4000\r\n" + "x".repeat(0x4000) + "\r\n").repeat(5),
            "longer than 65536 bytes"),
        malformed("huge chunk", endless + "7fffffffffffffff\r\n", "expected a length"),
        malformed("a chunk that goes on", endless + "2\r\nxxx\r\n", "longer than it says"),
        lost("nothing", "", closed),
        lost("ends within the head", "HTTP/1.1 200 O", closed),
        lost("ends within the body", ok + "Content-Length: 10\r\n\r\nok", closed));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("brokenAnswers")
  void tellsBrokenAnswers(String situation, String answer, Reason reason, String detail)
      throws Exception {
    try (TestServer server = TestServer.asked(SERVER, exchange -> exchange.write(answer))) {
      ProbeResult result = probe(server);
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
    try (TestServer server = TestServer.ready(SERVER)) {
      assertUnreachable(
          Reason.CONNECT_TIMEOUT, "", AUTHORITY.probe().probe(server.address(), Duration.ZERO));
    }
  }

  interface Opening {
    TestServer server() throws IOException;
  }

  /** As soon as the connection is accepted. */
  private static Arguments plain(String situation, Reason reason, TestServer.Conduct conduct) {
    Opening opening = () -> TestServer.plain(conduct);
    return Arguments.of(situation, reason, opening);
  }

  /** When the request has been read. */
  private static Arguments asked(String situation, Reason reason, TestServer.Conduct conduct) {
    Opening opening = () -> TestServer.asked(SERVER, conduct);
    return Arguments.of(situation, reason, opening);
  }

  static List<Arguments> slowServers() {
    String record = "\u0016\u0003\u0003?\u00ff";
    return List.of(
        plain("accepts and says nothing", Reason.HANDSHAKE_TIMEOUT, TestServer.Exchange::hang),
        plain(
            "drips its part of the handshake",
            Reason.HANDSHAKE_TIMEOUT,
            exchange -> exchange.drip(record + "x".repeat(10_000))),
        asked("never answers", Reason.ANSWER_TIMEOUT, TestServer.Exchange::hang),
        asked(
            "drips its answer",
            Reason.ANSWER_TIMEOUT,
            exchange -> exchange.drip("HTTP/1.1 200 OK\r\nX: " + "x".repeat(10_000))),
        asked(
            "hangs within the body",
            Reason.ANSWER_TIMEOUT,
            exchange -> {
              exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
              exchange.hang();
            }));
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
        plain("reset when accepted", Reason.CONNECTION_LOST, TestServer.Exchange::reset),
        plain("closed when accepted", Reason.CONNECTION_LOST, exchange -> {}),
        plain(
            "reset within the handshake",
            Reason.CONNECTION_LOST,
            exchange -> {
              exchange.write("\u0016\u0003\u0003");
              exchange.reset();
            }),
        asked("reset instead of an answer", Reason.CONNECTION_LOST, TestServer.Exchange::reset),
        plain(
            "not TLS",
            Reason.TLS,
            exchange -> exchange.write("HTTP/1.0 400 Bad Request\r\n\r\nspeak TLS")),
        plain("garbage", Reason.TLS, exchange -> exchange.write("\0".repeat(200))),
        plain(
            "an alert",
            Reason.TLS,
            exchange -> exchange.write("\u0015\u0003\u0003\0\u0002\u0002(")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("lostConnections")
  void tellsLostConnections(String situation, Reason reason, Opening opening) throws Exception {
    try (TestServer server = opening.server()) {
      ProbeResult result = probe(server);
      assertUnreachable(reason, "", result);
      assertFalse(result.verified(), situation);
    }
  }

  private static Arguments wrong(String situation, HeldCertificate shown, String... details) {
    return Arguments.of(situation, shown, List.of(details));
  }

  static List<Arguments> wrongCertificates() {
    HeldCertificate namesake = Authority.create("kubernetes").server();
    HeldCertificate expired = AUTHORITY.validFor(-100, -49);
    HeldCertificate early = AUTHORITY.validFor(5, 100);
    return List.of(
        wrong(
            "expired",
            expired,
            "certificate has expired or is not yet valid: current time ",
            "Z is after " + expired.certificate().getNotAfter().toInstant()),
        wrong(
            "not yet valid",
            early,
            "certificate has expired or is not yet valid: current time ",
            "Z is before " + early.certificate().getNotBefore().toInstant()),
        wrong(
            "another name",
            AUTHORITY.certificate("kubernetes", "kubernetes.default", "10.96.0.1").build(),
            "certificate is valid for kubernetes, kubernetes.default, 10.96.0.1,"
                + " not apiserver.cluster.local"),
        wrong(
            "a name in the subject only",
            AUTHORITY.certificate().commonName(Authority.NAME).build(),
            "certificate is not valid for any names, but wanted to match"
                + " apiserver.cluster.local"),
        wrong(
            "another authority",
            Authority.create("other").server(),
            "certificate signed by unknown authority (\"CN=other\"; trusted: \"CN=kubernetes\")"),
        wrong(
            "another authority of the same name",
            namesake,
            "certificate signed by unknown authority (\"CN=kubernetes\"; as the trusted one is"
                + " called, but with another key"),
        wrong(
            "its own authority",
            new HeldCertificate.Builder()
                .commonName("me")
                .addSubjectAlternativeName(Authority.NAME)
                .build(),
            "certificate signed by unknown authority (\"CN=me\"; trusted: "),
        wrong(
            "all at once",
            new HeldCertificate.Builder()
                .commonName("me")
                .addSubjectAlternativeName("else\u001b[2J")
                .validityInterval(0, 1_000_000)
                .build(),
            "Z is after 1970-01-01T00:16:40Z",
            "certificate is valid for else\\u001b[2J, not ",
            "certificate signed by unknown authority"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongCertificates")
  void tellsWhyTheCertificateIsWrong(
      String situation, HeldCertificate certificate, List<String> details) throws Exception {
    try (TestServer server = TestServer.ready(certificate)) {
      ProbeResult result = probe(server);
      for (String detail : details) {
        assertUnreachable(Reason.CERTIFICATE, detail, result);
      }
      assertFalse(result.verified(), situation);
      assertTrue(server.requests.isEmpty(), "nothing is asked of a stranger");
    }
  }
}
