package io.apiserverupdater.updater.events;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EventHistoryTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  private final EventHistory history = new EventHistory(Clock.fixed(NOW, ZoneOffset.UTC));

  @Test
  void keepsTheLastEventsInOrder() {
    for (int i = 0; i < EventHistory.KEPT + 2; i++) {
      history.record(EventReason.MEMBER_READY, "192.0.2.1:6443", "number " + i);
    }

    List<Event> latest = history.latest();
    assertEquals(EventHistory.KEPT, latest.size());
    assertEquals("number 2", latest.get(0).message());
    assertEquals("number " + (EventHistory.KEPT + 1), latest.get(latest.size() - 1).message());
  }

  @Test
  void tellsEachListener() {
    List<Event> told = new ArrayList<>();
    history.onRecord(told::add);

    history.record(EventReason.FAILED_OPEN, "IPv4", "no member is ready");

    assertEquals(
        List.of(new Event(NOW, EventReason.FAILED_OPEN, "IPv4", "no member is ready")), told);
  }
}
