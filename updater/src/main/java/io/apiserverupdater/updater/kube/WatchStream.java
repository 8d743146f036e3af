package io.apiserverupdater.updater.kube;

import java.io.IOException;
import java.util.Optional;

/**
 * An open watch: one JSON event a line. For one thread, but for {@link #cancel}, which is for any.
 */
interface WatchStream extends AutoCloseable {
  ServerAddress server();

  /**
   * Waits for the next event.
   *
   * @return empty when the server has ended the watch
   * @throws IOException when the connection breaks, or the event is too long
   */
  Optional<String> next() throws IOException;

  /** Has {@link #next} end soon, with an error. */
  void cancel();

  boolean isCancelled();

  @Override
  void close();
}
