package io.apiserverupdater.updater.events;

import java.time.Instant;

/**
 * Events of the same reason and message, which are told as one.
 *
 * @param count how many there were; at least 1
 * @param first when the first one was, by the wall clock
 * @param last when the last one was
 */
public record EventSeries(
    EventReason reason, String message, int count, Instant first, Instant last) {

  static EventSeries of(Event event) {
    return new EventSeries(event.reason(), event.message(), 1, event.at(), event.at());
  }

  boolean isLike(EventSeries other) {
    return reason == other.reason && message.equals(other.message);
  }

  /** This one and what came later. */
  EventSeries and(EventSeries later) {
    return new EventSeries(reason, message, count + later.count, first, later.last);
  }
}
