package io.apiserverupdater.apiserver.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.apiserver.tls.ClientCertificate;
import io.apiserverupdater.apiserver.tls.Pem;
import io.apiserverupdater.apiserver.tls.PublicKeyHash;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class ApiserverClientTest {
  private static final Duration AMPLE = Duration.ofSeconds(30);
  private static final Authority AUTHORITY = Authority.create("kubernetes");
  private static final HeldCertificate SERVER = AUTHORITY.server();
  private static final HeldCertificate EXPIRED =
      new HeldCertificate.Builder().validityInterval(0, 1_000_000).build();

  private static ApiserverClient withToken(Supplier<Optional<String>> token) throws Exception {
    return ApiserverClient.authenticated(
        Authority.NAME, AUTHORITY.trust(), Optional.empty(), token);
  }

  private static ApiserverClient showing(ClientCertificate certificate)
      throws GeneralSecurityException {
    return ApiserverClient.authenticated(
        Authority.NAME, AUTHORITY.trust(), Optional.of(certificate), Optional::empty);
  }

  private static ApiserverClient unverified() throws Exception {
    return ApiserverClient.anonymous(Authority.NAME, new ServerTrust.Unverified());
  }

  private static HttpAnswer get(ApiserverClient client, TestServer server) throws Exception {
    return client.get(server.address(), "/some?path", 100, AMPLE);
  }

  private static Unreachable refusal(ApiserverClient client, TestServer server) {
    return assertThrows(UnreachableException.class, () -> get(client, server)).result();
  }

  @Test
  void givesStatusAndBody() throws Exception {
    try (TestServer server = TestServer.ready(SERVER)) {
      HttpAnswer answer = get(AUTHORITY.client(), server);
      assertEquals(200, answer.status());
      assertEquals("ok", answer.body());
      assertEquals("HttpAnswer[status=200, body=2 bytes]", answer.toString());
      assertTrue(server.requests.remove().startsWith("GET /some?path HTTP/1.1\r\n"));
    }
  }

  @Test
  void leavesNoFileOpen() throws Exception {
    ApiserverClient client = AUTHORITY.client();
    try (TestServer server = TestServer.ready(SERVER)) {
      HttpAnswer unusedWarmUp = get(client, server);
      long before = OpenFiles.count();
      for (int i = 0; i < 60; i++) {
        HttpAnswer unusedAnswer = get(client, server);
      }
      long after = OpenFiles.count();
      assertTrue(after < before + 30, () -> before + " files open before, " + after + " after");
    }
  }

  @Test
  void tokenIsAskedForEachTime() throws Exception {
    Iterator<String> tokens = List.of("first", "second").iterator();
    ApiserverClient client = withToken(() -> Optional.of(tokens.next()));
    try (TestServer server = TestServer.ready(SERVER)) {
      get(client, server);
      get(client, server);
      assertTrue(server.requests.remove().contains("\r\nAuthorization: Bearer first\r\n"));
      assertTrue(server.requests.remove().contains("\r\nAuthorization: Bearer second\r\n"));
    }
  }

  @Test
  void tokenThatCannotStandInAHeaderIsNotSent() throws Exception {
    for (String token : List.of("", "a\r\nX: y", "with space", "ä", "x".repeat(20_000))) {
      try (TestServer server = TestServer.ready(SERVER)) {
        get(withToken(() -> Optional.of(token)), server);
        assertFalse(server.requests.remove().contains("Authorization"), token);
      }
    }
  }

  @Test
  void tokenIsNotSentToAStranger() throws Exception {
    HeldCertificate stranger = Authority.create("other").server();
    try (TestServer server = TestServer.ready(stranger)) {
      assertEquals(
          Reason.CERTIFICATE, refusal(withToken(() -> Optional.of("secret")), server).reason());
      assertTrue(server.requests.isEmpty());
    }
  }

  /** The JDK takes none; Go does, and so kubectl. */
  @Test
  void nameWithAnUnderscoreIsTakenWhenTheCertificateHasIt() throws Exception {
    HeldCertificate certificate = AUTHORITY.certificate("kube_master").build();
    try (TestServer server = TestServer.ready(certificate)) {
      for (String name : List.of("kube_master", "other_master")) {
        ApiserverClient client = ApiserverClient.anonymous(name, AUTHORITY.trust());
        if (name.equals("kube_master")) {
          assertEquals(200, get(client, server).status());
        } else {
          assertEquals(
              "certificate is valid for kube_master, not other_master",
              refusal(client, server).detail());
        }
      }
    }
  }

  @Test
  void unverifiedTakesAnybody() throws Exception {
    try (TestServer server = TestServer.ready(EXPIRED)) {
      assertEquals(200, get(unverified(), server).status());
    }
  }

  @Test
  void showsTheCertificateOfWhoeverAnswers() throws Exception {
    ApiserverClient client = unverified();
    try (TestServer server = TestServer.ready(EXPIRED)) {
      assertEquals(EXPIRED.certificate(), client.servingCertificate(server.address(), AMPLE));
    }
    try (TestServer server = TestServer.plain(exchange -> {})) {
      assertThrows(
          UnreachableException.class, () -> client.servingCertificate(server.address(), AMPLE));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "200 OK           | Date: Thu, 01 Jan 2026 12:00:00 GMT | 2026-01-01T12:00:00Z",
        "401 Unauthorized | date: Sun, 06 Nov 1994 08:49:37 GMT | 1994-11-06T08:49:37Z",
        "200 OK           | Date: yesterday                     |",
        "200 OK           | X: y                                |"
      })
  void readsTheClockOfAServer(String status, String header, @Nullable Instant told)
      throws Exception {
    TestServer.Conduct conduct =
        exchange ->
            exchange.write(
                "HTTP/1.1 " + status + "\r\n" + header + "\r\nContent-Length: 0\r\n\r\n");
    try (TestServer server = TestServer.asked(SERVER, conduct)) {
      assertEquals(Optional.ofNullable(told), unverified().date(server.address(), AMPLE));
    }
  }

  @Test
  void runtimeAuthoritiesDoNotKnowOurs() throws Exception {
    ApiserverClient client =
        ApiserverClient.anonymous(Authority.NAME, new ServerTrust.RuntimeAuthorities());
    try (TestServer server = TestServer.ready(SERVER)) {
      Unreachable refusal = refusal(client, server);
      assertEquals(Reason.CERTIFICATE, refusal.reason());
      assertTrue(
          refusal.detail().contains("certificate signed by unknown authority"), refusal.detail());
    }
  }

  static List<Arguments> clientCertificates() {
    HeldCertificate ec = AUTHORITY.certificate().commonName("system:node:w1").ecdsa256().build();
    HeldCertificate rsa = AUTHORITY.certificate().commonName("system:node:w1").rsa2048().build();
    String oneFile = ec.certificatePem() + ec.privateKeyPkcs8Pem();
    return List.of(
        Arguments.of("EC in one file", new ClientCertificate(oneFile, oneFile)),
        Arguments.of(
            "EC in two files", new ClientCertificate(ec.certificatePem(), ec.privateKeyPkcs8Pem())),
        Arguments.of(
            "RSA in PKCS#1",
            new ClientCertificate(rsa.certificatePem(), rsa.privateKeyPkcs1Pem())));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("clientCertificates")
  void showsItsCertificate(String form, ClientCertificate certificate) throws Exception {
    try (TestServer server =
        TestServer.tls(
            TestServer.V4,
            new HandshakeCertificates.Builder()
                .addTrustedCertificate(AUTHORITY.held().certificate()),
            SERVER,
            List.of(),
            exchange -> {
              exchange.readRequest();
              exchange.answer(200, peer((SSLSocket) exchange.socket));
            })) {
      assertEquals("CN=system:node:w1", get(showing(certificate), server).body(), form);
    }
  }

  private static String peer(SSLSocket socket) {
    try {
      return socket.getSession().getPeerPrincipal().getName();
    } catch (SSLPeerUnverifiedException e) {
      return "nobody";
    }
  }

  @Test
  void saysWhichPartOfTheClientCertificateCannotBeRead() {
    String chain = SERVER.certificatePem();
    assertTrue(failure(new ClientCertificate("x", "y")).contains("client certificate: no CERT"));
    assertTrue(failure(new ClientCertificate(chain, "y")).contains("client key: no PRIVATE KEY"));
    String other = new HeldCertificate.Builder().build().privateKeyPkcs8Pem();
    assertTrue(failure(new ClientCertificate(chain, other)).contains("client key: it does not"));
    assertEquals("ClientCertificate[…]", new ClientCertificate("x", "secret").toString());
  }

  private static String failure(ClientCertificate certificate) {
    return assertThrows(GeneralSecurityException.class, () -> showing(certificate)).toString();
  }

  private static ServerTrust.Verified trust(HeldCertificate pinned)
      throws GeneralSecurityException {
    return ServerTrust.pinned(List.of(PublicKeyHash.of(pinned.certificate()).text()));
  }

  private static ApiserverClient pinned(HeldCertificate authority) throws Exception {
    return ApiserverClient.anonymous(Authority.NAME, trust(authority));
  }

  /** As the API server writes the ConfigMap: the kubeconfig is a JSON string. */
  private static String clusterInfo(String pem) {
    return "{\"kind\":\"ConfigMap\",\"data\":{\"kubeconfig\":\"apiVersion: v1\\nclusters:\\n"
        + "- cluster:\\n    certificate-authority-data: "
        + Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.US_ASCII))
        + "\\n    server: https://10.0.0.1:6443\\n\"}}";
  }

  private static TestServer withClusterInfo(
      HeldCertificate certificate, int status, String clusterInfo) throws Exception {
    return TestServer.tls(
        certificate,
        exchange -> {
          if (exchange.readRequest().startsWith("GET /api/v1/namespaces/kube-public/")) {
            exchange.answer(status, clusterInfo);
          } else {
            exchange.answer(200, "ok");
          }
        });
  }

  @Test
  void pinTakesTheAuthorityFromTheChain() throws Exception {
    try (TestServer server = TestServer.ready(SERVER, AUTHORITY.held())) {
      assertEquals(200, get(pinned(AUTHORITY.held()), server).status());
      assertEquals(1, server.requests.size());
    }
  }

  @Test
  void pinTakesTheAuthorityFromClusterInfoOnce() throws Exception {
    String info = clusterInfo(AUTHORITY.held().certificatePem());
    try (TestServer server = withClusterInfo(SERVER, 200, info)) {
      ApiserverClient client = pinned(AUTHORITY.held());
      assertEquals(200, get(client, server).status());
      assertEquals(200, get(client, server).status());
      assertEquals(3, server.requests.size(), "cluster-info once, and two questions");
      assertFalse(server.requests.remove().contains("Authorization"));
    }
  }

  @Test
  void pinnedClientSendsItsTokenOnlyOnceTheServerIsProved() throws Exception {
    ApiserverClient client =
        ApiserverClient.authenticated(
            Authority.NAME, trust(AUTHORITY.held()), Optional.empty(), () -> Optional.of("secret"));
    String info = clusterInfo(AUTHORITY.held().certificatePem());
    try (TestServer server = withClusterInfo(SERVER, 200, info)) {
      assertEquals(200, get(client, server).status());
      assertFalse(server.requests.remove().contains("secret"), "cluster-info is asked openly");
      assertTrue(server.requests.remove().contains("Bearer secret"));
    }
  }

  static List<Arguments> pinsThatDoNotHold() {
    HeldCertificate ours = AUTHORITY.held();
    HeldCertificate other = Authority.create("kubernetes").held();
    HeldCertificate old = AUTHORITY.validFor(-9, -5);
    String noKey = "no certificate with the pinned key";
    String expired = "certificate has expired or is not yet valid: current time ";
    String unusable = "certificate-authority-data: %%";
    String honest = clusterInfo(AUTHORITY.held().certificatePem());
    HeldCertificate otherName = AUTHORITY.certificate("else").build();
    HeldCertificate stranger = Authority.create("stranger").server();
    // An ordinary certificate does not become an authority by being pinned.
    String leaf = clusterInfo(SERVER.certificatePem());
    return List.of(
        Arguments.of("another key is pinned", other, SERVER, 200, honest, noKey),
        Arguments.of("it is no authority", SERVER, SERVER, 200, leaf, noKey),
        Arguments.of("no cluster-info", ours, SERVER, 404, "", "HTTP 404; set a CA file"),
        Arguments.of("not open to anonymous", ours, SERVER, 401, "", "HTTP 401; set a CA file"),
        Arguments.of("not base64", ours, SERVER, 200, unusable, "no certificate"),
        Arguments.of(
            "the name is another", ours, otherName, 200, honest, "certificate is valid for "),
        Arguments.of("expired", ours, old, 200, honest, expired),
        Arguments.of(
            "signed by a stranger",
            ours,
            stranger,
            200,
            honest,
            "certificate signed by unknown authority"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pinsThatDoNotHold")
  void pinDoesNotHold(
      String situation,
      HeldCertificate pinned,
      HeldCertificate serving,
      int status,
      String clusterInfo,
      String detail)
      throws Exception {
    try (TestServer server = withClusterInfo(serving, status, clusterInfo)) {
      Unreachable refusal = refusal(pinned(pinned), server);
      assertEquals(Reason.CERTIFICATE, refusal.reason(), situation);
      assertTrue(refusal.detail().contains(detail), refusal.detail());
      assertTrue(
          server.requests.stream().noneMatch(request -> request.contains("/some?path")), situation);
    }
  }

  @Test
  void hashIsTheOneOfKubeadm() throws Exception {
    // openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256
    String known = "sha256:05267c87fcb8c9790ce6461c8fb4aaa6146607d70acbce66c7694461a9e205dc";
    String pem =
        """
        -----BEGIN CERTIFICATE-----
        MIIBgDCCASWgAwIBAgIUaJM1gfiuCnWrMx0RjN+tJcp8RVQwCgYIKoZIzj0EAwIw
        FTETMBEGA1UEAwwKa3ViZXJuZXRlczAeFw0yNjExMjExNDMxMzNaFw0zNjExMTgx
        NDMxMzNaMBUxEzARBgNVBAMMCmt1YmVybmV0ZXMwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAAStmDcIjrPOdGNJ/KfEsJysRQoixcseWGHaErTrG11leGPq9MPgbv3t
        gARU9asewh0BhvlsToCFRphkW+wiW4Qbo1MwUTAdBgNVHQ4EFgQU+MrndbJAwgZX
        ZNR+VOvggHY6dyAwHwYDVR0jBBgwFoAU+MrndbJAwgZXZNR+VOvggHY6dyAwDwYD
        VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAjs54m3mbXP/p2BFPkNIK
        NI4IU4gmPv7hKuQWulfPqdACIQCkHcDqj7kGiG1F1Bbgh2o2vKikaCLiFgQLmE4g
        8V9rFA==
        -----END CERTIFICATE-----
        """;
    X509Certificate certificate = Pem.certificates(pem.getBytes(StandardCharsets.US_ASCII)).get(0);
    assertEquals(known, PublicKeyHash.of(certificate).text());
    assertEquals(
        Optional.of(PublicKeyHash.of(certificate)),
        PublicKeyHash.parse(" " + known.toUpperCase(Locale.ROOT)));
  }

  @Test
  void saysWhatIsNotAHash() {
    for (String wrong : List.of("", "sha256:", "sha256:zz", "sha1:" + "a".repeat(64))) {
      assertEquals(Optional.empty(), PublicKeyHash.parse(wrong), wrong);
    }
    GeneralSecurityException failure =
        assertThrows(
            GeneralSecurityException.class, () -> ServerTrust.pinned(List.of("one", "two")));
    assertTrue(String.valueOf(failure.getMessage()).endsWith("found \"one\", \"two\""));
    assertThrows(GeneralSecurityException.class, () -> ServerTrust.pinned(List.of()));
  }
}
