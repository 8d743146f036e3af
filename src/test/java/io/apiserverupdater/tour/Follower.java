package io.apiserverupdater.tour;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.AdminClient;
import io.apiserverupdater.lab.ObjectWatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * Follows one object by a watch, as any client could, and remembers when each of its versions came
 * into sight. One thread of its own reads; all methods are thread-safe.
 */
final class Follower implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofMillis(20);
  private static final Duration CALM = Duration.ofSeconds(1);

  private final AdminClient api;
  private final String collection;
  private final String name;
  private final Thread reader;
  private final List<Version> versions = new ArrayList<>();
  private volatile boolean closed;
  private volatile ObjectWatch watch;
  private volatile String trouble = "";

  /**
   * A version of the object.
   *
   * @param seenNanos when it was read, by {@link System#nanoTime}
   * @param object empty when it was deleted
   */
  record Version(long seenNanos, JsonObject object) {}

  private Follower(AdminClient api, String collection, String name) {
    this.api = api;
    this.collection = collection;
    this.name = name;
    this.watch = watch();
    this.reader = new Thread(this::follow, "tour-follower-" + name);
    this.reader.setDaemon(true);
  }

  static Follower start(AdminClient api, String collection, String name) {
    Follower follower = new Follower(api, collection, name);
    follower.reader.start();
    return follower;
  }

  String path() {
    return collection + "/" + name;
  }

  /** A place in the history: what comes into sight from now on is behind it. */
  int mark() {
    synchronized (versions) {
      return versions.size();
    }
  }

  /** Waits until the object is as wanted, or takes it as it is already. */
  Version awaitNow(String what, Predicate<JsonObject> wanted, Duration limit) {
    return await(Math.max(0, mark() - 1), what, wanted, limit);
  }

  /**
   * The first version behind a mark that is as wanted.
   *
   * @param what the end of the sentence "waited for …"
   * @throws TourException with the object as it is, when there is none in time
   */
  Version await(int mark, String what, Predicate<JsonObject> wanted, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    int next = mark;
    synchronized (versions) {
      while (true) {
        for (; next < versions.size(); next++) {
          if (wanted.test(versions.get(next).object())) {
            return versions.get(next);
          }
        }
        long left = deadline - System.nanoTime();
        if (left <= 0 || closed) {
          throw new TourException(
              "waited %d s for %s, in vain; %s is %s%s"
                  .formatted(
                      limit.toSeconds(),
                      what,
                      path(),
                      versions.isEmpty() ? "absent" : versions.get(versions.size() - 1).object(),
                      trouble));
        }
        try {
          TimeUnit.NANOSECONDS.timedWait(versions, left);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new TourException("interrupted while waiting for " + what, e);
        }
      }
    }
  }

  /** A new watch begins with the object as it is. */
  private ObjectWatch watch() {
    return api.watch(collection + "?fieldSelector=metadata.name%3D" + name, "");
  }

  private void follow() {
    while (!closed) {
      Optional<ObjectWatch.Event> event = watch.next(CALM);
      if (event.isEmpty()) {
        continue;
      }
      if (event.get().type().equals("ERROR")) {
        trouble = "; the watch ended: " + event.get().object();
        LockSupport.parkNanos(PAUSE.toNanos());
        watch = watch();
      } else {
        boolean deleted = event.get().type().equals("DELETED");
        JsonObject object = deleted ? new JsonObject() : event.get().object();
        remember(new Version(event.get().seenNanos(), object));
      }
    }
  }

  private void remember(Version version) {
    synchronized (versions) {
      // What a new watch begins with may be known.
      if (versions.isEmpty()
          || !versions.get(versions.size() - 1).object().equals(version.object())) {
        versions.add(version);
        versions.notifyAll();
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    watch.close();
    synchronized (versions) {
      versions.notifyAll();
    }
    try {
      reader.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    // The reader may have replaced it in this moment.
    watch.close();
  }
}
