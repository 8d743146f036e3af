package io.apiserverupdater.updater.events;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EventBacklogTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final long START = Long.MAX_VALUE - 1_000;

  private final EventBacklog backlog = new EventBacklog(START);

  private boolean add(String message, long second) {
    return backlog.add(new Event(NOW.plusSeconds(second), EventReason.MEMBER_UNREADY, "", message));
  }

  private static EventSeries series(String message, int count, long first, long last) {
    return new EventSeries(
        EventReason.MEMBER_UNREADY, message, count, NOW.plusSeconds(first), NOW.plusSeconds(last));
  }

  @Test
  void givesWhatCameFirst() {
    add("a", 0);
    add("b", 1);
    assertEquals(series("a", 1, 0, 0), backlog.take(START));
    assertEquals(series("b", 1, 1, 1), backlog.take(START));
    assertTrue(backlog.isEmpty());
  }

  @Test
  void tellsEqualEventsAsOne() {
    add("a", 0);
    add("b", 1);
    add("a", 7);
    assertEquals(series("a", 2, 0, 7), backlog.take(START));
    assertEquals(series("b", 1, 1, 1), backlog.take(START));
  }

  @Test
  void sameWordsForAnotherReasonAreNotEqual() {
    add("a", 0);
    backlog.add(new Event(NOW, EventReason.MEMBER_READY, "", "a"));
    assertEquals(1, backlog.take(START).count());
    assertEquals(1, backlog.take(START).count());
  }

  @Test
  void hasRoomForSoManyAndCountsUpEvenThen() {
    for (int i = 0; i < EventBacklog.MOST_WAITING; i++) {
      assertTrue(add("number " + i, i));
    }
    assertFalse(add("one more", 99));
    assertTrue(add("number 0", 100));
    assertEquals(series("number 0", 2, 0, 100), backlog.take(START));
    assertTrue(add("one more", 101));
  }

  /** One that never can be holds up no other. */
  @Test
  void putsBackBehindTheOthersWhatCouldNotBePublished() {
    add("a", 0);
    EventSeries taken = backlog.take(START);
    add("b", 1);
    add("a", 2);
    backlog.putBack(taken);
    assertEquals(series("b", 1, 1, 1), backlog.take(START));
    assertEquals(series("a", 2, 0, 2), backlog.take(START));
    backlog.putBack(taken);
    assertEquals(taken, backlog.take(START));
  }

  @Test
  void knowsWhatStandsThereOfASeries() {
    EventSeries first = series("a", 1, 0, 0);
    assertEquals(Optional.empty(), backlog.published(first, "service 1"));
    backlog.isPublished(first);
    backlog.isPublished(series("a", 3, 0, 9));
    assertEquals(
        Optional.of(series("a", 3, 0, 9)), backlog.published(series("a", 1, 20, 20), "service 1"));
    assertEquals(Optional.empty(), backlog.published(first, "service 2"));
    backlog.isPublished(first);
    backlog.isGone(series("a", 1, 30, 30));
    assertEquals(Optional.empty(), backlog.published(first, "service 2"));
  }

  @Test
  void forgetsTheSeriesThatWasLongestWithoutNews() {
    for (int i = 0; i <= EventBacklog.MOST_PUBLISHED; i++) {
      backlog.isPublished(series("number " + i, 1, i, i));
    }
    assertEquals(Optional.empty(), backlog.published(series("number 0", 1, 0, 0), ""));
    assertTrue(backlog.published(series("number 1", 1, 0, 0), "").isPresent());
  }

  @Test
  void dropsWhatIsOldOnceAsked() {
    add("old", 0);
    add("again", 0);
    add("again", 60);
    add("new", 60);
    backlog.forgetBefore(NOW.plusSeconds(50));
    assertEquals(series("again", 2, 0, 60), backlog.take(START));
    assertEquals(series("new", 1, 60, 60), backlog.take(START));
    assertTrue(backlog.isEmpty());
  }

  /** The clock wraps around meanwhile. */
  @Test
  void spreadsABurst() {
    for (int i = 0; i < EventBacklog.BURST; i++) {
      assertTrue(backlog.earliest() - START <= 0, "call " + i);
      add("number " + i, i);
      backlog.take(START);
    }
    assertEquals(EventBacklog.INTERVAL.toNanos(), backlog.earliest() - START);
    add("late", 99);
    backlog.take(START + EventBacklog.INTERVAL.toNanos());
    assertEquals(2 * EventBacklog.INTERVAL.toNanos(), backlog.earliest() - START);
  }
}
