package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import java.io.EOFException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.security.cert.CertificateException;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLException;

/** What is said of a call that brought no answer, whichever client met that. */
public final class AnswerFault {
  private static final int MAX_WORDS_CHARS = 200;

  /** What OkHttp and the JDK say when a time of theirs is over. */
  private static final Set<String> TIMEOUTS = Set.of("timeout", "Read timed out");

  static final String CLOSED = "closed by the server";

  private AnswerFault() {}

  /** What a call was waiting for. */
  public enum Stage {
    CONNECTION,
    /** The answer of an HTTP proxy, which connects to the server before it gives one. */
    TUNNEL,
    HANDSHAKE,
    ANSWER
  }

  static Unreachable silent(Stage stage) {
    return switch (stage) {
      case CONNECTION -> ConnectFault.SILENT;
      case TUNNEL ->
          new Unreachable(
              Reason.CONNECT_TIMEOUT, "no answer in time, from it or from the server behind it");
      case HANDSHAKE ->
          new Unreachable(
              Reason.HANDSHAKE_TIMEOUT, "connected, but no answer to the TLS handshake");
      case ANSWER ->
          new Unreachable(Reason.ANSWER_TIMEOUT, "connected over TLS, but no answer in time");
    };
  }

  static Unreachable lost(Stage stage, String how) {
    String when =
        switch (stage) {
          case TUNNEL -> "before the server was reached";
          case CONNECTION, HANDSHAKE -> "in the TLS handshake";
          case ANSWER -> "before the answer was complete";
        };
    return new Unreachable(Reason.CONNECTION_LOST, "connection lost " + when + ": " + how);
  }

  static Unreachable tls(Exception thrown) {
    String message = Printable.line(String.valueOf(thrown.getMessage()), MAX_WORDS_CHARS);
    return new Unreachable(
        Reason.TLS,
        (message.contains("unrecognized SSL message") ? "the server does not speak TLS: " : "TLS: ")
            + message);
  }

  /**
   * Of an exception of a call.
   *
   * @param thrown what the JDK has thrown, or what a client has wrapped that in
   * @return empty when it is about something else, such as a certificate
   */
  public static Optional<Unreachable> of(Throwable thrown, Stage stage) {
    Optional<Unreachable> unconnected = ConnectFault.ifWhileConnecting(thrown);
    if (unconnected.isPresent()) {
      return unconnected;
    }
    // Behind it is what the client did about it.
    if (thrown instanceof InterruptedIOException
        && TIMEOUTS.contains(String.valueOf(thrown.getMessage()))) {
      return Optional.of(silent(stage));
    }
    Optional<SSLException> tls = Optional.empty();
    Throwable innermost = thrown;
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateException) {
        return Optional.empty();
      }
      if (cause instanceof SSLException ssl && tls.isEmpty()) {
        tls = Optional.of(ssl);
      }
      innermost = cause;
    }
    String message = String.valueOf(innermost.getMessage());
    if (innermost instanceof EOFException) {
      return Optional.of(lost(stage, stage == Stage.TUNNEL ? "closed by the proxy" : CLOSED));
    }
    if (innermost instanceof SocketException
        && (message.contains("reset") || message.contains("Broken pipe"))) {
      return Optional.of(lost(stage, message));
    }
    return tls.map(AnswerFault::tls);
  }
}
