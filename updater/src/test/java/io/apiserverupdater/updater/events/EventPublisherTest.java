package io.apiserverupdater.updater.events;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class EventPublisherTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  /** Each call as text; it returns when its answer is there. */
  private static final class Sink implements EventSink {
    final BlockingQueue<String> calls = new LinkedBlockingQueue<>();
    final BlockingQueue<Outcome> answers = new LinkedBlockingQueue<>();
    volatile String subject = "uid-1";
    volatile boolean answersAtOnce = true;

    @Override
    public Optional<String> subject() {
      return Optional.of(subject).filter(uid -> !uid.equals("not read yet"));
    }

    @Override
    public Outcome create(EventSeries series, Duration timeout) {
      return called("create " + series.message() + " x" + series.count());
    }

    @Override
    public Outcome update(EventSeries series, Duration timeout) {
      return called("update " + series.message() + " x" + series.count());
    }

    private Outcome called(String call) {
      // Of the answers that are there before the call is seen.
      Outcome ready = answers.poll();
      calls.add(call);
      try {
        return ready != null ? ready : answersAtOnce ? new Outcome.Done() : answers.take();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return new Outcome.Failed("interrupted");
      }
    }

    String next() throws InterruptedException {
      String call = calls.poll(5, TimeUnit.SECONDS);
      return call == null ? "nothing" : call;
    }
  }

  private final Sink sink = new Sink();
  private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);
  private volatile boolean leads = true;
  private final EventPublisher publisher = new EventPublisher(sink, () -> leads, clock::get);

  EventPublisherTest() {
    publisher.start();
  }

  @AfterEach
  void close() {
    publisher.close();
  }

  private void offer(EventReason reason, String message, long second) {
    publisher.offer(new Event(NOW.plusSeconds(second), reason, "", message));
  }

  /**
   * The next call of another event, after a pause that may begin a moment later than this is asked.
   */
  private String nextAfter(Duration pause) throws InterruptedException {
    for (int i = 0; i < 100; i++) {
      clock.addAndGet(pause.toNanos());
      // It looks up when something comes.
      offer(EventReason.LEADER_ELECTED, "leading", 60);
      String call = sink.calls.poll(50, TimeUnit.MILLISECONDS);
      if (call != null && !call.contains("leading")) {
        return call;
      }
    }
    return "nothing";
  }

  @Test
  void createsOnceAndCountsUpThen() throws Exception {
    offer(EventReason.MEMBER_UNREADY, "a", 0);
    assertEquals("create a x1", sink.next());
    offer(EventReason.MEMBER_UNREADY, "a", 1);
    assertEquals("update a x2", sink.next());
  }

  @Test
  void beginsAnewForAServiceThatWasMadeAnew() throws Exception {
    offer(EventReason.MEMBER_UNREADY, "a", 0);
    assertEquals("create a x1", sink.next());
    sink.subject = "uid-2";
    offer(EventReason.MEMBER_UNREADY, "a", 1);
    assertEquals("create a x1", sink.next());
  }

  @Test
  void waitsUntilTheServiceIsKnown() throws Exception {
    sink.subject = "not read yet";
    offer(EventReason.LEADER_ELECTED, "a", 0);
    assertNull(sink.calls.poll(100, TimeUnit.MILLISECONDS));
    sink.subject = "uid-1";
    assertEquals("create a x1", sink.next());
  }

  @Test
  void beginsAnewWhenTheServerHasForgotten() throws Exception {
    offer(EventReason.MEMBER_UNREADY, "a", 0);
    assertEquals("create a x1", sink.next());
    sink.answers.add(new EventSink.Outcome.Gone());
    offer(EventReason.MEMBER_UNREADY, "a", 1);
    assertEquals("update a x2", sink.next());
    assertEquals("create a x1", sink.next());
  }

  /** A server that never answers holds up nobody but the publisher itself. */
  @Test
  void offerReturnsWhileACallIsUnderWay() throws Exception {
    sink.answersAtOnce = false;
    offer(EventReason.MEMBER_UNREADY, "a", 0);
    assertEquals("create a x1", sink.next());
    for (int i = 0; i < 1_000; i++) {
      offer(EventReason.MEMBER_UNREADY, "number " + i, i);
    }
    offer(EventReason.MEMBER_UNREADY, "number 0", 1_001);
    sink.answersAtOnce = true;
    sink.answers.add(new EventSink.Outcome.Done());
    assertEquals("create number 0 x2", sink.next());
    assertEquals("create number 1 x1", sink.next());
  }

  @Test
  void standbySaysNothingAndTellsWhatItHasSeenLastWhenItLeads() throws Exception {
    leads = false;
    offer(EventReason.MEMBER_UNREADY, "long ago", 0);
    offer(EventReason.MEMBER_UNREADY, "just now", 56);
    leads = true;
    offer(EventReason.LEADER_ELECTED, "leading", 60);
    assertEquals("create just now x1", sink.next());
    assertEquals("create leading x1", sink.next());
    assertNull(sink.calls.poll());
  }

  @Test
  void whatIsRefusedWaits() throws Exception {
    sink.answers.add(new EventSink.Outcome.Rejected("403: forbidden"));
    offer(EventReason.MEMBER_UNREADY, "a", 0);
    assertEquals("create a x1", sink.next());
    offer(EventReason.MEMBER_UNREADY, "b", 1);
    assertNull(sink.calls.poll(200, TimeUnit.MILLISECONDS));
    String first = nextAfter(Duration.ofMinutes(5));
    String second = nextAfter(Duration.ofMinutes(5));
    assertEquals(Set.of("create a x1", "create b x1"), Set.of(first, second));
  }

  @Test
  void failureIsTriedAgain() throws Exception {
    sink.answers.add(new EventSink.Outcome.Failed("no answer"));
    offer(EventReason.MEMBER_UNREADY, "a", 0);
    assertEquals("create a x1", sink.next());
    assertEquals("create a x1", nextAfter(Duration.ofSeconds(1)));
  }

  @Test
  void closeGivesUpTheCallThatIsUnderWay() throws Exception {
    sink.answersAtOnce = false;
    offer(EventReason.MEMBER_UNREADY, "a", 0);
    assertEquals("create a x1", sink.next());
    long before = System.nanoTime();
    publisher.close();
    assertTrue(System.nanoTime() - before < TimeUnit.SECONDS.toNanos(5));
    offer(EventReason.MEMBER_UNREADY, "b", 1);
    assertNull(sink.calls.poll(100, TimeUnit.MILLISECONDS));
  }
}
