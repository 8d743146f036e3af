package io.apiserverupdater.updater.events;

import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Keeps the last events and passes each on to its listeners. Thread-safe. */
public final class EventHistory implements EventRecorder {
  /** Enough for a bad night; an event is a few hundred bytes. */
  static final int KEPT = 100;

  private final Clock clock;
  private final Deque<Event> latest = new ArrayDeque<>(KEPT); // Guarded by this.
  private final List<Consumer<Event>> listeners = new CopyOnWriteArrayList<>();

  public EventHistory(Clock clock) {
    this.clock = clock;
  }

  @Override
  public void record(EventReason reason, String about, String message) {
    Event event = new Event(clock.instant(), reason, about, message);
    synchronized (this) {
      if (latest.size() == KEPT) {
        latest.removeFirst();
      }
      latest.addLast(event);
    }
    listeners.forEach(listener -> listener.accept(event));
  }

  /** The last events, the oldest first. */
  public synchronized List<Event> latest() {
    return List.copyOf(latest);
  }

  /** Adds a listener; it is told on the thread that records, so it must be brief. */
  public void onRecord(Consumer<Event> listener) {
    listeners.add(listener);
  }
}
