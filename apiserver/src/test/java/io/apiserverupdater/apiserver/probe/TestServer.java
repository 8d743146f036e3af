package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;

/** A server on a loopback address that does what a test tells it to do. */
final class TestServer implements AutoCloseable {
  static final InetAddress V4 = ip("127.0.0.1");

  static InetAddress ip(String literal) {
    return ApiserverAddress.parse(literal, 1).orElseThrow().ip();
  }

  /** What is done with one accepted connection; it is closed afterwards. */
  interface Conduct {
    void serve(Exchange exchange) throws Exception;
  }

  /** One accepted connection. */
  final class Exchange {
    final Socket socket;
    private final long acceptedAt = System.currentTimeMillis();

    Exchange(Socket socket) {
      this.socket = socket;
    }

    /** Reads the head of one request; empty at the end of the connection. */
    String readRequest() throws IOException {
      StringBuilder head = new StringBuilder();
      InputStream in = socket.getInputStream();
      while (head.indexOf("\r\n\r\n") < 0) {
        int next = in.read();
        if (next < 0) {
          return "";
        }
        head.append((char) next);
      }
      requests.add(head.toString());
      return head.toString();
    }

    void write(String text) throws IOException {
      OutputStream out = socket.getOutputStream();
      out.write(text.getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
    }

    void answer(int status, String body) throws IOException {
      write(
          "HTTP/1.1 %d Whatever\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
              .formatted(status, body.length(), body));
    }

    void finishHandshake() throws IOException {
      ((SSLSocket) socket).startHandshake();
    }

    /** Ends the connection by a reset. */
    void reset() throws IOException {
      socket.setSoLinger(true, 0);
      socket.close();
    }

    /** A byte now and then, each of them in time for a timeout that starts again with it. */
    void drip(String text) throws IOException, InterruptedException {
      for (int i = 0; i < text.length() && pause(20); i++) {
        write(text.substring(i, i + 1));
      }
    }

    /** Whether the client was shown the certificate, and did not resume an earlier session. */
    boolean isNewSession() {
      return ((SSLSocket) socket).getSession().getCreationTime() >= acceptedAt;
    }

    /** Until the test is over. */
    void hang() throws InterruptedException {
      closed.await(1, TimeUnit.MINUTES);
    }

    /** False when the test is over. */
    boolean pause(long millis) throws InterruptedException {
      return !closed.await(millis, TimeUnit.MILLISECONDS);
    }
  }

  private final ServerSocket listening;
  private final Conduct conduct;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final List<Socket> open = new CopyOnWriteArrayList<>();
  final ConcurrentLinkedQueue<String> requests = new ConcurrentLinkedQueue<>();

  private TestServer(ServerSocket listening, Conduct conduct) {
    this.listening = listening;
    this.conduct = conduct;
    start("test-server-" + listening.getLocalPort(), this::accept);
  }

  static TestServer plain(Conduct conduct) throws IOException {
    return new TestServer(new ServerSocket(0, 50, V4), conduct);
  }

  /** TLS with a certificate and those between it and the authority. */
  static TestServer tls(
      InetAddress ip,
      HandshakeCertificates.Builder trust,
      HeldCertificate certificate,
      List<HeldCertificate> between,
      Conduct conduct)
      throws IOException {
    HandshakeCertificates certificates =
        trust
            .heldCertificate(
                certificate,
                between.stream().map(HeldCertificate::certificate).toArray(X509Certificate[]::new))
            .build();
    SSLServerSocket socket =
        (SSLServerSocket)
            certificates.sslContext().getServerSocketFactory().createServerSocket(0, 50, ip);
    socket.setWantClientAuth(true);
    return new TestServer(socket, conduct);
  }

  static TestServer tls(HeldCertificate certificate, Conduct conduct) throws IOException {
    return tls(V4, new HandshakeCertificates.Builder(), certificate, List.of(), conduct);
  }

  /** TLS, and 200 with "ok" for a request on each connection. */
  static TestServer ready(HeldCertificate certificate, HeldCertificate... between)
      throws IOException {
    return ready(V4, certificate, between);
  }

  static TestServer ready(InetAddress ip, HeldCertificate certificate, HeldCertificate... between)
      throws IOException {
    return tls(
        ip,
        new HandshakeCertificates.Builder(),
        certificate,
        List.of(between),
        exchange -> {
          exchange.readRequest();
          exchange.answer(200, "ok");
        });
  }

  /** TLS, and a conduct that begins when a request has been read. */
  static TestServer asked(HeldCertificate certificate, Conduct conduct) throws IOException {
    return tls(
        certificate,
        exchange -> {
          exchange.readRequest();
          conduct.serve(exchange);
        });
  }

  ApiserverAddress address() {
    return new ApiserverAddress(listening.getInetAddress(), listening.getLocalPort());
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket socket = listening.accept();
        open.add(socket);
        start("test-connection", () -> serve(socket));
      } catch (IOException e) {
        // The end of the test, or a client that gave up before it was accepted.
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      conduct.serve(new Exchange(socket));
    } catch (Exception e) {
      // The client gave up: what it makes of it is what is tested.
    }
  }

  private static void start(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    die();
  }

  /** Ends everything as the kernel does for a process that dies. */
  void die() throws IOException {
    closed.countDown();
    listening.close();
    for (Socket socket : open) {
      socket.close();
    }
  }
}
