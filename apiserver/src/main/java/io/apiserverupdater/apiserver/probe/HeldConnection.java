package io.apiserverupdater.apiserver.probe;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverClient.Connection;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.probe.ProbeResult.Unreachable;
import java.time.Duration;
import java.util.Optional;

/**
 * One open TLS connection to an apiserver. It is asked on it again and again, which costs neither
 * side another handshake; and whoever watches it between two questions learns within a millisecond
 * that the process at the other side has died, because its kernel ends the connection.
 *
 * <p>Asked and watched by one thread at a time; closed by any.
 */
public final class HeldConnection implements AutoCloseable {
  private final ApiserverClient client;
  private final ApiserverAddress address;
  private final Connection connection;
  private final long openedNanos = System.nanoTime();
  private final Object lock = new Object();

  /** How it ended. Guarded by the lock. */
  private Optional<Unreachable> end = Optional.empty();

  private HeldConnection(ApiserverClient client, ApiserverAddress address, Connection connection) {
    this.client = client;
    this.address = address;
    this.connection = connection;
  }

  static HeldConnection open(
      ApiserverClient client, ApiserverAddress address, Deadline connecting, Deadline deadline)
      throws UnreachableException {
    return new HeldConnection(client, address, client.open(address, connecting, deadline));
  }

  /** Whether it can still be asked, as far as is known. */
  public boolean isOpen() {
    return end().isEmpty();
  }

  /**
   * Has this machine's kernel ask the other one's for as long as nobody says anything: a connection
   * that the other side, or something between, has forgotten ends within 20 s. It needs the module
   * jdk.net.
   *
   * @return this
   */
  public HeldConnection keptAlive() {
    connection.keepAlive();
    return this;
  }

  /** How long ago it was opened. */
  public Duration age() {
    return Duration.ofNanos(System.nanoTime() - openedNanos);
  }

  /**
   * Asks once for /readyz. When no answer comes in time, the connection is closed, since the next
   * answer on it would be to an earlier question. Of a connection that has ended, each question is
   * answered by how it ended.
   */
  public ProbeResult ask(Duration deadline) {
    try {
      byte[] request = client.request(address, HttpsReadyzProbe.TARGET, "keep-alive");
      return HttpsReadyzProbe.result(
          exchange(request, HttpsReadyzProbe.MAX_BODY_BYTES, Deadline.after(deadline)));
    } catch (UnreachableException e) {
      return e.result();
    }
  }

  /**
   * Sends one request and reads its answer; when that does not come in time, or is longer than
   * allowed, the connection is closed.
   *
   * @throws UnreachableException when there is no answer; the request may have been carried out
   */
  public HttpAnswer send(ApiserverRequest request, int maxBodyBytes, Duration deadline)
      throws UnreachableException {
    return exchange(client.request(address, request), maxBodyBytes, Deadline.after(deadline));
  }

  private HttpAnswer exchange(byte[] request, int maxBodyBytes, Deadline deadline)
      throws UnreachableException {
    begin(deadline);
    try {
      return whole(connection.ask(request, maxBodyBytes));
    } catch (UnreachableException e) {
      throw new UnreachableException(end(e.result()));
    }
  }

  private void begin(Deadline deadline) throws UnreachableException {
    Optional<Unreachable> ended = end();
    if (ended.isPresent()) {
      throw new UnreachableException(ended.get());
    }
    connection.extendTo(deadline);
  }

  private HttpAnswer whole(HttpAnswer answer) throws UnreachableException {
    if (answer.lastOnConnection() || connection.isAhead()) {
      Unreachable unusedEnd = end("the server ends the connection");
    }
    return answer;
  }

  /**
   * Sends a request whose answer comes line by line, for as long as the server likes: after 200 it
   * is read by {@link #nextLine}, and the connection is good for nothing else.
   *
   * @param deadline for the head of the answer, and for all of an answer that is not 200
   * @return the answer, with an empty body if it is 200
   * @throws UnreachableException when there is no answer
   */
  public HttpAnswer open(ApiserverRequest request, int maxBodyBytes, Duration deadline)
      throws UnreachableException {
    begin(Deadline.after(deadline));
    try {
      HttpAnswerHead head = connection.begin(client.request(address, request));
      return head.status() == 200
          ? new HttpAnswer(head, new byte[0])
          : whole(connection.finish(head, maxBodyBytes));
    } catch (UnreachableException e) {
      throw new UnreachableException(end(e.result()));
    }
  }

  /**
   * Waits until there is more of an answer that {@link #open} has begun.
   *
   * @return false when the time was over before, and nothing has been lost
   * @throws UnreachableException when the connection ends
   */
  public boolean awaitMore(Duration time) throws UnreachableException {
    begin(Deadline.after(time));
    try {
      return connection.awaitInput();
    } catch (UnreachableException e) {
      throw new UnreachableException(end(e.result()));
    }
  }

  /**
   * Reads the next line of an answer that {@link #open} has begun.
   *
   * @return empty when the server has ended the answer, after which the connection is closed
   * @throws UnreachableException when none comes in time, it is too long, or the connection ends
   */
  public Optional<String> nextLine(int maxBytes, Duration deadline) throws UnreachableException {
    begin(Deadline.after(deadline));
    try {
      Optional<String> line = connection.nextLine(maxBytes);
      if (line.isEmpty()) {
        Unreachable unusedEnd = end("the answer has ended");
      }
      return line;
    } catch (UnreachableException e) {
      throw new UnreachableException(end(e.result()));
    }
  }

  /** Whether the server has neither ended the connection nor said anything unasked. */
  public boolean isQuiet() {
    return isOpen() && !connection.hasEnded();
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
