package io.apiserverupdater.updater.kube.api;

import io.apiserverupdater.updater.kube.access.ServerAddress;
import java.io.EOFException;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;
import okhttp3.Call;
import okhttp3.Response;
import okio.BufferedSource;

/**
 * An open watch, on a connection that it shares with other watches: one JSON event per line. For
 * one thread, except {@link #cancel}, which any thread may call.
 */
public final class WatchStream implements AutoCloseable {
  private final ServerAddress server;
  private final Call call;
  private final Response response;
  private final Consumer<WatchStream> whenClosed;
  private volatile boolean cancelled;

  WatchStream(
      ServerAddress server, Call call, Response response, Consumer<WatchStream> whenClosed) {
    this.server = server;
    this.call = call;
    this.response = response;
    this.whenClosed = whenClosed;
  }

  public ServerAddress server() {
    return server;
  }

  /**
   * Waits for the next event.
   *
   * @return empty when the server has ended the watch
   * @throws IOException when the connection breaks, or the event is longer than {@link
   *     ApiClient#MOST_BYTES}
   */
  public Optional<String> next() throws IOException {
    BufferedSource source = response.body().source();
    if (source.exhausted()) {
      return Optional.empty();
    }
    try {
      return Optional.of(source.readUtf8LineStrict(ApiClient.MOST_BYTES));
    } catch (EOFException e) {
      throw new IOException("the watch was cut in the middle of an event, or it is too long", e);
    }
  }

  /** Makes {@link #next} end soon, with an error. */
  public void cancel() {
    cancelled = true;
    call.cancel();
  }

  public boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void close() {
    call.cancel();
    response.close();
    whenClosed.accept(this);
  }
}
