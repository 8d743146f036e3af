package io.apiserverupdater.updater.kube;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A way to talk HTTP with servers, under one identity. Thread-safe. */
interface Transport extends AutoCloseable {

  /**
   * An answer, whatever its status.
   *
   * @param words what stands behind the status; may be empty
   * @param retryAfter the header of that name
   * @param warnings the headers of the name Warning
   */
  record Reply(
      int status, String words, Optional<String> retryAfter, List<String> warnings, String body) {
    boolean isSuccess() {
      return status >= 200 && status < 300;
    }
  }

  /** How a watch began: with its stream, unless the server said no. */
  record Opened(Reply reply, Optional<WatchStream> stream) {}

  /**
   * Sends a call and reads its answer.
   *
   * @param token a bearer token
   * @throws IOException when there is none within the time; the call may have been carried out
   */
  Reply exchange(ServerAddress server, ApiCall call, Optional<String> token, Duration timeout)
      throws IOException;

  /**
   * Opens a watch.
   *
   * @param timeout until the server lets it be opened
   * @param longest until the watch is over, whatever the server does
   * @throws IOException when there is no answer within the time
   */
  Opened open(
      ServerAddress server,
      ApiCall call,
      Optional<String> token,
      Duration timeout,
      Duration longest)
      throws IOException;

  /** Gives up the connections to a server. */
  void evict(ServerAddress server);

  /** The servers to which there are, or may be, connections. */
  Set<ServerAddress> servers();

  /** Gives up the connections to servers that are not among these. */
  default void retain(Set<ServerAddress> wanted) {
    servers().stream().filter(server -> !wanted.contains(server)).forEach(this::evict);
  }

  /** Gives up all connections; a watch may be left to its end. */
  @Override
  void close();
}
