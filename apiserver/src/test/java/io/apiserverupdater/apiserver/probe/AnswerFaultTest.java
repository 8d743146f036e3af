package io.apiserverupdater.apiserver.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.apiserver.probe.AnswerFault.Stage;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.security.cert.CertificateException;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AnswerFaultTest {
  private static Throwable because(Throwable thrown, Throwable cause) {
    return thrown.initCause(cause);
  }

  static List<Arguments> faults() {
    String handshake = "connection lost in the TLS handshake: ";
    String answer = "connection lost before the answer was complete: ";
    Throwable cancelled = because(new InterruptedIOException("timeout"), new IOException("x"));
    return List.of(
        row(cancelled, Stage.CONNECTION, Reason.CONNECT_TIMEOUT, ConnectFault.SILENT.detail()),
        row(
            cancelled,
            Stage.HANDSHAKE,
            Reason.HANDSHAKE_TIMEOUT,
            "connected, but no answer to the TLS handshake"),
        row(
            new SocketTimeoutException("Read timed out"),
            Stage.ANSWER,
            Reason.ANSWER_TIMEOUT,
            "connected over TLS, but no answer in time"),
        row(
            because(
                new SSLHandshakeException("Remote host terminated the handshake"),
                new EOFException("SSL peer shut down incorrectly")),
            Stage.HANDSHAKE,
            Reason.CONNECTION_LOST,
            handshake + "closed by the server"),
        row(
            because(new IOException("unexpected end of stream"), new EOFException()),
            Stage.ANSWER,
            Reason.CONNECTION_LOST,
            answer + "closed by the server"),
        row(
            new SocketException("Connection reset"),
            Stage.ANSWER,
            Reason.CONNECTION_LOST,
            answer + "Connection reset"),
        row(
            new SSLException("Unsupported or unrecognized SSL message"),
            Stage.HANDSHAKE,
            Reason.TLS,
            "the server does not speak TLS: Unsupported or unrecognized SSL message"),
        row(
            new SSLHandshakeException("Received fatal alert: protocol_version"),
            Stage.HANDSHAKE,
            Reason.TLS,
            "TLS: Received fatal alert: protocol_version"),
        row(
            new ConnectException("Connection refused"),
            Stage.CONNECTION,
            Reason.REFUSED,
            "connection refused: nothing listens on this port"));
  }

  private static Arguments row(Throwable thrown, Stage stage, Reason reason, String words) {
    return Arguments.of(thrown, stage, new Unreachable(reason, words));
  }

  @ParameterizedTest
  @MethodSource
  void faults(Throwable thrown, Stage stage, Unreachable told) {
    assertEquals(Optional.of(told), AnswerFault.of(thrown, stage));
  }

  @Test
  void certificatesAndOtherThingsAreToldElsewhere() {
    for (Throwable thrown :
        List.of(
            because(new SSLHandshakeException("x"), new CertificateException("expired")),
            new IOException("canceled"),
            new InterruptedIOException("interrupted"),
            new IOException("the answer is longer than 5 bytes"))) {
      assertEquals(Optional.empty(), AnswerFault.of(thrown, Stage.ANSWER));
    }
  }
}
