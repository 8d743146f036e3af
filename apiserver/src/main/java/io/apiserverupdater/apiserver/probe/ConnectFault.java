package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.printing.Printable;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.Optional;

/**
 * What is said of a connection that could not be made, whichever client met that. The JDK has a
 * class of exception for some of the kernel's answers, and words for the rest.
 */
public final class ConnectFault {
  private static final int MAX_WORDS_CHARS = 200;

  /** In words only where it is a SOCKS proxy that refused. */
  private static final String REFUSED = "Connection refused";

  static final Unreachable SILENT =
      new Unreachable(
          Reason.CONNECT_TIMEOUT,
          "no answer to the connection attempt: host down, or packets dropped");

  private ConnectFault() {}

  /** Of an exception that was thrown while connecting. */
  public static Unreachable of(IOException thrown) {
    String message = String.valueOf(thrown.getMessage());
    if (thrown instanceof SocketTimeoutException || message.contains("timed out")) {
      return SILENT;
    }
    if (thrown instanceof ConnectException || message.startsWith(REFUSED)) {
      return new Unreachable(Reason.REFUSED, "connection refused: nothing listens on this port");
    }
    if (thrown instanceof SocketException && message.contains("reset")) {
      return new Unreachable(Reason.CONNECTION_LOST, "connection lost at once: " + message);
    }
    return new Unreachable(Reason.NO_ROUTE, Printable.line(message, MAX_WORDS_CHARS));
  }

  /**
   * Of an exception of a call, which may have come further.
   *
   * @param failure what the JDK has thrown, or what a client has wrapped that in
   * @return empty when there was a connection
   */
  public static Optional<Unreachable> ifWhileConnecting(Throwable failure) {
    Throwable innermost = failure;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      innermost = cause;
    }
    String message = String.valueOf(innermost.getMessage());
    boolean connecting =
        innermost instanceof ConnectException
            || innermost instanceof NoRouteToHostException
            || (innermost instanceof SocketException
                && (message.contains("unreachable") || message.startsWith(REFUSED)))
            || (innermost instanceof SocketTimeoutException
                && message.startsWith("Connect timed out"));
    return connecting && innermost instanceof IOException thrown
        ? Optional.of(of(thrown))
        : Optional.empty();
  }
}
