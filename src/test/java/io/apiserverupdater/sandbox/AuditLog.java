package io.apiserverupdater.sandbox;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Predicate;

/**
 * Every request that reached an apiserver, in the order of the answers; the oldest are forgotten
 * after 100,000. Thread-safe.
 */
public final class AuditLog {
  private static final int LIMIT = 100_000;

  private final Deque<Entry> entries = new ArrayDeque<>();
  private final Runnable afterEntry;

  AuditLog(Runnable afterEntry) {
    this.afterEntry = afterEntry;
  }

  /**
   * One request.
   *
   * @param time when it was answered; a watch is logged when it starts
   * @param nanoTime the same by {@link System#nanoTime()}
   * @param status the HTTP status code, 0 when a fault left it without an answer
   */
  public record Entry(Instant time, long nanoTime, RequestInfo request, int status) {
    /** Whether it changed something, or would have if anything had differed. */
    public boolean isSuccessfulWrite() {
      return request.isWrite() && !request.dryRun() && status / 100 == 2;
    }

    @Override
    public String toString() {
      return "%s %s %s %s %s %s/%s %d"
          .formatted(
              time,
              request.apiserver(),
              request.user(),
              request.verb(),
              request.resource().isEmpty() ? request.path() : request.qualifiedResource(),
              request.namespace(),
              request.name(),
              status);
    }
  }

  void add(RequestInfo request, int status) {
    synchronized (entries) {
      entries.addLast(new Entry(Instant.now(), System.nanoTime(), request, status));
      if (entries.size() > LIMIT) {
        entries.removeFirst();
      }
    }
    afterEntry.run();
  }

  /** All entries that are still remembered. */
  public List<Entry> entries() {
    synchronized (entries) {
      return List.copyOf(entries);
    }
  }

  public List<Entry> entries(Predicate<Entry> wanted) {
    return entries().stream().filter(wanted).toList();
  }

  /** The entries of a user. */
  public List<Entry> of(String user) {
    return entries(e -> e.request().user().equals(user));
  }

  /** Entries after a moment of {@link System#nanoTime()}. */
  public List<Entry> since(long nanoTime) {
    return entries(e -> e.nanoTime() - nanoTime > 0);
  }

  /** Writes that came through, after a moment of {@link System#nanoTime()}. */
  public List<Entry> writesSince(long nanoTime) {
    return entries(e -> e.nanoTime() - nanoTime > 0 && e.isSuccessfulWrite());
  }

  /** How many entries there are for a verb and a resource; "*" stands for any. */
  public int count(String verb, String resource) {
    return entries(e -> e.request().is(verb, resource)).size();
  }
}
