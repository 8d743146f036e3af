package io.apiserverupdater.apiserver.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ConnectFaultTest {
  private static final Unreachable REFUSED =
      new Unreachable(Reason.REFUSED, "connection refused: nothing listens on this port");
  private static final Unreachable SILENT =
      new Unreachable(
          Reason.CONNECT_TIMEOUT,
          "no answer to the connection attempt: host down, or packets dropped");

  static Stream<Arguments> faults() {
    return Stream.of(
        Arguments.of(new ConnectException("Connection refused"), REFUSED),
        Arguments.of(new SocketException("Connection refused"), REFUSED),
        Arguments.of(new ConnectException("Connection timed out"), SILENT),
        Arguments.of(new SocketTimeoutException("Connect timed out"), SILENT),
        Arguments.of(
            new NoRouteToHostException("No route to host"),
            new Unreachable(Reason.NO_ROUTE, "No route to host")),
        Arguments.of(
            new SocketException("Network is unreachable"),
            new Unreachable(Reason.NO_ROUTE, "Network is unreachable")));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void isToldAlikeByProbesAndCalls(IOException thrown, Unreachable told) {
    assertEquals(told, ConnectFault.of(thrown));
    assertEquals(Optional.of(told), ConnectFault.ifWhileConnecting(thrown));
  }

  static Stream<Throwable> laterFaults() {
    return Stream.of(
        new SocketException("Connection reset"),
        new SocketTimeoutException("timeout"),
        new SocketTimeoutException("Read timed out"),
        new IOException("canceled"),
        new IllegalStateException("unreachable"));
  }

  @ParameterizedTest
  @MethodSource("laterFaults")
  void whatComesLaterIsNoFaultOfConnecting(Throwable thrown) {
    assertEquals(Optional.empty(), ConnectFault.ifWhileConnecting(thrown));
  }

  @Test
  void resetWhileConnectingIsNoRefusal() {
    assertEquals(
        new Unreachable(Reason.CONNECTION_LOST, "connection lost at once: Connection reset"),
        ConnectFault.of(new SocketException("Connection reset")));
  }
}
