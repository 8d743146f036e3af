package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.apiserver.probe.AnswerFault.Stage;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.time.Deadline;
import io.apiserverupdater.apiserver.tls.CertificateRejectedException;
import io.apiserverupdater.apiserver.tls.ClientCertificate;
import io.apiserverupdater.apiserver.tls.ClientTls;
import io.apiserverupdater.apiserver.tls.ServerTrust;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * Asks apiservers at their IP addresses over HTTPS, each under the same name: the name goes into
 * SNI and must be in the certificate, whatever address is dialled. Each connection proves again who
 * the server is; no TLS session is resumed. For use by several threads.
 *
 * <p>Sockets of our own, not java.net.http: that takes twice as long to start, and its timeout does
 * not cover an answer that stalls.
 */
public final class ApiserverClient {
  /** A longer token is not one. */
  private static final Pattern TOKEN = Pattern.compile("[!-~]{1,16384}");

  /** Twenty names of a certificate. */
  private static final int MAX_DETAIL_CHARS = 1500;

  private static final String CLUSTER_INFO =
      "/api/v1/namespaces/kube-public/configmaps/cluster-info";
  private static final int MAX_CLUSTER_INFO_BYTES = 256 * 1024;

  private final String serverName;
  private final ServerTrust trust;
  private final ClientTls tls;
  private final Supplier<Optional<String>> token;

  private ApiserverClient(
      String serverName,
      ServerTrust trust,
      Optional<ClientCertificate> certificate,
      Supplier<Optional<String>> token)
      throws GeneralSecurityException {
    this.serverName = serverName;
    this.trust = trust;
    this.tls = ClientTls.of(trust, certificate);
    this.token = token;
  }

  /**
   * A client that does not say who it is.
   *
   * @param serverName the name, or the IP literal, that certificates must be valid for
   */
  public static ApiserverClient anonymous(String serverName, ServerTrust trust)
      throws GeneralSecurityException {
    return new ApiserverClient(serverName, trust, Optional.empty(), Optional::empty);
  }

  /**
   * A client that shows credentials. There is none for a server that is not verified: who takes
   * them has proved itself first.
   *
   * @param token asked once per request; empty sends none; a text that cannot stand in a header is
   *     not sent
   * @throws GeneralSecurityException when the certificate or its key cannot be read
   */
  public static ApiserverClient authenticated(
      String serverName,
      ServerTrust.Verified trust,
      Optional<ClientCertificate> certificate,
      Supplier<Optional<String>> token)
      throws GeneralSecurityException {
    return new ApiserverClient(serverName, trust, certificate, token);
  }

  /**
   * One GET on a connection of its own.
   *
   * @param target path and query
   * @param deadline for everything together: connecting, the handshake, the answer
   * @throws UnreachableException when no complete answer came within the bounds
   */
  HttpAnswer get(ApiserverAddress address, String target, int maxBodyBytes, Duration deadline)
      throws UnreachableException {
    Deadline end = Deadline.after(deadline);
    try (Connection connection = open(address, end, 0)) {
      return connection.ask(request(address, target, "close"), maxBodyBytes);
    }
  }

  /**
   * The certificate that a server shows. Nothing is asked of it. With {@link
   * ServerTrust.Unverified} it is shown by whoever answers, valid or not.
   *
   * @param deadline for connecting and the handshake together
   */
  public X509Certificate servingCertificate(ApiserverAddress address, Duration deadline)
      throws UnreachableException {
    try (Connection connection = open(address, Deadline.after(deadline), 0)) {
      return connection.certificate();
    }
  }

  /**
   * What a server's clock shows: the second that it answers in (RFC 9110, section 6.6.1), whatever
   * it answers.
   *
   * @param deadline for connecting, the handshake and the answer together
   * @return empty when it does not tell
   */
  public Optional<Instant> date(ApiserverAddress address, Duration deadline)
      throws UnreachableException {
    String date =
        get(address, HttpsReadyzProbe.TARGET, HttpsReadyzProbe.MAX_BODY_BYTES, deadline).date();
    try {
      return Optional.of(Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(date)));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  /**
   * Opens a connection and proves who the server is. A pinned authority that the server does not
   * show is fetched as {@code kubeadm join} does: from the ConfigMap cluster-info, over a
   * connection on which nothing is believed but a certificate with the pinned key.
   *
   * @param roundTrips so many times what connecting took comes on top of the deadline
   */
  Connection open(ApiserverAddress address, Deadline deadline, int roundTrips)
      throws UnreachableException {
    try {
      return connect(address, deadline, roundTrips, tls);
    } catch (AuthorityNotShownException e) {
      if (!(trust instanceof ServerTrust.PinnedAuthorities pins)) {
        throw e;
      }
      learnAuthority(pins, address, deadline, e);
      return connect(address, deadline, roundTrips, tls);
    }
  }

  private void learnAuthority(
      ServerTrust.PinnedAuthorities pins,
      ApiserverAddress address,
      Deadline deadline,
      UnreachableException why)
      throws UnreachableException {
    HttpAnswer answer;
    try (Connection connection = connect(address, deadline, 0, ClientTls.unverified())) {
      answer =
          connection.ask(
              request(address, CLUSTER_INFO, "close", Optional.empty()), MAX_CLUSTER_INFO_BYTES);
    } catch (GeneralSecurityException e) {
      throw new UnreachableException(Reason.TLS, String.valueOf(e.getMessage()));
    }
    if (!pins.learn(answer.body())) {
      String found =
          answer.status() == 200
              ? "the ConfigMap kube-public/cluster-info has no certificate with the pinned key"
              : "the ConfigMap kube-public/cluster-info cannot be read: HTTP " + answer.status();
      throw new UnreachableException(
          Reason.CERTIFICATE, why.result().detail() + ", and " + found + "; set a CA file");
    }
  }

  /** The server's certificate is not refused yet: its authority is pinned and not known. */
  private static final class AuthorityNotShownException extends UnreachableException {
    AuthorityNotShownException(String detail) {
      super(Reason.CERTIFICATE, detail);
    }
  }

  private Connection connect(
      ApiserverAddress address, Deadline deadline, int roundTrips, ClientTls clientTls)
      throws UnreachableException {
    TimedSocket socket = dial(address, deadline);
    socket.extendTo(deadline.plus(socket.roundTrip().multipliedBy(roundTrips)));
    boolean opened = false;
    try {
      // The port is part of the name of a cached session, and nothing more.
      SSLSocket secured =
          (SSLSocket)
              clientTls.newSocketFactory().createSocket(socket, serverName, address.port(), false);
      secured.startHandshake();
      Connection connection = new Connection(socket, secured);
      opened = true;
      return connection;
    } catch (IOException | GeneralSecurityException e) {
      CertificateRejectedException rejected = causeOf(e, CertificateRejectedException.class);
      if (rejected != null) {
        String detail = Printable.line(rejected.detail(), MAX_DETAIL_CHARS);
        throw rejected.authorityNotShown()
            ? new AuthorityNotShownException(detail)
            : new UnreachableException(Reason.CERTIFICATE, detail);
      }
      throw handshakeFailure(socket, e);
    } finally {
      if (!opened) {
        Connection.closeQuietly(socket);
      }
    }
  }

  private static UnreachableException handshakeFailure(TimedSocket socket, Exception e) {
    CertificateException certificate = causeOf(e, CertificateException.class);
    if (certificate != null) {
      return new UnreachableException(
          Reason.CERTIFICATE, Printable.line(String.valueOf(certificate.getMessage()), 300));
    }
    if (socket.timedOut()) {
      return timeout(socket, Stage.HANDSHAKE);
    }
    return new UnreachableException(
        socket.lost(e) ? AnswerFault.lost(Stage.HANDSHAKE, socket.howLost()) : AnswerFault.tls(e));
  }

  private static UnreachableException timeout(TimedSocket socket, Stage stage) {
    ProbeResult.Unreachable silent = AnswerFault.silent(stage);
    return new UnreachableException(
        new ProbeResult.Unreachable(silent.reason(), silent.detail(), socket.heldUp()));
  }

  private static TimedSocket dial(ApiserverAddress address, Deadline deadline)
      throws UnreachableException {
    TimedSocket socket = null;
    try {
      socket = TimedSocket.open(deadline);
      socket.connect(address.socketAddress());
      return socket;
    } catch (IOException e) {
      if (socket != null) {
        Connection.closeQuietly(socket);
      }
      ProbeResult.Unreachable fault = ConnectFault.of(e);
      throw new UnreachableException(
          new ProbeResult.Unreachable(
              fault.reason(),
              fault.detail(),
              fault.reason() == Reason.CONNECT_TIMEOUT && socket != null && socket.heldUp()));
    }
  }

  /** The bytes of a GET with the credentials of this moment. */
  byte[] request(ApiserverAddress address, String target, String connection) {
    return request(
        address, target, connection, token.get().filter(it -> TOKEN.matcher(it).matches()));
  }

  private byte[] request(
      ApiserverAddress address, String target, String connection, Optional<String> bearer) {
    StringBuilder text = new StringBuilder(256);
    text.append("GET ").append(target).append(" HTTP/1.1\r\nHost: ");
    text.append(ApiserverAddress.text(serverName, address.port()));
    text.append("\r\nUser-Agent: apiserver-probe\r\nConnection: ").append(connection);
    if (bearer.isPresent()) {
      text.append("\r\nAuthorization: Bearer ").append(bearer.get());
    }
    return text.append("\r\n\r\n").toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static <T extends Throwable> @Nullable T causeOf(Throwable thrown, Class<T> kind) {
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (kind.isInstance(t)) {
        return kind.cast(t);
      }
    }
    return null;
  }

  /** A connection to a server that has proved who it is, for one request after the other. */
  static final class Connection implements AutoCloseable {
    private final TimedSocket socket;
    private final SSLSocket secured;
    private final HttpAnswerReader answers;
    private final OutputStream out;

    Connection(TimedSocket socket, SSLSocket secured) throws IOException {
      this.socket = socket;
      this.secured = secured;
      this.answers = new HttpAnswerReader(secured.getInputStream());
      this.out = secured.getOutputStream();
    }

    HttpAnswer ask(byte[] request, int maxBodyBytes) throws UnreachableException {
      try {
        out.write(request);
        out.flush();
        return answers.read(maxBodyBytes);
      } catch (IOException e) {
        throw failure(e);
      }
    }

    /** How long connecting took, TLS apart. */
    Duration roundTrip() {
      return socket.roundTrip();
    }

    /** From now on this is the deadline of whatever is done with it. */
    void extendTo(Deadline deadline) {
      socket.extendTo(deadline);
    }

    /** Whether the last answer was followed by something that nobody has asked for. */
    boolean isAhead() throws UnreachableException {
      try {
        return !answers.isDrained();
      } catch (IOException e) {
        throw failure(e);
      }
    }

    /**
     * Waits for the end of the connection. What the server says unasked is that as well: a farewell
     * of TLS, or an answer to nobody.
     *
     * @return false when the deadline came first; after true it must be closed
     * @throws UnreachableException how it was lost, if it broke
     */
    boolean awaitEnd() throws UnreachableException {
      try {
        return socket.awaitInput();
      } catch (IOException e) {
        throw failure(e);
      }
    }

    X509Certificate certificate() throws UnreachableException {
      try {
        return (X509Certificate) secured.getSession().getPeerCertificates()[0];
      } catch (SSLPeerUnverifiedException e) {
        throw new UnreachableException(Reason.TLS, "the server presented no certificate");
      }
    }

    UnreachableException failure(IOException e) {
      if (e instanceof HttpAnswerReader.MalformedAnswerException) {
        return new UnreachableException(Reason.MALFORMED_ANSWER, String.valueOf(e.getMessage()));
      }
      if (socket.timedOut()) {
        return timeout(socket, Stage.ANSWER);
      }
      if (socket.lost(e)) {
        return new UnreachableException(AnswerFault.lost(Stage.ANSWER, socket.howLost()));
      }
      if (e instanceof EOFException) {
        return new UnreachableException(AnswerFault.lost(Stage.ANSWER, AnswerFault.CLOSED));
      }
      return new UnreachableException(AnswerFault.tls(e));
    }

    /**
     * Closes the TCP connection under TLS. A parting word of TLS would have to be written to, and
     * its answer read from, a peer that may be gone.
     */
    @Override
    public void close() {
      closeQuietly(socket);
    }

    private static void closeQuietly(TimedSocket socket) {
      try {
        socket.close();
      } catch (IOException e) {
        // It is given up anyway, and the file descriptor is free.
      }
    }
  }
}
