package io.apiserverupdater.updater.kube;

import io.apiserverupdater.apiserver.probe.HeldConnection;
import io.apiserverupdater.apiserver.probe.UnreachableException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/** A watch on a connection of its own, read by the thread that asks for the next event. */
final class DirectWatchStream implements WatchStream {
  /**
   * After this time without an event the server is asked whether it is alive: one that has
   * vanished, or hangs, is found within two of these and a second, by all of its watches. Sooner
   * than that a watch leaves an apiserver that our probes have found unready.
   */
  static final Duration SILENCE = Duration.ofSeconds(2);

  /** For the rest of an event that has begun. */
  private static final Duration REST = Duration.ofSeconds(5);

  /** What is to be done about a server that is silent. */
  interface LifeCheck {
    /**
     * Finds out whether the server is alive.
     *
     * @param heardAt when the watch was opened, or last brought something, by {@link
     *     System#nanoTime}
     * @throws IOException if it is not
     */
    void run(long heardAt) throws IOException;
  }

  private final ServerAddress server;
  private final HeldConnection connection;
  private final LifeCheck lifeCheck;
  private final Consumer<DirectWatchStream> whenClosed;
  private final long end;

  /** Of the reading thread only. */
  private long heardAt = System.nanoTime();

  private volatile boolean cancelled;

  DirectWatchStream(
      ServerAddress server,
      HeldConnection connection,
      Duration longest,
      LifeCheck lifeCheck,
      Consumer<DirectWatchStream> whenClosed) {
    this.server = server;
    this.connection = connection;
    this.lifeCheck = lifeCheck;
    this.whenClosed = whenClosed;
    this.end = System.nanoTime() + longest.toNanos();
  }

  @Override
  public ServerAddress server() {
    return server;
  }

  @Override
  public Optional<String> next() throws IOException {
    try {
      while (true) {
        if (end - System.nanoTime() <= 0) {
          throw new IOException("the server keeps the watch open for too long");
        }
        if (connection.awaitMore(SILENCE)) {
          Optional<String> line = connection.nextLine(ApiClient.MOST_BYTES, REST);
          heardAt = System.nanoTime();
          return line;
        }
        lifeCheck.run(heardAt);
      }
    } catch (UnreachableException e) {
      throw new IOException(e.result().describe(), e);
    }
  }

  @Override
  public void cancel() {
    cancelled = true;
    connection.close();
  }

  @Override
  public boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void close() {
    connection.close();
    whenClosed.accept(this);
  }
}
