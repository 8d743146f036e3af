package io.apiserverupdater.sandbox;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import mockwebserver3.MockResponseBody;
import okio.BufferedSink;

/** The body of a watch: JSON lines, each flushed as soon as the store has the write. */
final class WatchStream implements MockResponseBody {
  // A client that went away is noticed at the next flush; an idle watch flushes so often.
  private static final Duration LOOK_UP = Duration.ofSeconds(1);

  private final SandboxStore store;
  private final WatchRequest request;
  private final Duration bookmarkInterval;
  private final boolean chunked;
  private final BooleanSupplier alive;
  private final UnaryOperator<JsonObject> distortion;
  private final Optional<Fault> fault;
  private final Runnable cut;
  private int eventsLeft;

  /**
   * @param chunked whether to frame the lines for HTTP/1.1
   * @param alive false ends the watch
   * @param distortion what a fault does to each object
   * @param cut closes the connection
   */
  WatchStream(
      SandboxStore store,
      WatchRequest request,
      Duration bookmarkInterval,
      boolean chunked,
      BooleanSupplier alive,
      UnaryOperator<JsonObject> distortion,
      Optional<Fault> fault,
      Runnable cut) {
    this.store = store;
    this.request = request;
    this.bookmarkInterval = bookmarkInterval;
    this.chunked = chunked;
    this.alive = alive;
    this.distortion = distortion;
    this.fault = fault;
    this.cut = cut;
    this.eventsLeft = eventLimit().orElse(Integer.MAX_VALUE);
  }

  @Override
  public long getContentLength() {
    return -1;
  }

  @Override
  public void writeTo(BufferedSink sink) throws IOException {
    try {
      run(sink);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (EndOfWatch e) {
      // As a fault wants it.
    } catch (ApiError e) {
      send(sink, "ERROR", e.status());
    }
    if (chunked) {
      sink.writeUtf8("0\r\n");
    }
    sink.flush();
  }

  private void run(BufferedSink sink) throws IOException, InterruptedException, EndOfWatch {
    if (fault.isPresent() && fault.get() instanceof Fault.CutAfterHeaders) {
      cut.run();
      throw new EndOfWatch();
    }
    if (fault.isPresent() && fault.get() instanceof Fault.WatchError error) {
      throw error.error();
    }
    if (eventsLeft == 0) {
      throw new EndOfWatch();
    }
    long since = request.since().isPresent() ? request.since().getAsLong() : sendPresent(sink);
    if (onlyBookmarks()) {
      send(sink, "BOOKMARK", bookmark(since, false));
    }
    long now = System.nanoTime();
    long end = now + request.timeout().toNanos();
    long bookmark = now + bookmarkInterval.toNanos();
    while (alive.getAsBoolean()) {
      long wait = Math.min(end, bookmark) - System.nanoTime();
      List<StoreEvent> events =
          store.eventsAfter(
              since, Duration.ofNanos(Math.max(0, Math.min(wait, LOOK_UP.toNanos()))));
      for (StoreEvent event : events) {
        since = event.revision();
        if (!onlyBookmarks()) {
          sendIfWanted(sink, event);
        }
      }
      now = System.nanoTime();
      boolean due = now - bookmark >= 0 || now - end >= 0;
      if ((due && request.bookmarks()) || (onlyBookmarks() && !events.isEmpty())) {
        send(sink, "BOOKMARK", bookmark(since, false));
      }
      if (now - end >= 0) {
        return;
      }
      if (now - bookmark >= 0) {
        bookmark = now + bookmarkInterval.toNanos();
      }
      sink.flush();
    }
  }

  private long sendPresent(BufferedSink sink) throws IOException, EndOfWatch {
    SandboxStore.Listing listing = store.listing(request.resource(), request.namespace());
    if (!onlyBookmarks()) {
      for (JsonObject item : listing.items()) {
        if (request.selector().test(item)) {
          sendEvent(sink, "ADDED", item);
        }
      }
    }
    if (request.initialEventsEnd()) {
      send(sink, "BOOKMARK", bookmark(listing.revision(), true));
    }
    sink.flush();
    return listing.revision();
  }

  /** An object that enters or leaves the selection appears or disappears, whatever was done. */
  private void sendIfWanted(BufferedSink sink, StoreEvent event) throws IOException, EndOfWatch {
    String resource = request.resource().qualifiedResource();
    if (!event.key().qualifiedResource().equals(resource)
        || !(request.namespace().isEmpty()
            || request.namespace().equals(event.key().namespace()))) {
      return;
    }
    boolean was = event.before().filter(request.selector()).isPresent();
    boolean is = event.after().filter(request.selector()).isPresent();
    if (is) {
      sendEvent(sink, was ? "MODIFIED" : "ADDED", event.last().deepCopy());
    } else if (was) {
      JsonObject gone = event.before().orElseThrow().deepCopy();
      Json.metadata(gone).addProperty("resourceVersion", Long.toString(event.revision()));
      sendEvent(sink, "DELETED", gone);
    }
  }

  private void sendEvent(BufferedSink sink, String type, JsonObject object)
      throws IOException, EndOfWatch {
    send(sink, type, distortion.apply(object));
    if (--eventsLeft <= 0) {
      throw new EndOfWatch();
    }
  }

  private void send(BufferedSink sink, String type, JsonObject object) throws IOException {
    String line = Json.print(Json.of("type", type, "object", object)) + "\n";
    if (fault.isPresent() && fault.get() instanceof Fault.MalformedJson) {
      line = line.substring(0, line.length() / 2) + "\n";
    } else if (fault.isPresent() && fault.get() instanceof Fault.CutInBody) {
      writeFramed(sink, line.substring(0, line.length() / 2));
      cut.run();
      throw new IOException("cut in the middle of an event");
    }
    writeFramed(sink, line);
  }

  private void writeFramed(BufferedSink sink, String text) throws IOException {
    if (chunked) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      sink.writeUtf8(Integer.toHexString(bytes.length)).writeUtf8("\r\n");
      sink.write(bytes).writeUtf8("\r\n");
    } else {
      sink.writeUtf8(text);
    }
    sink.flush();
  }

  private JsonObject bookmark(long revision, boolean initialEventsEnd) {
    JsonObject metadata =
        Json.of("resourceVersion", Long.toString(revision), "creationTimestamp", JsonNull.INSTANCE);
    if (initialEventsEnd) {
      metadata.add("annotations", Json.of("k8s.io/initial-events-end", "true"));
    }
    JsonObject object = Json.of("kind", request.resource().kind(), "metadata", metadata);
    object.addProperty("apiVersion", request.resource().apiVersion());
    // Go prints the empty object that carries the bookmark.
    switch (request.resource().kind()) {
      case "EndpointSlice" -> {
        object.addProperty("addressType", "");
        object.add("endpoints", JsonNull.INSTANCE);
        object.add("ports", JsonNull.INSTANCE);
      }
      case "Lease", "Service" -> object.add("spec", new JsonObject());
      default -> {}
    }
    return object;
  }

  private boolean onlyBookmarks() {
    return fault.isPresent() && fault.get() instanceof Fault.OnlyBookmarks;
  }

  private OptionalInt eventLimit() {
    if (fault.isPresent() && fault.get() instanceof Fault.EmptyWatch) {
      return OptionalInt.of(0);
    }
    if (fault.isPresent() && fault.get() instanceof Fault.WatchEndsAfter limit) {
      return OptionalInt.of(limit.events());
    }
    return OptionalInt.empty();
  }

  /** The watch is over, without an error on the wire. */
  private static final class EndOfWatch extends Exception {
    EndOfWatch() {
      super("end of watch", null, false, false);
    }
  }
}
