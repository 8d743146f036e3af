package io.apiserverupdater.probe;

import io.apiserverupdater.probe.ApiserverClient.Connection;
import io.apiserverupdater.probe.ProbeResult.Reason;
import io.apiserverupdater.probe.ProbeResult.Unreachable;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One open TLS connection to an apiserver. /readyz is asked on it again and again, which costs
 * neither side another handshake; and when the process at the other side dies, its kernel ends the
 * connection, which is told within a millisecond and not at the next question.
 *
 * <p>Its one thread reads; whoever opened it owns it and closes it. For use by several threads,
 * with one question at a time.
 */
public final class HeldConnection implements AutoCloseable {
  private static final long STACK_BYTES = 256 * 1024;

  private final ApiserverClient client;
  private final ApiserverAddress address;
  private final Connection connection;
  private final Consumer<Unreachable> onLost;
  private final Object lock = new Object();

  // Guarded by the lock.
  private boolean asking;
  private Optional<HttpAnswer> answer = Optional.empty();
  private Optional<End> end = Optional.empty();

  /**
   * How it ended.
   *
   * @param told whether the owner knows already, because it closed the connection or was answered
   */
  private record End(Unreachable how, boolean told) {}

  private HeldConnection(
      ApiserverClient client,
      ApiserverAddress address,
      Connection connection,
      Consumer<Unreachable> onLost) {
    this.client = client;
    this.address = address;
    this.connection = connection;
    this.onLost = onLost;
  }

  static HeldConnection open(
      ApiserverClient client,
      ApiserverAddress address,
      Duration deadline,
      Consumer<Unreachable> onLost)
      throws UnreachableException {
    Connection connection = client.open(address, Deadline.after(deadline));
    try {
      connection.liftDeadline();
    } catch (IOException e) {
      connection.close();
      throw connection.failure(e);
    }
    HeldConnection held = new HeldConnection(client, address, connection, onLost);
    Thread reader = new Thread(null, held::readAnswers, "held-" + address, STACK_BYTES);
    reader.setDaemon(true);
    reader.start();
    return held;
  }

  public ApiserverAddress address() {
    return address;
  }

  /** Whether it can still be asked. */
  public boolean isOpen() {
    synchronized (lock) {
      return end.isEmpty();
    }
  }

  /**
   * Asks once. When no answer comes in time, the connection is closed, since the next answer on it
   * would be to an earlier question; that end is not told to the owner again. Of a connection that
   * has ended, each question is answered by how it ended.
   *
   * @throws IllegalStateException when another thread is asking
   * @throws InterruptedException when the thread is interrupted; the connection is closed
   */
  public ProbeResult ask(Duration deadline) throws InterruptedException {
    Deadline until = Deadline.after(deadline);
    synchronized (lock) {
      if (end.isPresent()) {
        return end.get().how();
      }
      if (asking) {
        throw new IllegalStateException("two questions at a time to " + address);
      }
      asking = true;
      answer = Optional.empty();
    }
    boolean answered = false;
    try {
      connection.send(client.request(address, HttpsReadyzProbe.TARGET, "keep-alive"));
      ProbeResult result = await(until);
      answered = true;
      return result;
    } catch (IOException e) {
      answered = true;
      return end(connection.failure(e).result(), false);
    } finally {
      if (!answered) {
        close();
      }
      synchronized (lock) {
        asking = false;
      }
    }
  }

  private ProbeResult await(Deadline until) throws InterruptedException {
    synchronized (lock) {
      while (true) {
        if (answer.isPresent()) {
          return HttpsReadyzProbe.result(answer.get());
        }
        if (end.isPresent()) {
          return end.get().how();
        }
        int millis = until.remainingMillis();
        if (millis == 0) {
          return end(
              new Unreachable(
                  Reason.ANSWER_TIMEOUT, "the connection is open, the answer did not come in time"),
              true);
        }
        lock.wait(millis);
      }
    }
  }

  /** The thread of this connection. Whatever ends it closes the connection. */
  private void readAnswers() {
    Unreachable how = new Unreachable(Reason.TLS, "reading the answer failed");
    try {
      boolean more = true;
      while (more) {
        HttpAnswer next = connection.readAnswer(HttpsReadyzProbe.MAX_BODY_BYTES);
        more = deliver(next) && !next.lastOnConnection();
      }
      how = new Unreachable(Reason.CONNECTION_LOST, "the server ends the connection");
    } catch (IOException e) {
      how = connection.failure(e).result();
    } finally {
      end(how, false);
      boolean told;
      synchronized (lock) {
        told = end.orElseThrow().told();
        how = end.orElseThrow().how();
      }
      if (!told) {
        onLost.accept(how);
      }
    }
  }

  /** Hands an answer over; false when nobody has asked for it. */
  private boolean deliver(HttpAnswer next) {
    synchronized (lock) {
      boolean asked = asking && answer.isEmpty();
      answer = Optional.of(next);
      lock.notifyAll();
      return asked;
    }
  }

  /** Only the first end counts; it is returned. */
  private Unreachable end(Unreachable how, boolean told) {
    synchronized (lock) {
      if (end.isEmpty()) {
        end = Optional.of(new End(how, told));
      }
      lock.notifyAll();
      // Wakes the reader.
      connection.close();
      return end.get().how();
    }
  }

  /** Ends it without telling the owner, whom {@code onLost} may still reach if it ended before. */
  @Override
  public void close() {
    end(new Unreachable(Reason.CONNECTION_LOST, "closed on this side"), true);
  }
}
