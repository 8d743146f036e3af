package io.apiserverupdater.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;

/**
 * Something in an apiserver's place that goes wrong below HTTP. Thread-safe; closing it ends its
 * connections and threads.
 */
public final class WireServer implements AutoCloseable {
  /** What is wrong with it. */
  public enum Wrong {
    /** No answer to a SYN, as from a host that is down. */
    BLACK_HOLE,
    /** The connection is accepted, and nothing comes. */
    SILENT,
    /** Each connection is reset. */
    RESET,
    /** It does not speak TLS. */
    PLAIN_TEXT,
    /** Its certificate is signed by an authority that nobody trusts; it says that it is ready. */
    STRANGER,
    /** Its certificate is for other names; it says that it is ready. */
    OTHER_NAMES,
    /** It says that it is ready, and ends the connection. */
    PARTING,
    /** The same after four seconds: it is ready, but others are faster. */
    SLOW,
    /** It answers 500. */
    NOT_READY
  }

  private static final Duration SLOWNESS = Duration.ofSeconds(4);
  private static final int FILL_MILLIS = 100;

  private final Wrong wrong;
  private final ServerSocket server;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final AtomicInteger connections = new AtomicInteger();
  private final SSLSocketFactory tls;

  /** Takes the place of an apiserver that was killed, unless its address is in use. */
  public static WireServer inPlaceOf(SandboxApiserver killed, SandboxCluster cluster, Wrong wrong) {
    SandboxPki pki = wrong == Wrong.STRANGER ? SandboxPki.create("stranger") : cluster.pki();
    List<String> names =
        wrong == Wrong.OTHER_NAMES ? List.of("example.org") : killed.certificateNames();
    return new WireServer(
        killed.name(),
        new InetSocketAddress(killed.ip(), killed.port()),
        pki.serving(pki.server("wire", names), cluster.clientPki()),
        wrong);
  }

  /** At any address, with any certificate. */
  public static WireServer at(InetSocketAddress address, HeldCertificate certificate, Wrong wrong) {
    HandshakeCertificates tls =
        new HandshakeCertificates.Builder().heldCertificate(certificate).build();
    return new WireServer(wrong.toString(), address, tls.sslSocketFactory(), wrong);
  }

  private WireServer(String name, InetSocketAddress address, SSLSocketFactory tls, Wrong wrong) {
    this.wrong = wrong;
    this.tls = tls;
    try {
      this.server = new ServerSocket();
      server.setReuseAddress(true);
      server.bind(address, wrong == Wrong.BLACK_HOLE ? 1 : 50);
      if (wrong == Wrong.BLACK_HOLE) {
        fillQueue(address);
      } else {
        inThread("sandbox-wire-" + name, this::accept);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How many connections it has accepted. */
  public int connections() {
    return connections.get();
  }

  /** When its queue of connections to accept is full, the kernel drops further packets. */
  private void fillQueue(InetSocketAddress address) throws IOException {
    while (true) {
      Socket filler = new Socket();
      sockets.add(filler);
      try {
        filler.connect(address, FILL_MILLIS);
      } catch (SocketTimeoutException e) {
        return;
      }
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        connections.incrementAndGet();
        sockets.add(socket);
        inThread("sandbox-wire-serve", () -> serve(socket));
      }
    } catch (IOException e) {
      // It was closed.
    }
  }

  private void serve(Socket socket) {
    try {
      switch (wrong) {
        case BLACK_HOLE, SILENT -> {}
        case RESET -> {
          socket.setSoLinger(true, 0);
          socket.close();
        }
        case PLAIN_TEXT -> {
          socket
              .getOutputStream()
              .write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
          socket.close();
        }
        case STRANGER, OTHER_NAMES, PARTING -> answer(socket, "200 OK", "ok");
        case NOT_READY -> answer(socket, "500 Internal Server Error", "[-]etcd failed");
        case SLOW -> {
          if (!closed.await(SLOWNESS.toMillis(), TimeUnit.MILLISECONDS)) {
            answer(socket, "200 OK", "ok");
          }
        }
      }
    } catch (IOException e) {
      // Whoever came has gone: that is what this is for.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void answer(Socket socket, String status, String body) throws IOException {
    try (SSLSocket secured = (SSLSocket) tls.createSocket(socket, "", socket.getPort(), true)) {
      secured.setUseClientMode(false);
      byte[] unusedRequest = secured.getInputStream().readNBytes(1);
      String answer =
          "HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
              .formatted(status, body.length(), body);
      secured.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
    }
  }

  private static void inThread(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      server.close();
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
