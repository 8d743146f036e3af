package io.apiserverupdater.updater.kube;

import java.io.EOFException;
import java.io.IOException;
import java.util.Optional;
import okhttp3.Call;
import okhttp3.Response;
import okio.BufferedSource;

/**
 * An open watch: one JSON event a line. For one thread, but for {@link #cancel}, which is for any.
 */
final class WatchStream implements AutoCloseable {
  private final ServerAddress server;
  private final Call call;
  private final Response response;
  private final BufferedSource source;
  private volatile boolean cancelled;

  WatchStream(ServerAddress server, Call call, Response response) {
    this.server = server;
    this.call = call;
    this.response = response;
    this.source = response.body().source();
  }

  ServerAddress server() {
    return server;
  }

  /**
   * Waits for the next event.
   *
   * @return empty when the server has ended the watch
   * @throws IOException when the connection breaks, or the event is too long
   */
  Optional<String> next() throws IOException {
    if (source.exhausted()) {
      return Optional.empty();
    }
    try {
      return Optional.of(source.readUtf8LineStrict(ApiClient.MOST_BYTES));
    } catch (EOFException e) {
      throw new IOException("the watch was cut in the middle of an event, or it is too long", e);
    }
  }

  /** Has {@link #next} end soon, with an error. */
  void cancel() {
    cancelled = true;
    call.cancel();
  }

  boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void close() {
    call.cancel();
    response.close();
  }
}
