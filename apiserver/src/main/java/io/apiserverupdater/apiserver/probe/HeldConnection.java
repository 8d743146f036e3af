package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverClient.Connection;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import io.apiserverupdater.apiserver.time.Deadline;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * One open TLS connection to an apiserver. /readyz is asked on it again and again, which costs
 * neither side another handshake; and whoever watches it between two questions learns within a
 * millisecond that the process at the other side has died, because its kernel ends the connection.
 *
 * <p>A timeout is for a server nearby. Twice the round trip to it comes on top of each: as much as
 * a handshake takes before the server does anything, and as much as it takes longer to send a lost
 * packet again. The round trip is the shortest time that connecting or an answer took.
 *
 * <p>Asked and watched by one thread; closed by any.
 */
public final class HeldConnection implements AutoCloseable {
  private static final int ROUND_TRIPS = 2;

  private final ApiserverClient client;
  private final ApiserverAddress address;
  private final Connection connection;
  private final Instant certificateEnd;
  private final long openedNanos = System.nanoTime();
  private final Object lock = new Object();

  // Of the asking thread only.
  private Duration roundTrip;

  /** How it ended. Guarded by the lock. */
  private Optional<Unreachable> end = Optional.empty();

  private HeldConnection(
      ApiserverClient client,
      ApiserverAddress address,
      Connection connection,
      Instant certificateEnd) {
    this.client = client;
    this.address = address;
    this.connection = connection;
    this.certificateEnd = certificateEnd;
    this.roundTrip = connection.roundTrip();
  }

  static HeldConnection open(ApiserverClient client, ApiserverAddress address, Duration deadline)
      throws UnreachableException {
    Connection opened = client.open(address, Deadline.after(deadline), ROUND_TRIPS);
    try {
      Instant end = opened.certificate().getNotAfter().toInstant();
      return new HeldConnection(client, address, opened, end);
    } catch (UnreachableException e) {
      opened.close();
      throw e;
    }
  }

  /** Whether it can still be asked, as far as is known. */
  public boolean isOpen() {
    return end().isEmpty();
  }

  /** Until when the certificate is valid that the server showed when this was opened. */
  public Instant certificateEnd() {
    return certificateEnd;
  }

  /** How long ago it was opened. */
  public Duration age() {
    return Duration.ofNanos(System.nanoTime() - openedNanos);
  }

  /**
   * Asks once. When no answer comes in time, the connection is closed, since the next answer on it
   * would be to an earlier question. Of a connection that has ended, each question is answered by
   * how it ended.
   */
  public ProbeResult ask(Duration deadline) {
    Optional<Unreachable> ended = end();
    if (ended.isPresent()) {
      return ended.get();
    }
    connection.extendTo(Deadline.after(deadline.plus(roundTrip.multipliedBy(ROUND_TRIPS))));
    long sent = System.nanoTime();
    try {
      HttpAnswer answer =
          connection.ask(
              client.request(address, HttpsReadyzProbe.TARGET, "keep-alive"),
              HttpsReadyzProbe.MAX_BODY_BYTES);
      Duration took = Duration.ofNanos(System.nanoTime() - sent);
      roundTrip = took.compareTo(roundTrip) < 0 ? took : roundTrip;
      if (answer.lastOnConnection() || connection.isAhead()) {
        Unreachable unusedEnd = end("the server ends the connection");
      }
      return HttpsReadyzProbe.result(answer);
    } catch (UnreachableException e) {
      return end(e.result());
    }
  }

  /**
   * Waits, and returns at once when the connection ends or is closed.
   *
   * @return whether it is still open when the time is over
   */
  public boolean watch(Duration time) {
    if (!isOpen()) {
      return false;
    }
    connection.extendTo(Deadline.after(time));
    try {
      if (!connection.awaitEnd()) {
        return true;
      }
      Unreachable unusedEnd = end("the server ends the connection");
    } catch (UnreachableException e) {
      Unreachable unusedEnd = end(e.result());
    }
    return false;
  }

  private Optional<Unreachable> end() {
    synchronized (lock) {
      return end;
    }
  }

  private Unreachable end(String how) {
    return end(new Unreachable(Reason.CONNECTION_LOST, how));
  }

  /** Only the first end counts; it is returned. */
  private Unreachable end(Unreachable how) {
    synchronized (lock) {
      if (end.isEmpty()) {
        end = Optional.of(how);
      }
      // Wakes the thread that asks or watches.
      connection.close();
      return end.get();
    }
  }

  @Override
  public void close() {
    Unreachable unusedEnd = end("closed on this side");
  }
}
