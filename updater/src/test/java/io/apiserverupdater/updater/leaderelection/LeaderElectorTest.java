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
  private final LeaderElector elector = new LeaderElector(SETTINGS, view, clock::get, wallClock);

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

  private LeaseRecord heldBy(String holder) {
    return new LeaseRecord(
        holder,
        Duration.ofSeconds(4),
        Optional.of(wallClock.instant()),
        Optional.of(wallClock.instant()),
        3);
  }

  private void seenHeldBy(String holder) {
    lease.put(heldBy(holder));
    view.catchUp();
  }

  @Nested
  class Standby {
    @Test
    void readsThenCreatesTheLease() {
      settle();
      assertEquals(List.of("read", "create"), view.calls);
      assertTrue(elector.isCertain());
      assertEquals("me", elector.holder());
      assertEquals(
          Optional.of(
              new LeaseRecord(
                  "me",
                  Duration.ofSeconds(4),
                  Optional.of(wallClock.instant()),
                  Optional.of(wallClock.instant()),
                  0)),
          lease.stored());
    }

    @Test
    void takesLeaseWithoutSpec() {
      lease.put(LeaseRecord.UNHELD);
      settle();
      assertTrue(elector.isCertain());
      assertEquals(1, lease.stored().orElseThrow().transitions());
    }

    @Test
    void waitsBetweenTriesToCreateLeaseThatReadsDoNotShow() {
      lease.put(heldBy("other"));
      view.listsNothing = true;
      assertEquals(SETTINGS.retryPeriod(), settle());
      assertEquals(List.of("read", "create", "read"), view.calls);
      assertEquals(SETTINGS.retryPeriod(), settleAfter(1000));
      assertEquals(List.of("read", "create", "read", "create", "read"), view.calls);
      view.listsNothing = false;
      view.catchUp();
      assertEquals(Duration.ofSeconds(4), settle());
    }

    @Test
    void waitsForSilentHolder() {
      lease.put(heldBy("other"));
      assertEquals(Duration.ofSeconds(4), settle());
      assertEquals(Duration.ofMillis(1), settleAfter(3999));
      assertEquals(List.of("read"), view.calls);
      settleAfter(1);
      assertTrue(elector.isCertain());
      assertEquals(4, lease.stored().orElseThrow().transitions());
    }

    @Test
    void eachRenewalOfTheHolderBeginsTheWaitAnew() {
      lease.put(heldBy("other"));
      settle();
      advance(3000);
      seenHeldBy("other");
      assertEquals(Duration.ofSeconds(1), settleAfter(3000));
      assertFalse(elector.isCertain());
    }

    @Test
    void changeOfMetadataIsNoSignOfLife() {
      lease.put(heldBy("other"));
      settle();
      advance(3000);
      lease.touch();
      view.catchUp();
      settleAfter(1000);
      assertTrue(elector.isCertain());
    }

    @Test
    void takesReleasedLeaseAtOnce() {
      lease.put(heldBy("other"));
      settle();
      advance(10);
      seenHeldBy("");
      settle();
      assertTrue(elector.isCertain());
    }

    @Test
    void loserOfTheRaceWaitsForTheWinner() {
      seenHeldBy("");
      lease.put(heldBy("other"));
      assertEquals(Duration.ofSeconds(4), settle());
      assertFalse(elector.isCertain());
      assertEquals("other", elector.holder());
      assertEquals(List.of("update", "read"), view.calls);
    }

    @Test
    void loserOfTheRaceToCreateWaitsForTheWinner() {
      view.catchUp();
      lease.put(heldBy("other"));
      assertEquals(Duration.ofSeconds(4), settle());
      assertEquals("other", lease.holder());
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
    void serverThatSaysNoIsAskedSlowly() {
      view.fault = () -> Fault.FORBIDDEN;
      assertEquals(Duration.ofSeconds(15), settle());
      assertEquals(List.of("read"), view.calls);
      view.fault = () -> Fault.NONE;
      settleAfter(15_000);
      assertTrue(elector.isCertain());
    }

    @Test
    void forbiddenCreationIsTriedAgainSlowly() {
      view.catchUp();
      view.fault = () -> view.calls.contains("read") ? Fault.NONE : Fault.FORBIDDEN;
      assertEquals(Duration.ofSeconds(15), settle());
      assertFalse(elector.isCertain());
    }

    @Test
    void lostAnswerToTheCreationCostsOneRetryPeriod() {
      view.catchUp();
      view.fault = () -> view.calls.contains("read") ? Fault.NONE : Fault.ANSWER_LOST;
      assertEquals(Duration.ofSeconds(1), settle());
      assertFalse(elector.isCertain(), "not before the Lease is known to be ours");
      assertEquals("me", lease.holder());
      settleAfter(1000);
      assertTrue(elector.isCertain());
      assertEquals(0, lease.stored().orElseThrow().transitions(), "the holder has not changed");
    }
  }

  @Nested
  class Leader {
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
    void goesOnUntilTheDeadlineWithoutRenewalAndNotLonger() {
      lead();
      view.fault = () -> Fault.REQUEST_LOST;
      for (int i = 0; i < 2; i++) {
        settleAfter(1000);
        assertTrue(elector.isCertain());
      }
      advance(999);
      assertTrue(elector.isCertain());
      advance(1);
      assertFalse(elector.isCertain(), "by the clock alone");
    }

    @Test
    void leadsAgainWhenTheServerIsBackBeforeAnybodyElseCame() {
      lead();
      view.fault = () -> Fault.REQUEST_LOST;
      settleAfter(3000);
      assertFalse(elector.isCertain());
      view.fault = () -> Fault.NONE;
      settleAfter(1000);
      assertTrue(elector.isCertain());
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

    @Test
    void leaderThatIsToldNoTriesOnUntilItsDeadline() {
      lead();
      view.fault = () -> Fault.FORBIDDEN;
      assertEquals(Duration.ofSeconds(1), settleAfter(1000));
      advance(1000);
      view.fault = () -> Fault.NONE;
      settle();
      advance(2999);
      assertTrue(elector.isCertain(), "renewed at the second attempt");
    }

    @Test
    void lostAnswerToRenewalCountsAsNoRenewal() {
      lead();
      advance(1000);
      view.fault = () -> view.calls.contains("read") ? Fault.NONE : Fault.ANSWER_LOST;
      settle();
      advance(1999);
      assertTrue(elector.isCertain());
      advance(1);
      assertFalse(elector.isCertain());
    }

    @Test
    void survivesChangeOfMetadata() {
      lead();
      lease.touch();
      settleAfter(1000);
      assertEquals(List.of("update", "read"), view.calls);
      assertTrue(elector.isCertain());
      settleAfter(1000);
      advance(2999);
      assertTrue(elector.isCertain(), "renewed at the second attempt");
    }

    @Test
    void stopsWhenStrangerHoldsTheLease() {
      lead();
      seenHeldBy("stranger");
      assertEquals(Duration.ofSeconds(4), settle());
      assertFalse(elector.isCertain());
      assertEquals(List.of(), view.calls, "nothing is written over the stranger");
    }

    @Test
    void findsStrangerByTheConflictWhenTheWatchIsSilent() {
      lead();
      lease.put(heldBy("stranger"));
      settleAfter(1000);
      assertFalse(elector.isCertain());
      assertEquals("stranger", lease.holder());
    }

    @Test
    void makesDeletedLeaseAnew() {
      lead();
      lease.delete();
      view.catchUp();
      settle();
      assertEquals(List.of("create"), view.calls);
      assertTrue(elector.isCertain());
      assertEquals("me", lease.holder());
    }

    @Test
    void doesNotLeadBetweenTheDeletionAndTheCreation() {
      lead();
      lease.delete();
      view.catchUp();
      view.fault = () -> Fault.REQUEST_LOST;
      settle();
      assertFalse(elector.isCertain());
    }

    @Test
    void takesItsLeaseBackWhenSomebodyReleasedIt() {
      lead();
      seenHeldBy("");
      settle();
      assertTrue(elector.isCertain());
      assertEquals(4, lease.stored().orElseThrow().transitions());
    }

    /** Half of the deadline, yet not beyond it, and a moment even at its end. */
    @ParameterizedTest
    @CsvSource({"1000, 1500", "2500, 500", "2999, 50"})
    void callEndsBeforeTheDeadline(long afterMillis, long timeoutMillis) {
      lead();
      settleAfter(afterMillis);
      assertEquals(List.of(Duration.ofMillis(timeoutMillis)), view.timeouts);
    }
  }

  @Nested
  class Suspended {
    @Test
    void isNotCertainAfterwardsWithoutAnyCall() {
      lead();
      advance(30_000);
      assertFalse(elector.isCertain());
      assertEquals(List.of(), view.calls);
    }

    @Test
    void doesNotWriteOverWhoeverCameMeanwhile() {
      lead();
      advance(30_000);
      lease.put(heldBy("other"));
      assertEquals(Duration.ofSeconds(4), settle());
      assertFalse(elector.isCertain());
      assertEquals("other", lease.holder());
    }

    @Test
    void renewalThatSleptOnItsWayBackIsWorthWhatIsLeftOfIt() {
      lead();
      advance(1000);
      view.onTheWayBack = () -> advance(2000);
      elector.step(clock.get());
      assertTrue(elector.isCertain(), "one second is left");
      advance(1000);
      assertFalse(elector.isCertain());
    }

    @Test
    void renewalThatSleptPastTheDeadlineIsWorthNothing() {
      lead();
      advance(1000);
      view.onTheWayBack = () -> advance(30_000);
      elector.step(clock.get());
      assertFalse(elector.isCertain());
    }

    @Test
    void acquisitionThatSleptPastTheDeadlineIsWorthNothing() {
      view.onTheWayBack = () -> advance(30_000);
      elector.step(clock.get());
      elector.step(clock.get());
      assertEquals("me", lease.holder());
      assertFalse(elector.isCertain());
    }
  }

  @Nested
  class OnItsThread {
    private final BlockingQueue<String> turns = new LinkedBlockingQueue<>();

    private String turn() throws InterruptedException {
      return Optional.ofNullable(turns.poll(2, TimeUnit.SECONDS)).orElse("nothing");
    }

    @Test
    void releasesOnClose() throws Exception {
      elector.start(turns::add);
      assertEquals("started", turn());
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
      elector.start(turns::add);
      assertEquals("started", turn());
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
      elector.start(turns::add);
      assertEquals("started", turn());
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
