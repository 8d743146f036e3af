package io.apiserverupdater.updater.kube.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.kubeconfig.ProxyServer;
import io.apiserverupdater.apiserver.probe.ApiserverClient;
import io.apiserverupdater.apiserver.probe.HttpsReadyzProbe;
import io.apiserverupdater.apiserver.tls.ClientTls;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import io.apiserverupdater.updater.kube.access.ClusterAccess;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import javax.net.ServerSocketFactory;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A fault has one wording, whether a probe meets it, a call, or a watch that is opened. */
@Timeout(60)
class FaultWordsTest {
  /** Longer than a handshake on a busy machine, if no class is to be loaded for it. */
  private static final Duration AMPLE = Duration.ofSeconds(1);

  private static final Duration SHORT = Duration.ofMillis(200);

  private static final HeldCertificate CERTIFICATE =
      new HeldCertificate.Builder()
          .addSubjectAlternativeName(ClusterAccess.MEMBER_TLS_NAME)
          .build();
  private static final ServerSocketFactory PLAIN = ServerSocketFactory.getDefault();
  private static final ServerSocketFactory TLS =
      new HandshakeCertificates.Builder()
          .heldCertificate(CERTIFICATE)
          .build()
          .sslContext()
          .getServerSocketFactory();

  private final ScheduledExecutorService deadlines = Executors.newScheduledThreadPool(1);
  private final CountDownLatch end = new CountDownLatch(1);

  /** What a server does with a connection. */
  private interface Conduct {
    void serve(Socket socket, CountDownLatch end) throws IOException, InterruptedException;
  }

  private static void read(Socket socket) throws IOException {
    int unusedCount = socket.getInputStream().read(new byte[8192]);
  }

  private static final Conduct SILENT = (socket, end) -> end.await();
  private static final Conduct SILENT_AFTER_TLS =
      (socket, end) -> {
        read(socket);
        end.await();
      };
  private static final Conduct ENDS = (socket, end) -> read(socket);
  private static final Conduct RESETS =
      (socket, end) -> {
        read(socket);
        socket.setSoLinger(true, 0);
      };
  private static final Conduct SPEAKS_PLAIN_TEXT =
      (socket, end) -> {
        read(socket);
        socket
            .getOutputStream()
            .write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        end.await();
      };

  static List<Arguments> faults() {
    String handshake = "connection lost in the TLS handshake: ";
    return List.of(
        Arguments.of("connected, but no answer to the TLS handshake", PLAIN, SILENT, SHORT),
        Arguments.of(handshake + "closed by the server", PLAIN, ENDS, AMPLE),
        Arguments.of(handshake + "Connection reset", PLAIN, RESETS, AMPLE),
        Arguments.of(
            "the server does not speak TLS: Unsupported or unrecognized SSL message",
            PLAIN,
            SPEAKS_PLAIN_TEXT,
            AMPLE),
        Arguments.of("connected over TLS, but no answer in time", TLS, SILENT_AFTER_TLS, AMPLE),
        Arguments.of(
            "connection lost before the answer was complete: closed by the server",
            TLS,
            ENDS,
            AMPLE));
  }

  @AfterEach
  void stop() {
    end.countDown();
    deadlines.shutdownNow();
  }

  private ServerSocket server(ServerSocketFactory kind, Conduct conduct) throws IOException {
    ServerSocket server =
        kind.createServerSocket(0, 5, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
    Thread thread =
        new Thread(
            () -> {
              while (!server.isClosed()) {
                try {
                  Socket socket = server.accept();
                  start(() -> serve(socket, conduct));
                } catch (IOException e) {
                  // The end of the test.
                }
              }
            },
            "server");
    thread.setDaemon(true);
    thread.start();
    return server;
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "connection");
    thread.setDaemon(true);
    thread.start();
  }

  private void serve(Socket socket, Conduct conduct) {
    try (socket) {
      conduct.serve(socket, end);
    } catch (IOException | InterruptedException e) {
      // The client has given up.
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void isToldAlikeByProbesAndCalls(
      String words, ServerSocketFactory kind, Conduct conduct, Duration deadline) throws Exception {
    ServerTrust.Verified trust =
        ServerTrust.authorities(CERTIFICATE.certificatePem().getBytes(StandardCharsets.US_ASCII));
    HttpsReadyzProbe probe =
        new HttpsReadyzProbe(ApiserverClient.anonymous(ClusterAccess.MEMBER_TLS_NAME, trust));
    ApiCall call = ApiCall.get("/api");
    try (Transport transport =
        new Transport(ClientTls.of(trust, Optional.empty()), ProxyServer.NONE, "t", deadlines)) {
      try (ServerSocket warm = server(TLS, ENDS)) {
        Object unusedResult = probe.probe(address(warm), Duration.ofSeconds(20));
        assertThrows(
            IOException.class,
            () -> transport.exchange(member(warm), call, Optional.empty(), Duration.ofSeconds(20)));
      }
      try (ServerSocket server = server(kind, conduct)) {
        assertEquals(words, probe.probe(address(server), deadline).describe());
        IOException refused =
            assertThrows(
                IOException.class,
                () -> transport.exchange(member(server), call, Optional.empty(), deadline));
        assertEquals(words, ApiClient.reason(refused));
        IOException unopened =
            assertThrows(
                IOException.class,
                () -> transport.open(member(server), call, Optional.empty(), deadline, deadline));
        assertEquals(words, ApiClient.reason(unopened));
      }
    }
  }

  private static ApiserverAddress address(ServerSocket server) {
    return new ApiserverAddress(server.getInetAddress(), server.getLocalPort());
  }

  private static ServerAddress member(ServerSocket server) {
    return ServerAddress.member("127.0.0.1", server.getLocalPort());
  }
}
