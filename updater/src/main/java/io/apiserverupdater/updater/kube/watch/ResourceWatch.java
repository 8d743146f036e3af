package io.apiserverupdater.updater.kube.watch;

import com.google.gson.JsonObject;
import io.apiserverupdater.apiserver.time.Backoff;
import io.apiserverupdater.updater.kube.api.ApiAnswer;
import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.api.ApiObserver;
import io.apiserverupdater.updater.kube.api.KubeJson;
import io.apiserverupdater.updater.kube.api.WatchStream;
import io.kubernetes.client.common.KubernetesObject;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a cache in step with the API server: lists, then watches, and again when that ends. One
 * thread of its own from {@link #start} to {@link #close}.
 *
 * <p>An error, and a watch that ends at once without an event, is followed by a growing wait, as in
 * client-go (k8s.io/client-go/tools/cache, Reflector). Other than there no watch goes on from the
 * last version that another one has seen: a list is one object here, and after etcd was restored
 * from a backup a watch from a version of before is silent until the versions have grown past it.
 */
public final class ResourceWatch<T extends KubernetesObject> implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ResourceWatch.class);

  /** The events that bring an object of the watched kind. */
  private static final Set<String> CHANGES = Set.of("ADDED", "MODIFIED", "DELETED");

  private static final Duration LIST_TIMEOUT = Duration.ofSeconds(6);

  /** How much longer than it was asked to a server may keep a watch open. */
  private static final Duration OVERTIME = Duration.ofSeconds(20);

  /** A watch that ended sooner, without an event, has failed. */
  private static final Duration TOO_SHORT = Duration.ofSeconds(1);

  /** So many of them in a row are worth a word. */
  private static final int MOST_SHORT_WATCHES = 5;

  /** An apiserver that has just started knows no permission yet. */
  private static final Duration FORBIDDEN_FIRST_RETRY = Duration.ofSeconds(1);

  /** A permission is granted by a person: what has been refused again and again waits for one. */
  private static final Duration FORBIDDEN_RETRY = Duration.ofSeconds(15);

  private final ApiClient api;
  private final ObjectList<T, ?> list;
  private final Duration longest;
  private final Runnable changed;
  private final Backoff backoff =
      new Backoff(
          Duration.ofMillis(50),
          Duration.ofSeconds(5),
          () -> ThreadLocalRandom.current().nextDouble());
  private final Thread thread;

  private final CountDownLatch closed = new CountDownLatch(1);

  // Guarded by this.
  private Optional<WatchStream> open = Optional.empty();

  // Of the watch's thread only.
  private int shortWatches;
  private int rejections;

  private final AtomicBoolean healthy = new AtomicBoolean(true);
  private volatile String lastRejection = "";
  private volatile Optional<Long> unreadable = Optional.empty();
  private volatile long confirmedAt;

  /**
   * @param longest how long a watch lasts at most; at least half of it
   * @param changed called, on the watch's thread, after each change of the cache
   */
  public ResourceWatch(ObjectList<T, ?> list, Duration longest, Runnable changed) {
    this.list = list;
    this.longest = longest;
    this.api = list.api();
    this.changed = changed;
    this.confirmedAt = api.now();
    String watched = list.resource().plural() + "-" + list.selection().selector();
    this.thread = new Thread(this::run, "watch-" + watched);
    thread.setDaemon(true);
  }

  public void start() {
    thread.start();
  }

  public boolean isAlive() {
    return thread.isAlive();
  }

  @Override
  public synchronized void close() {
    closed.countDown();
    open.ifPresent(WatchStream::cancel);
    thread.interrupt();
  }

  /** How one list and watch ended. */
  private sealed interface End {
    /** In order: the next one follows at once. */
    record Done() implements End {}

    /** Nothing to tell: it is known which server does not answer, or another one may do better. */
    record Broken(String why) implements End {}

    /** The server says no, or what it says makes no sense: wait first. */
    record Failed(String why, Optional<Duration> retryAfter, boolean rejected) implements End {}
  }

  private void run() {
    while (!isClosed()) {
      End end;
      try {
        end = listAndWatch();
      } catch (RuntimeException e) {
        // Nothing that a server sends ends this thread.
        if (isClosed()) {
          return;
        }
        log.error("watch=error resource={} message=\"{}\"", list.resource().plural(), e, e);
        end = failed(e.toString());
      }
      if (isClosed()) {
        return;
      }
      api.watchEnded(list.resource().plural(), word(end));
      if (!(end instanceof End.Failed failed && failed.rejected())) {
        rejections = 0;
      }
      if (end instanceof End.Broken broken) {
        log.debug("watch=broken resource={} reason=\"{}\"", list.resource().plural(), broken.why());
        await(backoff.next());
      } else if (end instanceof End.Failed failed) {
        if (failed.rejected() && unreadable.isEmpty()) {
          unreadable = Optional.of(api.now());
        }
        tellOfFailure(failed.why(), failed.rejected());
        await(pause(failed));
      }
    }
  }

  private static ApiObserver.WatchEnd word(End end) {
    if (end instanceof End.Done) {
      return ApiObserver.WatchEnd.ENDED;
    }
    return end instanceof End.Broken ? ApiObserver.WatchEnd.BROKEN : ApiObserver.WatchEnd.FAILED;
  }

  /** Never shorter than the backoff, whatever a server asks for. */
  private Duration pause(End.Failed failed) {
    Duration next = backoff.next();
    Duration asked = failed.retryAfter().orElse(Duration.ZERO);
    return asked.compareTo(next) > 0 ? asked : next;
  }

  private Duration pauseAfterRejection() {
    rejections++;
    return rejections == 1 ? FORBIDDEN_FIRST_RETRY : FORBIDDEN_RETRY;
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

  private End listAndWatch() {
    ObjectList.Result result = list.read(LIST_TIMEOUT);
    if (result instanceof ObjectList.Result.Failed failed) {
      return failed(failed.answer());
    }
    unreadable = Optional.empty();
    confirmedAt = api.now();
    changed.run();
    return watch((ObjectList.Result.Listed) result);
  }

  private End watch(ObjectList.Result.Listed listed) {
    long seconds =
        ThreadLocalRandom.current().nextLong(longest.toSeconds() / 2, longest.toSeconds());
    boolean heard = false;
    try (WatchStream stream =
        remember(
            api.openWatch(
                listed
                    .selection()
                    .list(list.resource())
                    .with("watch", "true")
                    .with("resourceVersion", listed.version())
                    .with("timeoutSeconds", Long.toString(seconds)),
                Duration.ofSeconds(seconds).plus(OVERTIME)))) {
      // A watch that stays open is a good one, also when nothing changes.
      ScheduledFuture<?> settled = api.after(TOO_SHORT, this::tellOfRecovery);
      try {
        while (true) {
          Optional<String> line = stream.next();
          if (line.isEmpty()) {
            return settled.isDone() ? new End.Done() : tooShort();
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
      } catch (KubeJson.MalformedException e) {
        // What was lost with it is found by a list.
        return failed(api.unreadable(stream.server(), KubeJson.orEmpty(e.getMessage())));
      } catch (IOException e) {
        if (stream.isCancelled()) {
          // One that had to leave again at once may have to do so once more.
          return settled.isDone() ? new End.Done() : new End.Broken("it moved at once");
        }
        api.broke(stream.server(), e);
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
      return new End.Broken(KubeJson.orEmpty(e.getMessage()));
    } finally {
      forget();
    }
  }

  /** Takes one event; returns the end of the watch if it is one. */
  private Optional<End> take(String line) throws KubeJson.MalformedException {
    KubeJson.Event<T> event = KubeJson.event(line, CHANGES::contains, list.resource().type());
    boolean news = true;
    switch (event.type()) {
      case "ADDED", "MODIFIED" -> news = list.cache().put(objectOf(event));
      case "DELETED" -> {
        ResourceCache.Versioned<T> gone = objectOf(event);
        list.cache().remove(gone.name(), gone.version());
      }
      case "BOOKMARK" -> {
        return Optional.empty();
      }
      case "ERROR" -> {
        return Optional.of(refused(statusOf(event)));
      }
      default -> {
        return Optional.of(new End.Broken("an event of the unknown type \"" + event.type() + "\""));
      }
    }
    if (news) {
      changed.run();
    }
    return Optional.empty();
  }

  private ResourceCache.Versioned<T> objectOf(KubeJson.Event<T> event)
      throws KubeJson.MalformedException {
    if (event.object().isEmpty()) {
      throw new KubeJson.MalformedException("an event without an object");
    }
    return ObjectList.versioned(event.object().get());
  }

  private static ApiAnswer.Status statusOf(KubeJson.Event<?> event) {
    JsonObject status =
        event.other().orElse(null) instanceof JsonObject object ? object : new JsonObject();
    String code = KubeJson.field(status, "code");
    return new ApiAnswer.Status(
        code.matches("[0-9]{1,9}") ? Integer.parseInt(code) : 0,
        KubeJson.field(status, "reason"),
        KubeJson.field(status, "message"),
        Optional.empty());
  }

  private End refused(ApiAnswer.Status status) {
    boolean gone = status.code() == 410;
    boolean tooNew =
        status.code() == 504 && status.message().contains("Too large resource version");
    return gone || tooNew ? new End.Broken(status.describe()) : failed(status);
  }

  private End failed(ApiAnswer answer) {
    if (answer instanceof ApiAnswer.Status status) {
      return status.isRejection()
          ? new End.Failed(status.describe(), Optional.of(pauseAfterRejection()), true)
          : new End.Failed(status.describe(), status.retryAfter(), false);
    }
    if (answer instanceof ApiAnswer.Unreadable) {
      return new End.Failed(answer.failure(), Optional.empty(), true);
    }
    return answer instanceof ApiAnswer.None none
        ? new End.Broken(none.why())
        : failed(answer.failure());
  }

  private synchronized WatchStream remember(WatchStream stream) {
    open = Optional.of(stream);
    if (isClosed()) {
      stream.cancel();
    }
    return stream;
  }

  private synchronized void forget() {
    if (open.isPresent()) {
      confirmedAt = api.now();
    }
    open = Optional.empty();
  }

  /** Whether the watch is open at this moment. */
  public synchronized boolean isOpen() {
    return open.isPresent();
  }

  /** How long ago what is cached was known to be true; zero while a watch is open. */
  public Duration age() {
    return isOpen() ? Duration.ZERO : Duration.ofNanos(Math.max(0, api.now() - confirmedAt));
  }

  /** For how long the servers have refused to be read, or their answers made no sense. */
  public Duration unreadable() {
    return unreadable
        .map(since -> Duration.ofNanos(Math.max(0, api.now() - since)))
        .orElse(Duration.ZERO);
  }

  /** What is watched, and why it could not be read when it was last tried. */
  public String describe() {
    return "%s %s in %s: %s"
        .formatted(
            list.resource().plural(),
            list.selection().selector(),
            list.selection().namespace(),
            lastRejection);
  }

  private boolean isClosed() {
    return closed.getCount() == 0;
  }

  private void await(Duration time) {
    try {
      boolean unusedEnd = closed.await(time.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      log.debug("watch interrupted");
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
          list.resource().plural(),
          list.selection().selector(),
          list.selection().namespace(),
          why);
    } else {
      log.debug("watch=down resource={} reason=\"{}\"", list.resource().plural(), why);
    }
  }

  private void tellOfRecovery() {
    if (healthy.compareAndSet(false, true)) {
      lastRejection = "";
      log.info(
          "watch=up resource={} selector={} namespace={}",
          list.resource().plural(),
          list.selection().selector(),
          list.selection().namespace());
    }
  }
}
