package io.apiserverupdater.updater.kube.watch;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What is known of some objects, by a watch and by the answers to our own calls, whichever is
 * newer. Thread-safe.
 *
 * @param <T> the objects as the API has them
 * @param <V> what they are to us: each is converted once, when it arrives, and not by whoever looks
 */
public final class ResourceCache<T, V> {

  /**
   * An object and its version.
   *
   * @param version the resourceVersion
   */
  public record Versioned<T>(String name, String version, T object) {}

  /** Generated names come and go; only the latest deletions can meet a late write. */
  private static final int MOST_DELETIONS = 100;

  /** An object, and the change of this cache that brought it. */
  private record Entry<T, V>(Versioned<T> object, V value, long change) {}

  /** The version at which, or of which, an object was deleted. */
  private record Deletion(String version, long change) {}

  private final Function<T, V> conversion;

  // All guarded by this.
  private final Map<String, Entry<T, V>> entries = new HashMap<>();
  private final Map<String, Deletion> deletions = new HashMap<>();
  private long changes;
  private boolean known;

  public ResourceCache(Function<T, V> conversion) {
    this.conversion = conversion;
  }

  /** Whether the objects have been listed at least once. */
  public synchronized boolean isKnown() {
    return known;
  }

  public synchronized Optional<Versioned<T>> get(String name) {
    return Optional.ofNullable(entries.get(name)).map(Entry::object);
  }

  public synchronized Optional<V> value(String name) {
    return Optional.ofNullable(entries.get(name)).map(Entry::value);
  }

  public synchronized List<V> values() {
    return entries.values().stream().map(Entry::value).toList();
  }

  /** This moment in the cache's own history: to be taken before a list is asked for. */
  synchronized long now() {
    return changes;
  }

  /**
   * Takes a complete list. It is right about everything but what has changed here since it was
   * asked for, and is newer than it. Versions alone do not decide that: after etcd was restored
   * from a backup they begin again lower than before.
   *
   * @param asked {@link #now} before the list was asked for
   */
  synchronized void replace(List<Versioned<T>> listed, String listVersion, long asked) {
    entries
        .values()
        .removeIf(
            entry -> entry.change() <= asked || !isNewer(entry.object().version(), listVersion));
    deletions.values().removeIf(deletion -> deletion.change() <= asked);
    for (Versioned<T> object : listed) {
      boolean unusedNews = put(object);
    }
    known = true;
  }

  /**
   * Takes one object, unless a newer version of it is known.
   *
   * @return whether that is news: our own write comes back as the event of a watch
   */
  public synchronized boolean put(Versioned<T> object) {
    Entry<T, V> old = entries.get(object.name());
    Deletion deletion = deletions.get(object.name());
    boolean late =
        (old != null && isNewer(old.object().version(), object.version()))
            || (deletion != null
                && (isNewer(deletion.version(), object.version())
                    || deletion.version().equals(object.version())));
    if (late) {
      return false;
    }
    deletions.remove(object.name());
    V value = conversion.apply(object.object());
    entries.put(object.name(), new Entry<>(object, value, ++changes));
    return old == null
        || !old.object().version().equals(object.version())
        || !old.object().object().equals(object.object());
  }

  /**
   * Removes an object, unless a newer version of it is known.
   *
   * @param version the resourceVersion of its removal, or of the last version that was there
   */
  public synchronized void remove(String name, String version) {
    Entry<T, V> old = entries.get(name);
    if (old != null && isNewer(old.object().version(), version)) {
      return;
    }
    entries.remove(name);
    if (deletions.size() >= MOST_DELETIONS) {
      deletions.clear();
    }
    Deletion deletion = new Deletion(version, ++changes);
    deletions.merge(name, deletion, (a, b) -> isNewer(a.version(), b.version()) ? a : b);
  }

  /**
   * Whether one resourceVersion is newer than another. They are decimal numbers that grow, which
   * the API promises since 1.35 (KEP-5504) and has always kept; where one is not a number, neither
   * is newer.
   */
  static boolean isNewer(String version, String than) {
    try {
      return Long.parseLong(version) > Long.parseLong(than);
    } catch (NumberFormatException e) {
      return false;
    }
  }
}
