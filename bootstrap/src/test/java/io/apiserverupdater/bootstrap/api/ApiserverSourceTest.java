package io.apiserverupdater.bootstrap.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.api.SourceAnswer.Failed;
import io.apiserverupdater.bootstrap.api.SourceAnswer.Members;
import io.apiserverupdater.bootstrap.api.SourceAnswer.Reason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Over real TLS, against a server that says what a test wants. */
@Timeout(30)
class ApiserverSourceTest {
  private static final Duration LONG = Duration.ofSeconds(10);
  private static final HeldCertificate CA =
      new HeldCertificate.Builder().commonName("ca").certificateAuthority(1).build();
  private static final HeldCertificate SERVER =
      new HeldCertificate.Builder()
          .commonName("cp1")
          .addSubjectAlternativeName("127.0.0.1")
          .signedBy(CA)
          .build();
  private static final HeldCertificate NODE =
      new HeldCertificate.Builder()
          .commonName("system:node:w1")
          .duration(1, TimeUnit.HOURS)
          .signedBy(CA)
          .build();
  private static final HeldCertificate RSA_NODE =
      new HeldCertificate.Builder().commonName("system:node:w2").rsa2048().signedBy(CA).build();

  @TempDir Path folder;
  private HttpsServer server;
  private int status = 200;
  private String body = SourceSlicesTest.SLICE;
  private final List<String> asked = new CopyOnWriteArrayList<>();

  /** Of IPv4, as in the certificate and in the kubeconfig, whatever this machine prefers. */
  private static InetAddress loopback() throws IOException {
    return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
  }

  @BeforeEach
  void start() throws IOException {
    listenOn(loopback(), SERVER);
  }

  private void listenOn(InetAddress address, HeldCertificate certificate) throws IOException {
    HandshakeCertificates tls =
        new HandshakeCertificates.Builder()
            .heldCertificate(certificate)
            .addTrustedCertificate(CA.certificate())
            .build();
    server = HttpsServer.create(new InetSocketAddress(address, 0), 0);
    server.setHttpsConfigurator(
        new HttpsConfigurator(tls.sslContext()) {
          @Override
          public void configure(HttpsParameters parameters) {
            parameters.setWantClientAuth(true);
          }
        });
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String peer;
    try {
      peer = ((HttpsExchange) exchange).getSSLSession().getPeerPrincipal().getName();
    } catch (SSLPeerUnverifiedException e) {
      peer = "-";
    }
    String token = exchange.getRequestHeaders().getFirst("Authorization");
    asked.add(
        exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + peer + " " + token);
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private Path kubeconfig(String host, int port, String user) throws IOException {
    Files.writeString(folder.resolve("ca.crt"), CA.certificatePem());
    return Files.writeString(
        folder.resolve("kubelet.conf"),
        """
        current-context: x
        contexts: [{name: x, context: {cluster: c, user: u}}]
        clusters:
        - {name: c, cluster: {certificate-authority: ca.crt, server: 'https://%s:%d'}}
        users: [{name: u, user: {%s}}]
        """
            .formatted(host, port, user));
  }

  private String certificate(String pem) throws IOException {
    Files.writeString(folder.resolve("current.pem"), pem);
    return "client-certificate: current.pem, client-key: current.pem";
  }

  private SourceAnswer ask(String host, int port, String user) throws IOException {
    return ApiserverSource.of(kubeconfig(host, port, user)).read(LONG);
  }

  private SourceAnswer ask(String user) throws IOException {
    return ask("127.0.0.1", server.getAddress().getPort(), user);
  }

  /** The message of a failure. */
  private static String failed(Reason reason, SourceAnswer answer) {
    Failed failed = assertInstanceOf(Failed.class, answer);
    assertEquals(reason, failed.reason(), failed.message());
    return failed.message();
  }

  private void assertAskedOnceBy(String peerAndToken) {
    assertEquals(List.of("GET " + ApiserverSource.SLICE + " " + peerAndToken), asked);
  }

  @Test
  void asksForTheOneSliceWithTheKubeletsCertificate() throws IOException {
    SourceAnswer answer = ask(certificate(NODE.privateKeyPkcs8Pem() + NODE.certificatePem()));
    Members members = assertInstanceOf(Members.class, answer);
    assertEquals(
        "[172.30.1.1:6443, 172.30.1.2:6443, 172.30.1.3:6443]", members.addresses().toString());
    assertAskedOnceBy("CN=system:node:w1 null");
  }

  @Test
  void asksWithAnRsaCertificate() throws IOException {
    assertInstanceOf(
        Members.class, ask(certificate(RSA_NODE.certificatePem() + RSA_NODE.privateKeyPkcs1Pem())));
    assertAskedOnceBy("CN=system:node:w2 null");
  }

  @Test
  void asksWithAToken() throws IOException {
    assertInstanceOf(Members.class, ask("token: abc.def"));
    assertAskedOnceBy("- Bearer abc.def");
  }

  static List<Arguments> answersThatAreNoMembers() {
    String empty = SourceSlicesTest.SLICE.replace("\"endpoints\"", "\"others\"");
    String forbidden =
        "{\"kind\": \"Status\", \"message\": \"User \\\"system:node:w1\\\" cannot get\\u001b\"}";
    String stranger =
        SourceSlicesTest.SLICE.replace("service-name\": \"kubernetes", "service-name\": \"dns");
    return List.of(
        Arguments.of(200, stranger, Reason.NOT_FOUND, "label of another Service"),
        Arguments.of(401, "", Reason.UNAUTHENTICATED, "does not accept the credentials"),
        Arguments.of(
            403, forbidden, Reason.FORBIDDEN, "User \"system:node:w1\" cannot get\\u001b)"),
        Arguments.of(403, "<html>", Reason.FORBIDDEN, "kubectl create role apiserver-bootstrap"),
        Arguments.of(404, "", Reason.NOT_FOUND, "--endpoint-reconciler-type=none"),
        Arguments.of(503, "", Reason.STATUS, "answered 503"),
        Arguments.of(302, "", Reason.STATUS, "answered 302"),
        Arguments.of(200, "", Reason.MALFORMED, "did not answer with an EndpointSlice"),
        Arguments.of(200, "<html>", Reason.MALFORMED, "did not answer with JSON"),
        Arguments.of(200, forbidden, Reason.MALFORMED, "did not answer with an EndpointSlice"),
        Arguments.of(200, " ".repeat(600_000), Reason.MALFORMED, "more than 524288 bytes"),
        Arguments.of(200, empty, Reason.EMPTY, "it is ignored"));
  }

  @ParameterizedTest(name = "{0} {2}")
  @MethodSource
  void answersThatAreNoMembers(int status, String body, Reason reason, String message)
      throws IOException {
    this.status = status;
    this.body = body;
    String found = failed(reason, ask("token: abc"));
    assertTrue(found.contains(message), found);
    assertTrue(found.contains("https://127.0.0.1:"), found);
  }

  @Test
  void saysWhenTheCertificateHasEnded() throws IOException {
    status = 401;
    body = "";
    Path file =
        kubeconfig(
            "127.0.0.1",
            server.getAddress().getPort(),
            certificate(NODE.certificatePem() + NODE.privateKeyPkcs8Pem()));
    Instant end = NODE.certificate().getNotAfter().toInstant();
    String before = failed(Reason.UNAUTHENTICATED, readAt(end, file));
    String after = failed(Reason.UNAUTHENTICATED, readAt(end.plusSeconds(1), file));
    assertTrue(after.contains("its client certificate expired at " + end), after);
    assertTrue(!before.contains("ended"), before);
  }

  private static SourceAnswer readAt(Instant now, Path kubeconfig) {
    return new ApiserverSource(kubeconfig, () -> now).read(LONG);
  }

  @Test
  void showsItsCredentialToNobodyButTheServer() throws IOException {
    HeldCertificate stranger =
        new HeldCertificate.Builder().addSubjectAlternativeName("127.0.0.1").build();
    server.stop(0);
    listenOn(loopback(), stranger);
    String failed = failed(Reason.CERTIFICATE, ask("token: abc"));
    assertTrue(failed.contains("check certificate-authority"), failed);
    assertEquals(List.of(), asked);
  }

  @Test
  void serverMustHaveTheNameOfTheKubeconfig() throws IOException {
    server.stop(0);
    listenOn(InetAddress.getByName("localhost"), SERVER);
    int port = server.getAddress().getPort();
    failed(Reason.CERTIFICATE, ask("localhost", port, "token: abc"));
    assertEquals(List.of(), asked);
  }

  @Test
  void saysWhyNobodyWasReached() throws IOException {
    int port = server.getAddress().getPort();
    server.stop(0);
    String refused = failed(Reason.UNREACHABLE, ask("127.0.0.1", port, "token: abc"));
    assertTrue(refused.endsWith("connection refused: nothing listens on this port"), refused);
  }

  /** The name leads to a cluster IP that does not work, or nowhere; the repair must not need it. */
  @Test
  void asksTheControlPlanesThemselvesWhenNobodyIsAtTheServer() throws IOException {
    ApiserverAddress there = new ApiserverAddress(loopback(), server.getAddress().getPort());
    ApiserverAddress dead = new ApiserverAddress(loopback(), 1);
    for (String host : List.of("127.0.0.1", "apiserver.invalid")) {
      ApiserverSource source = ApiserverSource.of(kubeconfig(host, 1, "token: abc"));
      assertInstanceOf(Failed.class, source.read(LONG));
      assertInstanceOf(Members.class, source.orAt("127.0.0.1", List.of(dead, there)).read(LONG));
    }
    assertEquals(2, asked.size());
  }

  @Test
  void givesNoCredentialToAControlPlaneOfAnotherName() throws IOException {
    ApiserverAddress there = new ApiserverAddress(loopback(), server.getAddress().getPort());
    ApiserverSource source = ApiserverSource.of(kubeconfig("127.0.0.1", 1, "token: abc"));
    String refused =
        failed(Reason.UNREACHABLE, source.orAt("other.local", List.of(there)).read(LONG));
    assertTrue(refused.contains("127.0.0.1:1"), refused);
    assertEquals(List.of(), asked);
  }

  @Test
  void saysThatANameIsUnknown() throws IOException {
    String unknown = failed(Reason.UNREACHABLE, ask("apiserver.invalid", 6443, "token: abc"));
    assertTrue(unknown.contains("check /etc/hosts"), unknown);
  }

  @Test
  void neverWaitsLongerThanTheDeadline() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 5, loopback())) {
      Path file = kubeconfig("127.0.0.1", silent.getLocalPort(), "token: abc");
      long begin = System.nanoTime();
      failed(Reason.UNREACHABLE, ApiserverSource.of(file).read(Duration.ofMillis(300)));
      long millis = Duration.ofNanos(System.nanoTime() - begin).toMillis();
      assertTrue(millis >= 300 && millis < 5_000, millis + " ms");
    }
  }

  @Test
  void saysWhatIsWrongWithTheKubeconfig() throws IOException {
    Path nowhere = folder.resolve("nowhere");
    String missing = failed(Reason.KUBECONFIG, ApiserverSource.of(nowhere).read(LONG));
    assertEquals("no such file: " + nowhere, missing);
    String key = failed(Reason.KUBECONFIG, ask(certificate(NODE.certificatePem())));
    assertTrue(key.contains("kubelet.conf: client key: no PRIVATE KEY"), key);
  }
}
