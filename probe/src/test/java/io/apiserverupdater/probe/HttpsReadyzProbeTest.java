package io.apiserverupdater.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.probe.ProbeResult.NotReady;
import io.apiserverupdater.probe.ProbeResult.Ready;
import io.apiserverupdater.probe.ProbeResult.Reason;
import io.apiserverupdater.probe.ProbeResult.Unreachable;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class HttpsReadyzProbeTest {
  /** For what is to succeed: never the limit. */
  private static final Duration AMPLE = Duration.ofSeconds(20);

  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Authority AUTHORITY = Authority.create("kubernetes");

  private static Unreachable unreachable(ProbeResult result) {
    return assertInstanceOf(Unreachable.class, result);
  }

  private static void assertUnreachable(Reason reason, String detail, ProbeResult result) {
    Unreachable unreachable = unreachable(result);
    assertEquals(reason, unreachable.reason(), unreachable.toString());
    assertTrue(unreachable.detail().contains(detail), unreachable.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void answer200IsReadyOnBothFamilies(String ip) throws Exception {
    try (TestServer server =
        TestServer.tls(
            TestServer.ip(ip),
            new HandshakeCertificates.Builder(),
            AUTHORITY.server(),
            List.of(),
            exchange -> {
              exchange.readRequest();
              exchange.answer(200, "ok");
            })) {
      assertEquals(new Ready(), AUTHORITY.probe().probe(server.address(), AMPLE));
      String request = server.requests.remove();
      assertTrue(request.startsWith("GET /readyz HTTP/1.1\r\n"), request);
      assertTrue(request.contains("Host: apiserver.cluster.local:"), request);
    }
  }

  @Test
  void tellsFailingChecks() throws Exception {
    String body =
        """
        [+]ping ok
        [-]etcd failed: reason withheld
        [+]log ok
        [-]poststarthook/start-apiextensions-controllers failed: reason withheld
        readyz check failed
        """;
    try (TestServer server =
        TestServer.tls(
            AUTHORITY.server(),
            exchange -> {
              exchange.readRequest();
              exchange.answer(500, body);
            })) {
      assertEquals(
          new NotReady(500, List.of("etcd", "poststarthook/start-apiextensions-controllers")),
          AUTHORITY.probe().probe(server.address(), AMPLE));
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
  void acceptsAndHangs() throws Exception {
    try (TestServer server = TestServer.plain(exchange -> exchange.hang())) {
      long start = System.nanoTime();
      assertUnreachable(
          Reason.HANDSHAKE_TIMEOUT,
          "TLS handshake got no answer",
          AUTHORITY.probe().probe(server.address(), SHORT));
      long millis = (System.nanoTime() - start) / 1_000_000;
      assertTrue(millis >= 300 && millis < 2_000, "took " + millis + " ms");
    }
  }

  @Test
  void wrongName() throws Exception {
    HeldCertificate other =
        AUTHORITY.certificate("kubernetes", "kubernetes.default", "10.96.0.1").build();
    try (TestServer server = TestServer.tls(other, exchange -> exchange.answer(200, "ok"))) {
      assertUnreachable(
          Reason.CERTIFICATE,
          "not made for \"apiserver.cluster.local\", but for kubernetes, kubernetes.default, 10.96.0.1",
          AUTHORITY.probe().probe(server.address(), AMPLE));
    }
  }
}
