package io.apiserverupdater.updater.leaderelection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.leaderelection.ModelLease.Fault;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(5)
class LeaderElectorTest {
  private static final ElectionSettings SETTINGS =
      new ElectionSettings(
          "me", Duration.ofSeconds(4), Duration.ofSeconds(3), Duration.ofSeconds(1));

  private final AtomicLong clock = new AtomicLong(ms(1_000_000));
  private final SteppedClock wallClock = new SteppedClock(clock::get, Duration.ZERO);
  private final ModelLease lease = new ModelLease(clock::get);
  private final ModelLease.View view = lease.new View();
  private boolean fit = true;
  private final LeaderElector elector =
      new LeaderElector(SETTINGS, view, () -> fit, clock::get, wallClock);

  private static long ms(long millis) {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }

  /** Steps until there is nothing more to do at this moment; returns when to go on, from now. */
  private Duration settle() {
    for (int i = 0; i < 10; i++) {
      long next = elector.step(clock.get());
      if (next > clock.get()) {
        return Duration.ofNanos(next - clock.get());
      }
    }
    throw new AssertionError("spins: " + view.calls);
  }

  private void advance(long millis) {
    clock.addAndGet(ms(millis));
  }

  private Duration settleAfter(long millis) {
    advance(millis);
    return settle();
  }

  private void lead() {
    settle();
    assertTrue(elector.isCertain());
    view.calls.clear();
    view.timeouts.clear();
  }

  private LeaseRecord heldBy(String holder, int transitions) {
    Optional<Instant> now = Optional.of(wallClock.instant());
    return new LeaseRecord(holder, SETTINGS.leaseDuration(), now, now, transitions);
  }

  private LeaseRecord heldBy(String holder) {
    return heldBy(holder, 3);
  }

  private void seenHeldBy(String holder) {
    lease.put(heldBy(holder));
    view.catchUp();
  }

  /**
   * Carries out the steps of a table's row, one after the other: what happens to the Lease or to
   * the calls, how many milliseconds {@code pass}, that the elector does all that there is to do
   * ({@code settle}); and behind a {@code =}, what is then to be seen. {@code waits=PT4S} is a
   * {@code settle} after which there is nothing to do for four seconds.
   */
  private void play(String situation, String steps) {
    for (String step : steps.strip().split("\\s+", -1)) {
      String[] parts = step.split("[:=]", 2);
      String what = parts[parts.length - 1];
      String where = situation + ", at " + step;
      switch (parts[0]) {
        case "held" -> lease.put(heldBy(what));
        case "seenHeld" -> seenHeldBy(what);
        case "seenReleased" -> seenHeldBy("");
        case "withoutSpec" -> lease.put(LeaseRecord.UNHELD);
        case "touched" -> lease.touch();
        case "seenDeleted" -> {
          lease.delete();
          view.catchUp();
        }
        case "seen" -> view.catchUp();
        case "readsShowNothing" -> view.listsNothing = Boolean.parseBoolean(what);
        case "fault" -> view.fault = () -> Fault.valueOf(what);
        case "faultUntilRead" ->
            view.fault = () -> view.calls.contains("read") ? Fault.NONE : Fault.valueOf(what);
        case "sleepsOnTheWayBack" -> view.onTheWayBack = () -> advance(Long.parseLong(what));
        case "pass" -> advance(Long.parseLong(what));
        case "step" -> elector.step(clock.get());
        case "settle" -> settle();
        case "waits" -> assertEquals(what, settle().toString(), where);
        case "certain" -> assertEquals(Boolean.valueOf(what), elector.isCertain(), where);
        case "calls" -> assertEquals(what, String.join(",", view.calls), where);
        case "holder" -> assertEquals(what, lease.holder(), where);
        case "knownHolder" -> assertEquals(what, elector.holder(), where);
        case "transitions" ->
            assertEquals(Integer.parseInt(what), lease.stored().orElseThrow().transitions(), where);
        default -> throw new IllegalArgumentException(step);
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          takes a Lease without a spec | withoutSpec settle certain=true transitions=1
          waits between tries to create a Lease that reads do not show |\
            held:other readsShowNothing:true waits=PT1S calls=read,create,read \
            pass:1000 waits=PT1S calls=read,create,read,create,read \
            readsShowNothing:false seen waits=PT4S
          waits for a silent holder |\
            held:other waits=PT4S pass:3999 waits=PT0.001S calls=read \
            pass:1 settle certain=true transitions=4
          each renewal of the holder restarts the wait |\
            held:other settle pass:3000 seenHeld:other pass:3000 waits=PT1S certain=false
          a change of metadata is no sign of life |\
            held:other settle pass:3000 touched seen pass:1000 settle certain=true
          takes a released Lease at once |\
            held:other settle pass:10 seenReleased settle certain=true
          the loser of the race waits for the winner |\
            seenReleased held:other waits=PT4S certain=false knownHolder=other calls=update,read
          the loser of the race to create waits for the winner |\
            seen held:other waits=PT4S holder=other
          one no may be that of an apiserver that has just started |\
            fault:FORBIDDEN waits=PT1S calls=read fault:NONE pass:1000 settle certain=true
          whoever is told no again and again asks slowly |\
            fault:FORBIDDEN settle pass:1000 settle pass:1000 settle pass:1000 settle pass:1000 \
            waits=PT1S pass:1000 waits=PT15S fault:NONE pass:15000 settle certain=true
          a forbidden creation is tried again |\
            seen faultUntilRead:FORBIDDEN waits=PT1S certain=false
          # Not certain before the Lease is known to be ours; and its holder has not changed.
          a lost answer to the creation costs one retry period |\
            seen faultUntilRead:ANSWER_LOST waits=PT1S certain=false holder=me \
            pass:1000 settle certain=true transitions=0
          an acquisition that slept past the deadline is worth nothing |\
            sleepsOnTheWayBack:30000 step step holder=me certain=false
          """)
  void standby(String situation, String steps) {
    play(situation, steps);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          goes on until the deadline without renewal, and by the clock alone not longer |\
            fault:REQUEST_LOST pass:1000 settle certain=true pass:1000 settle certain=true \
            pass:999 certain=true pass:1 certain=false
          leads again when the server is back before anybody else came |\
            fault:REQUEST_LOST pass:3000 settle certain=false \
            fault:NONE pass:1000 settle certain=true
          who is told no tries on and is renewed at the second attempt |\
            fault:FORBIDDEN pass:1000 waits=PT1S pass:1000 fault:NONE settle \
            pass:2999 certain=true
          a lost answer to a renewal counts as no renewal |\
            pass:1000 faultUntilRead:ANSWER_LOST settle pass:1999 certain=true \
            pass:1 certain=false
          survives a change of metadata and is renewed at the second attempt |\
            touched pass:1000 settle calls=update,read certain=true \
            pass:1000 settle pass:2999 certain=true
          stops when a stranger holds the Lease, and writes nothing over it |\
            seenHeld:stranger waits=PT4S certain=false calls=
          finds a stranger by the conflict when the watch is silent |\
            held:stranger pass:1000 settle certain=false holder=stranger
          recreates a deleted Lease | seenDeleted settle calls=create certain=true holder=me
          does not lead between the deletion and the creation |\
            seenDeleted fault:REQUEST_LOST settle certain=false
          takes its Lease back when somebody released it |\
            seenReleased settle certain=true transitions=4
          # Suspended, as a process on a machine that sleeps.
          after a suspension it is not certain without any call | pass:30000 certain=false calls=
          after a suspension it does not write over whoever came meanwhile |\
            pass:30000 held:other waits=PT4S certain=false holder=other
          a renewal that slept on its way back is worth the second that is left of it |\
            pass:1000 sleepsOnTheWayBack:2000 step certain=true pass:1000 certain=false
          a renewal that slept past the deadline is worth nothing |\
            pass:1000 sleepsOnTheWayBack:30000 step certain=false
          """)
  void leader(String situation, String steps) {
    lead();
    play(situation, steps);
  }

  @Test
  void readsThenCreatesTheLease() {
    settle();
    assertEquals(List.of("read", "create"), view.calls);
    assertTrue(elector.isCertain());
    assertEquals("me", elector.holder());
    assertEquals(Optional.of(heldBy("me", 0)), lease.stored());
  }

  @Test
  void whoCannotDoTheWorkHandsTheLeaseOverAndDoesNotAskForIt() {
    lead();
    fit = false;
    assertEquals(Duration.ofSeconds(1), settleAfter(1000));
    assertFalse(elector.isCertain());
    assertEquals("", lease.holder(), "released");
    assertEquals(Duration.ofSeconds(1), settleAfter(1000));
    assertEquals(List.of("release"), view.calls, "nothing is asked for");
    fit = true;
    settleAfter(1000);
    assertTrue(elector.isCertain());
  }

  @Test
  void unreachableServerIsAskedOncePerRetryPeriod() {
    view.fault = () -> Fault.REQUEST_LOST;
    for (int i = 1; i <= 5; i++) {
      assertEquals(Duration.ofSeconds(1), settle());
      assertEquals(i, view.calls.size());
      advance(1000);
    }
    assertFalse(elector.isCertain());
  }

  @Test
  void renewsEachRetryPeriod() {
    lead();
    for (int i = 1; i <= 10; i++) {
      assertEquals(Duration.ofSeconds(1), settle());
      settleAfter(999);
      assertEquals(i - 1, view.calls.size());
      settleAfter(1);
      assertEquals(i, view.calls.size());
      assertTrue(elector.isCertain());
    }
    assertEquals(0, lease.stored().orElseThrow().transitions());
  }

  @Test
  void renewalKeepsTheTimeOfAcquisition() {
    lead();
    Instant acquired = wallClock.instant();
    settleAfter(1000);
    LeaseRecord renewed = lease.stored().orElseThrow();
    assertEquals(Optional.of(acquired), renewed.acquireTime());
    assertEquals(Optional.of(acquired.plusSeconds(1)), renewed.renewTime());
  }

  @Test
  void saysForHowLongItIsCertain() {
    assertEquals(Duration.ZERO, elector.certainFor());
    lead();
    assertEquals(Duration.ofSeconds(3), elector.certainFor());
    advance(2999);
    assertEquals(Duration.ofMillis(1), elector.certainFor());
    advance(1);
    assertEquals(Duration.ZERO, elector.certainFor());
    advance(30_000);
    assertEquals(Duration.ZERO, elector.certainFor());
  }

  @Test
  void tellsThatItIsCertainAgainAfterLateRenewal() {
    BlockingQueue<String> turns = new LinkedBlockingQueue<>();
    elector.tell(turns::add);
    lead();
    advance(1000);
    view.fault =
        () -> {
          advance(2500);
          assertFalse(elector.isCertain(), "while the call is under way");
          return Fault.NONE;
        };
    elector.step(clock.get());
    assertTrue(elector.isCertain());
    assertEquals(List.of("started", "certain again"), List.copyOf(turns));
  }

  /** Half of the deadline, yet not beyond it, and a moment even at its end. */
  @ParameterizedTest
  @CsvSource({"1000, 1500", "2500, 500", "2999, 50"})
  void callEndsBeforeTheDeadline(long afterMillis, long timeoutMillis) {
    lead();
    settleAfter(afterMillis);
    assertEquals(List.of(Duration.ofMillis(timeoutMillis)), view.timeouts);
  }

  @Nested
  class OnItsThread {
    private final BlockingQueue<String> turns = new LinkedBlockingQueue<>();

    private String turn() throws InterruptedException {
      return Optional.ofNullable(turns.poll(2, TimeUnit.SECONDS)).orElse("nothing");
    }

    private void startLeading() throws InterruptedException {
      elector.start(turns::add);
      assertEquals("started", turn());
    }

    @Test
    void releasesOnClose() throws Exception {
      startLeading();
      elector.close();
      assertEquals("stopped: shutting down", turn());
      assertFalse(elector.isAlive());
      assertFalse(elector.isCertain());
      assertEquals("release", view.calls.get(view.calls.size() - 1));
      LeaseRecord released = lease.stored().orElseThrow();
      assertTrue(released.isUnheld());
      assertEquals(Duration.ofSeconds(1), released.duration());
      assertTrue(released.acquireTime().isPresent());
    }

    /**
     * Nobody answers a renewal for longer than until the next one is due, and then comes SIGTERM.
     */
    @Test
    void releasesAlthoughACallHadToBeInterrupted() throws Exception {
      startLeading();
      CountDownLatch renewing = new CountDownLatch(1);
      AtomicBoolean interrupted = new AtomicBoolean();
      view.fault =
          () -> {
            interrupted.set(Thread.currentThread().isInterrupted());
            if (renewing.getCount() == 0) {
              return interrupted.get() ? Fault.REQUEST_LOST : Fault.NONE;
            }
            renewing.countDown();
            try {
              TimeUnit.SECONDS.sleep(10);
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            clock.addAndGet(SETTINGS.retryPeriod().toNanos() + 1);
            return Fault.REQUEST_LOST;
          };
      advance(SETTINGS.retryPeriod().toMillis());
      view.catchUp();
      assertTrue(renewing.await(2, TimeUnit.SECONDS));
      elector.close();
      assertEquals("release", view.calls.get(view.calls.size() - 1));
      assertFalse(interrupted.get(), "the last call is not cut short");
      assertTrue(lease.stored().orElseThrow().isUnheld());
    }

    @Test
    void closingStandbyWritesNothing() throws Exception {
      lease.put(heldBy("other"));
      elector.start(turns::add);
      elector.close();
      assertFalse(elector.isAlive());
      assertEquals("other", lease.holder());
      assertFalse(view.calls.contains("update"), view.calls.toString());
      assertTrue(turns.isEmpty());
    }

    @Test
    void doesNotReleaseWhatIsNotCertainlyOurs() throws Exception {
      startLeading();
      advance(30_000);
      lease.put(heldBy("other"));
      elector.close();
      assertEquals("other", lease.holder());
      assertFalse(view.calls.contains("release"), view.calls.toString());
    }

    @Test
    void watchWakesTheThread() throws Exception {
      lease.put(heldBy("other"));
      elector.start(turns::add);
      assertEquals("nothing", Optional.ofNullable(turns.poll()).orElse("nothing"));
      seenHeldBy("");
      assertEquals("started", turn());
      elector.close();
    }

    @Test
    void survivesFaultInTheLock() throws Exception {
      AtomicInteger calls = new AtomicInteger();
      view.fault =
          () -> {
            if (calls.incrementAndGet() == 1) {
              throw new IllegalStateException("unexpected");
            }
            return Fault.NONE;
          };
      elector.start(turns::add);
      while (calls.get() == 0) {
        Thread.onSpinWait();
      }
      advance(1000);
      view.catchUp();
      assertEquals("started", turn());
      elector.close();
    }
  }

  @Test
  void withoutElectionOneIsAlwaysCertain() {
    assertTrue(Leadership.always().isCertain());
  }

  @Test
  void closingWhatNeverStartedReturns() {
    elector.close();
    assertFalse(elector.isAlive());
    assertEquals(List.of(), view.calls);
  }
}
