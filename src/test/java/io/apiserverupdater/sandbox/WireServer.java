package io.apiserverupdater.sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLSocketFactory;

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
    PARTING
  }

  private static final byte[] READY =
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
          .getBytes(StandardCharsets.US_ASCII);
  private static final int FILL_MILLIS = 100;

  private final Wrong wrong;
  private final ServerSocket server;
  private final List<Socket> sockets = new ArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();
  private final SSLSocketFactory tls;

  /**
   * Takes the place of an apiserver that was killed.
   *
   * @throws UncheckedIOException when the address is in use
   */
  public static WireServer inPlaceOf(SandboxApiserver killed, SandboxCluster cluster, Wrong wrong) {
    return new WireServer(killed, cluster, wrong);
  }

  private WireServer(SandboxApiserver killed, SandboxCluster cluster, Wrong wrong) {
    this.wrong = wrong;
    SandboxPki pki = wrong == Wrong.STRANGER ? SandboxPki.create("stranger") : cluster.pki();
    List<String> names =
        wrong == Wrong.OTHER_NAMES ? List.of("example.org") : killed.certificateNames();
    this.tls = pki.serving(pki.server("wire", names), cluster.clientPki());
    try {
      this.server = new ServerSocket();
      server.setReuseAddress(true);
      InetSocketAddress address = new InetSocketAddress(killed.ip(), killed.port());
      server.bind(address, 1);
      if (wrong == Wrong.BLACK_HOLE) {
        fillQueue(address);
      } else {
        Thread thread = new Thread(this::accept, "sandbox-wire-" + killed.name());
        thread.setDaemon(true);
        thread.start();
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
        synchronized (sockets) {
          sockets.add(socket);
        }
        serve(socket);
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
        case STRANGER, OTHER_NAMES, PARTING -> {
          try (Socket secured = tls.createSocket(socket, "", socket.getPort(), true)) {
            ((javax.net.ssl.SSLSocket) secured).setUseClientMode(false);
            byte[] unusedRequest = secured.getInputStream().readNBytes(1);
            secured.getOutputStream().write(READY);
          }
        }
      }
    } catch (IOException e) {
      // Whoever came has gone: that is what this is for.
    }
  }

  @Override
  public void close() {
    try {
      server.close();
      synchronized (sockets) {
        for (Socket socket : sockets) {
          socket.close();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
