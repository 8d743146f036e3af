package io.apiserverupdater.updater.kube;

import java.io.EOFException;
import java.io.IOException;
import java.util.Optional;
import okhttp3.Call;
import okhttp3.Response;
import okio.BufferedSource;

/** A watch on a connection that it may share with others. */
final class OkHttpWatchStream implements WatchStream {
  private final ServerAddress server;
  private final Call call;
  private final Response response;
  private final BufferedSource source;
  private volatile boolean cancelled;

  OkHttpWatchStream(ServerAddress server, Call call, Response response) {
    this.server = server;
    this.call = call;
    this.response = response;
    this.source = response.body().source();
  }

  @Override
  public ServerAddress server() {
    return server;
  }

  @Override
  public Optional<String> next() throws IOException {
    if (source.exhausted()) {
      return Optional.empty();
    }
    try {
      return Optional.of(source.readUtf8LineStrict(ApiClient.MOST_BYTES));
    } catch (EOFException e) {
      throw new IOException("the watch was cut in the middle of an event, or it is too long", e);
    }
  }

  @Override
  public void cancel() {
    cancelled = true;
    call.cancel();
  }

  @Override
  public boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void close() {
    call.cancel();
    response.close();
  }
}
