package io.apiserverupdater.updater.kube;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is known of some objects, by a watch and by the answers to our own calls, whichever is
 * newer. Thread-safe.
 */
final class ResourceCache<T> {

  /**
   * An object and its version.
   *
   * @param version the resourceVersion
   */
  record Versioned<T>(String name, String version, T object) {}

  /** Generated names come and go; only the latest deletions can meet a late write. */
  private static final int MOST_DELETIONS = 100;

  // All guarded by this.
  private final Map<String, Versioned<T>> objects = new HashMap<>();
  private final Map<String, String> deletedAt = new HashMap<>();
  private boolean known;

  /** Whether the objects have been listed at least once. */
  synchronized boolean isKnown() {
    return known;
  }

  synchronized Optional<Versioned<T>> get(String name) {
    return Optional.ofNullable(objects.get(name));
  }

  synchronized List<Versioned<T>> all() {
    return new ArrayList<>(objects.values());
  }

  /** Takes a complete list; objects that are known in a newer version than the list's stay. */
  synchronized void replace(List<Versioned<T>> listed, String listVersion) {
    Map<String, Versioned<T>> before = new HashMap<>(objects);
    objects.values().removeIf(object -> !isNewer(object.version(), listVersion));
    for (Versioned<T> object : listed) {
      Versioned<T> old = before.get(object.name());
      boolean deletedSince =
          deletedAt.containsKey(object.name())
              && isNewer(deletedAt.get(object.name()), listVersion);
      if (!deletedSince) {
        objects.put(
            object.name(), old != null && isNewer(old.version(), object.version()) ? old : object);
      }
    }
    deletedAt.clear();
    known = true;
  }

  /** Takes one object, unless a newer version of it is known. */
  synchronized void put(Versioned<T> object) {
    Versioned<T> old = objects.get(object.name());
    String deleted = deletedAt.get(object.name());
    if ((old == null || !isNewer(old.version(), object.version()))
        && (deleted == null || !isNewer(deleted, object.version()))) {
      deletedAt.remove(object.name());
      objects.put(object.name(), object);
    }
  }

  /**
   * Removes an object, unless a newer version of it is known.
   *
   * @param version the resourceVersion of its removal, or of the last version that was there
   */
  synchronized void remove(String name, String version) {
    Versioned<T> old = objects.get(name);
    if (old == null || !isNewer(old.version(), version)) {
      objects.remove(name);
      if (deletedAt.size() >= MOST_DELETIONS) {
        deletedAt.clear();
      }
      deletedAt.put(name, version);
    }
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
