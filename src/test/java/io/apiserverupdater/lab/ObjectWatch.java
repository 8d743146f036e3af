package io.apiserverupdater.lab;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.Response;
import okio.BufferedSource;

/** A running watch on the API. One thread reads it and stamps the events; closing it stops it. */
public final class ObjectWatch implements AutoCloseable {
  /**
   * One event.
   *
   * @param seenNanos when its line was read, by {@link System#nanoTime}
   * @param type ADDED, MODIFIED, DELETED, BOOKMARK or ERROR; the last event of a watch that was not
   *     closed is an ERROR whose object has a {@code message}
   */
  public record Event(long seenNanos, String type, JsonObject object) {}

  private final Call call;
  private final Thread reader;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  private ObjectWatch(String collection, Call call) {
    this.call = call;
    this.reader = new Thread(this::read, "lab-watch " + collection);
    this.reader.setDaemon(true);
  }

  static ObjectWatch start(String collection, Call call) {
    ObjectWatch watch = new ObjectWatch(collection, call);
    watch.reader.start();
    return watch;
  }

  /** The next event, or empty when none comes within the limit. */
  public Optional<Event> next(Duration limit) {
    try {
      return Optional.ofNullable(events.poll(limit.toNanos(), TimeUnit.NANOSECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted in a watch", e);
    }
  }

  private void read() {
    try (Response response = call.execute()) {
      BufferedSource source = response.body().source();
      for (String line = source.readUtf8Line(); line != null; line = source.readUtf8Line()) {
        long now = System.nanoTime();
        JsonObject event = JsonParser.parseString(line).getAsJsonObject();
        if (event.has("type")) {
          events.add(
              new Event(now, event.get("type").getAsString(), event.getAsJsonObject("object")));
        } else {
          // A Status: the watch was refused.
          events.add(new Event(now, "ERROR", event));
        }
      }
      end("the server ended it");
    } catch (IOException e) {
      end(e.toString());
    }
  }

  private void end(String why) {
    JsonObject failure = new JsonObject();
    failure.addProperty("message", why);
    events.add(new Event(System.nanoTime(), "ERROR", failure));
  }

  /** Ends the watch and its thread. */
  @Override
  public void close() {
    call.cancel();
    try {
      reader.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
