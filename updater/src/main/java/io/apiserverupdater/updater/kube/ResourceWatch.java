package io.apiserverupdater.updater.kube;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.updater.controller.Backoff;
import io.kubernetes.client.common.KubernetesObject;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a cache in step with the API server: lists, then watches, and again when that breaks. One
 * thread of its own from {@link #start} to {@link #close}.
 *
 * <p>The rules are client-go's (k8s.io/client-go/tools/cache, Reflector): go on from the last
 * version seen; list anew after 410 Gone and after "Too large resource version"; an error, and a
 * watch that ends at once without an event, is followed by a growing pause.
 */
final class ResourceWatch<T extends KubernetesObject> implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ResourceWatch.class);

  private static final Duration LIST_TIMEOUT = Duration.ofSeconds(6);
  private static final Duration SHORTEST_WATCH = Duration.ofMinutes(4);
  private static final Duration LONGEST_WATCH = Duration.ofMinutes(8);

  /** How much longer than it was asked to a server may keep a watch open. */
  private static final Duration OVERTIME = Duration.ofSeconds(20);

  /** A watch that ended sooner, without an event, has failed. */
  private static final Duration TOO_SHORT = Duration.ofSeconds(1);

  /** So many of them in a row are worth a word. */
  private static final int MOST_SHORT_WATCHES = 5;

  /** A permission is granted by a person: looking more often does not help. */
  private static final Duration FORBIDDEN_RETRY = Duration.ofSeconds(15);

  private final ApiClient api;
  private final Resource<T> resource;
  private final Selection selection;
  private final ResourceCache<T> cache;
  private final ObjectList<T> list;
  private final Runnable changed;
  private final Backoff backoff =
      new Backoff(
          Duration.ofMillis(50),
          Duration.ofSeconds(5),
          () -> ThreadLocalRandom.current().nextDouble());
  private final Thread thread;

  private final ReentrantLock guard = new ReentrantLock();
  private final Condition ended = guard.newCondition();

  // Guarded by guard.
  private boolean closed;
  private Optional<WatchStream> open = Optional.empty();

  // Of the watch's thread only.
  private String version = "";
  private int shortWatches;

  private final AtomicBoolean healthy = new AtomicBoolean(true);
  private volatile String lastRejection = "";

  /**
   * @param changed called, on the watch's thread, after each change of the cache
   */
  ResourceWatch(
      ApiClient api,
      Resource<T> resource,
      Selection selection,
      ResourceCache<T> cache,
      Runnable changed) {
    this.api = api;
    this.resource = resource;
    this.selection = selection;
    this.cache = cache;
    this.list = new ObjectList<>(api, resource, selection, cache);
    this.changed = changed;
    this.thread = new Thread(this::run, "watch-" + resource.plural() + "-" + selection.selector());
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  boolean isAlive() {
    return thread.isAlive();
  }

  @Override
  public void close() {
    guard.lock();
    try {
      closed = true;
      open.ifPresent(WatchStream::close);
      ended.signalAll();
    } finally {
      guard.unlock();
    }
    thread.interrupt();
  }

  /** How one round ended. */
  private sealed interface End {
    /** Go on watching from the last version. */
    record Resume() implements End {}

    /** The last version is of no use any more. */
    record Relist(String why) implements End {}

    /** No connection; which server that concerns has been told already. */
    record Broken(String why) implements End {}

    /** The server says no, or what it says makes no sense: pause first. */
    record Failed(String why, Optional<Duration> pause, boolean rejected) implements End {}
  }

  private void run() {
    while (!isClosed()) {
      End end;
      try {
        end = version.isEmpty() ? list() : watch();
      } catch (RuntimeException e) {
        // Nothing that a server sends ends this thread.
        log.error("watch=error resource={} {}", resource.plural(), e, e);
        end = failed(e.toString());
        version = "";
      }
      if (isClosed()) {
        return;
      }
      if (end instanceof End.Relist relist) {
        log.debug("relist=true resource={} reason=\"{}\"", resource.plural(), relist.why());
        version = "";
        pause(backoff.next());
      } else if (end instanceof End.Broken broken) {
        log.debug("watch=broken resource={} reason=\"{}\"", resource.plural(), broken.why());
        pause(backoff.next());
      } else if (end instanceof End.Failed failed) {
        tellOfFailure(failed.why(), failed.rejected());
        pause(failed.pause().orElseGet(backoff::next));
      }
    }
  }

  /** A server that is about to stop lets a watch be opened and ends it; one does so for good. */
  private End tooShort() {
    String why = "the watch ended as soon as it was opened";
    shortWatches++;
    return shortWatches < MOST_SHORT_WATCHES ? new End.Broken(why) : failed(why);
  }

  private static End failed(String why) {
    return new End.Failed(why, Optional.empty(), false);
  }

  private End list() {
    ObjectList.Result result = list.read(LIST_TIMEOUT);
    if (result instanceof ObjectList.Result.Failed failed) {
      return failed(failed.answer());
    }
    version = ((ObjectList.Result.Listed) result).version();
    changed.run();
    return new End.Resume();
  }

  private End watch() {
    long seconds =
        ThreadLocalRandom.current().nextLong(SHORTEST_WATCH.toSeconds(), LONGEST_WATCH.toSeconds());
    boolean heard = false;
    try (WatchStream stream =
        remember(
            api.openWatch(
                selection
                    .list(resource)
                    .with("watch", "true")
                    .with("allowWatchBookmarks", "true")
                    .with("resourceVersion", version)
                    .with("timeoutSeconds", Long.toString(seconds)),
                Duration.ofSeconds(seconds).plus(OVERTIME)))) {
      // A watch that stays open is a good one, also when nothing changes.
      ScheduledFuture<?> settled = api.after(TOO_SHORT, this::tellOfRecovery);
      try {
        while (true) {
          Optional<String> line = stream.next();
          if (line.isEmpty()) {
            return settled.isDone() ? new End.Resume() : tooShort();
          }
          api.heard();
          Optional<End> end = take(line.get());
          if (end.isPresent()) {
            return end.get();
          }
          if (!heard) {
            heard = true;
            tellOfRecovery();
          }
        }
      } catch (IOException e) {
        if (!isClosed()) {
          api.watchBroke(stream.server(), e);
        }
        return new End.Broken(stream.server() + ": " + ApiClient.reason(e));
      } finally {
        if (settled.isDone()) {
          shortWatches = 0;
          backoff.reset();
        }
        settled.cancel(false);
      }
    } catch (ApiClient.RefusedException e) {
      return refused(e.status());
    } catch (IOException e) {
      return new End.Broken(ApiClient.reason(e));
    } finally {
      forget();
    }
  }

  /** Takes one event; returns the end of the watch if it is one. */
  private Optional<End> take(String line) {
    try {
      JsonObject event = KubeJson.object(line);
      JsonElement object = event.get("object");
      String type = ApiClient.text(event, "type");
      switch (type) {
        case "ADDED", "MODIFIED" -> {
          ResourceCache.Versioned<T> taken = ObjectList.versioned(object, resource);
          cache.put(taken);
          version = taken.version();
        }
        case "DELETED" -> {
          ResourceCache.Versioned<T> gone = ObjectList.versioned(object, resource);
          cache.remove(gone.name(), gone.version());
          version = gone.version();
        }
        case "BOOKMARK" -> {
          String bookmark =
              object instanceof JsonObject marked
                      && marked.get("metadata") instanceof JsonObject metadata
                  ? ApiClient.text(metadata, "resourceVersion")
                  : "";
          if (!bookmark.isEmpty()) {
            version = bookmark;
          }
          return Optional.empty();
        }
        case "ERROR" -> {
          return Optional.of(refused(statusOf(object)));
        }
        default -> {
          return Optional.of(new End.Relist("an event of the unknown type \"" + type + "\""));
        }
      }
      changed.run();
      return Optional.empty();
    } catch (KubeJson.MalformedException e) {
      // What was lost with it is found by a list.
      return Optional.of(new End.Relist("a malformed event: " + e.getMessage()));
    }
  }

  private static ApiAnswer.Status statusOf(JsonElement object) {
    JsonObject status = object instanceof JsonObject given ? given : new JsonObject();
    int code = 0;
    try {
      code = status.has("code") ? status.get("code").getAsInt() : 0;
    } catch (RuntimeException e) {
      log.debug("the code of a Status is not a number");
    }
    return new ApiAnswer.Status(
        code,
        ApiClient.text(status, "reason"),
        ApiClient.text(status, "message"),
        Optional.empty());
  }

  private End refused(ApiAnswer.Status status) {
    boolean gone = status.code() == 410;
    boolean tooNew =
        status.code() == 504 && status.message().contains("Too large resource version");
    return gone || tooNew ? new End.Relist(status.describe()) : failed(status);
  }

  private End failed(ApiAnswer answer) {
    if (answer instanceof ApiAnswer.Status status) {
      boolean forbidden = status.code() == 403 || status.code() == 401;
      return new End.Failed(
          status.describe(),
          forbidden ? Optional.of(FORBIDDEN_RETRY) : status.retryAfter(),
          status.isRejection());
    }
    return answer instanceof ApiAnswer.None none
        ? new End.Broken(none.why())
        : failed(answer.failure());
  }

  private WatchStream remember(WatchStream stream) {
    guard.lock();
    try {
      open = Optional.of(stream);
      if (closed) {
        stream.close();
      }
      return stream;
    } finally {
      guard.unlock();
    }
  }

  private void forget() {
    guard.lock();
    try {
      open = Optional.empty();
    } finally {
      guard.unlock();
    }
  }

  /** Whether the watch is open at this moment. */
  boolean isOpen() {
    guard.lock();
    try {
      return open.isPresent();
    } finally {
      guard.unlock();
    }
  }

  private boolean isClosed() {
    guard.lock();
    try {
      return closed;
    } finally {
      guard.unlock();
    }
  }

  private void pause(Duration time) {
    guard.lock();
    try {
      long left = time.toNanos();
      while (!closed && left > 0) {
        left = ended.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      log.debug("watch interrupted");
    } finally {
      guard.unlock();
    }
  }

  /** A rejection is told also after a passing failure: it needs a person. */
  private void tellOfFailure(String why, boolean rejected) {
    boolean news = rejected && !why.equals(lastRejection);
    if (rejected) {
      lastRejection = why;
    }
    if (healthy.compareAndSet(true, false) || news) {
      log.warn(
          "watch=down resource={} selector={} namespace={} reason=\"{}\"",
          resource.plural(),
          selection.selector(),
          selection.namespace(),
          why);
    } else {
      log.debug("watch=down resource={} reason=\"{}\"", resource.plural(), why);
    }
  }

  private void tellOfRecovery() {
    if (healthy.compareAndSet(false, true)) {
      lastRejection = "";
      log.info(
          "watch=up resource={} selector={} namespace={}",
          resource.plural(),
          selection.selector(),
          selection.namespace());
    }
  }
}
