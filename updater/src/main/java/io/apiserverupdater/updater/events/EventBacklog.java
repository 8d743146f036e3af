package io.apiserverupdater.updater.events;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is to be published, and what has been: equal events become a series, and a burst is spread.
 * Asks no clock. Not thread-safe.
 */
final class EventBacklog {
  /** So many different events may wait; a bad hour has fewer. */
  static final int MOST_WAITING = 50;

  /** So many series are remembered, to be counted up when the same happens again. */
  static final int MOST_PUBLISHED = 100;

  /** So many calls may follow each other at once, after that one per interval. */
  static final int BURST = 25;

  static final Duration INTERVAL = Duration.ofSeconds(10);

  private final List<EventSeries> waiting = new ArrayList<>();
  private final List<EventSeries> published = new ArrayList<>();
  private String subject = "";
  private long fullAt;

  /**
   * @param now the monotonic clock, in nanoseconds
   */
  EventBacklog(long now) {
    fullAt = now;
  }

  /**
   * Takes an event in.
   *
   * @return whether there was room
   */
  boolean add(Event event) {
    EventSeries one = EventSeries.of(event);
    int same = indexOf(waiting, one);
    if (same >= 0) {
      waiting.set(same, waiting.get(same).and(one));
      return true;
    }
    if (waiting.size() == MOST_WAITING) {
      return false;
    }
    waiting.add(one);
    return true;
  }

  /** Drops what waits and has not happened again since then. */
  void forgetBefore(Instant moment) {
    waiting.removeIf(series -> series.last().isBefore(moment));
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  /** From when on a call may be made; not after now when that is at once. */
  long earliest() {
    return fullAt - (BURST - 1) * INTERVAL.toNanos();
  }

  /** Takes out what has waited for longest; there must be something. */
  EventSeries take(long now) {
    // The clock may wrap around.
    fullAt = (fullAt - now > 0 ? fullAt : now) + INTERVAL.toNanos();
    return waiting.remove(0);
  }

  /** What was published of the same series, as long as that is about the same subject. */
  Optional<EventSeries> published(EventSeries series, String about) {
    if (!about.equals(subject)) {
      published.clear();
      subject = about;
    }
    int same = indexOf(published, series);
    return same < 0 ? Optional.empty() : Optional.of(published.get(same));
  }

  /** Notes that a series stands as it is here. */
  void isPublished(EventSeries series) {
    isGone(series);
    published.add(series);
    if (published.size() > MOST_PUBLISHED) {
      published.remove(0);
    }
  }

  /** Notes that nothing stands there of a series. */
  void isGone(EventSeries series) {
    published.removeIf(series::isLike);
  }

  /**
   * Puts back, behind the others, what could not be published: one that never can holds up none.
   */
  void putBack(EventSeries series) {
    int same = indexOf(waiting, series);
    if (same < 0) {
      waiting.add(series);
    } else {
      waiting.set(same, series.and(waiting.get(same)));
    }
  }

  private static int indexOf(List<EventSeries> all, EventSeries wanted) {
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).isLike(wanted)) {
        return i;
      }
    }
    return -1;
  }
}
