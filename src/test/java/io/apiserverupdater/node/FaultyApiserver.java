package io.apiserverupdater.node;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;

/**
 * Something on port 6443 of an address of the lab's bridge that is no good apiserver. Thread-safe;
 * closing it ends its connections and threads and gives the address back.
 */
final class FaultyApiserver implements AutoCloseable {
  /** What is wrong with it. */
  enum Fault {
    /** It accepts, and says nothing. */
    SILENT("172.30.4.1", "handshake-timeout"),
    /** It resets each connection. */
    RESET("172.30.4.2", "connection-lost"),
    /** Its certificate is of an authority that nobody trusts; it says that it is ready. */
    WRONG_CERTIFICATE("172.30.4.3", "certificate"),
    /** It is what it says, and answers 500. */
    NOT_READY("172.30.4.4", "not-ready"),
    /** It is what it says, and answers 200 after four seconds: ready, but others are faster. */
    SLOW("172.30.4.5", "ready");

    private final String address;
    private final String finding;

    Fault(String address, String finding) {
      this.address = address;
      this.finding = finding;
    }

    /** Where it listens, on the bridge. */
    String address() {
      return address;
    }

    /** How the bootstrap names it, if it waits for long enough to find out. */
    String finding() {
      return finding;
    }
  }

  private static final Duration QUICK = Duration.ofSeconds(5);
  private static final Duration SLOWNESS = Duration.ofSeconds(4);
  private static final String BRIDGE = "lab-bridge";

  private final Fault fault;
  private final ServerSocket server;
  private final SSLSocketFactory tls;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final CountDownLatch closed = new CountDownLatch(1);

  @SuppressWarnings("AddressSelection") // The address is a literal.
  private FaultyApiserver(Fault fault, SSLSocketFactory tls) throws IOException {
    this.fault = fault;
    this.tls = tls;
    this.server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(new InetSocketAddress(InetAddress.getByName(fault.address()), Lab.APISERVER_PORT));
  }

  /** Starts one, at an address that stands for the fault. */
  static FaultyApiserver start(Fault fault, HeldCertificate ca) {
    Execution.run(QUICK, "ip", "address", "replace", fault.address() + "/16", "dev", BRIDGE)
        .orThrow();
    HeldCertificate signer =
        fault == Fault.WRONG_CERTIFICATE
            ? new HeldCertificate.Builder().commonName("stranger").certificateAuthority(0).build()
            : ca;
    HeldCertificate certificate =
        new HeldCertificate.Builder()
            .commonName("faulty")
            .addSubjectAlternativeName(Lab.APISERVER_NAME)
            .signedBy(signer)
            .build();
    SSLSocketFactory tls =
        new HandshakeCertificates.Builder().heldCertificate(certificate).build().sslSocketFactory();
    try {
      FaultyApiserver started = new FaultyApiserver(fault, tls);
      started.inThread("accept", started::accept);
      return started;
    } catch (IOException e) {
      throw new LabException("cannot listen at " + fault.address(), e);
    }
  }

  private void inThread(String what, Runnable work) {
    Thread thread = new Thread(work, "faulty-" + fault + "-" + what);
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        sockets.add(socket);
        inThread("serve", () -> serve(socket));
      }
    } catch (IOException e) {
      // It was closed.
    }
  }

  private void serve(Socket socket) {
    try {
      switch (fault) {
        case SILENT -> {}
        case RESET -> {
          socket.setSoLinger(true, 0);
          socket.close();
        }
        case WRONG_CERTIFICATE -> answer(socket, "200 OK", "ok");
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
      secured
          .getOutputStream()
          .write(
              ("HTTP/1.1 "
                      + status
                      + "\r\nContent-Length: "
                      + body.length()
                      + "\r\nConnection: close\r\n\r\n"
                      + body)
                  .getBytes(StandardCharsets.US_ASCII));
    }
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
      throw new LabException("cannot close " + fault.address(), e);
    }
    Execution unusedResult =
        Execution.run(QUICK, "ip", "address", "del", fault.address() + "/16", "dev", BRIDGE);
  }
}
