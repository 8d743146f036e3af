package io.apiserverupdater.updater.leaderelection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.leaderelection.ModelLease.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Several electors on one Lease, with everything that delays and loses: requests and answers that
 * are lost or arrive late, silent watches, suspended and killed processes, wrong wall clocks. While
 * one is in a call the others go on. The rule: never are two certain at the same moment.
 */
class LeaderElectorModelTest {
  private static final int SEEDS = 300;
  private static final Duration STORM = Duration.ofSeconds(60);
  private static final Duration DURATION = Duration.ofSeconds(4);
  private static final Duration CALM = Duration.ofSeconds(12);

  private static final class Story {
    private final Random random;
    private final AtomicLong clock;
    private final ModelLease lease;
    private final List<Participant> participants = new ArrayList<>();
    private final String name;
    private boolean storm = true;
    private int nested;
    private int started;
    int turns;
    private Optional<String> lastLeader = Optional.empty();

    private final List<Duration> durations;

    /**
     * Begins one.
     *
     * @param durations each replica asks for one of these
     */
    Story(long seed, List<Duration> durations) {
      this.durations = durations;
      random = new Random(seed);
      clock = new AtomicLong(random.nextLong());
      lease = new ModelLease(clock::get);
      name = "seed " + seed;
      for (int i = 2 + random.nextInt(2); i > 0; i--) {
        participants.add(new Participant());
      }
    }

    private final class Participant {
      final String identity = "replica-" + started++;
      final ModelLease.View view = lease.new View();
      final LeaderElector elector;
      long next = clock.get();
      long suspendedUntil = clock.get();
      long cutOffUntil = clock.get();
      boolean inCall;

      Participant() {
        Duration asked = durations.get(random.nextInt(durations.size()));
        Duration deadline = asked.multipliedBy(3).dividedBy(4);
        ElectionSettings settings =
            new ElectionSettings(identity, asked, deadline, deadline.dividedBy(3));
        Duration error = Duration.ofMillis(random.nextInt(7_200_000) - 3_600_000L);
        elector =
            new LeaderElector(
                settings, view, () -> true, clock::get, new SteppedClock(clock::get, error));
        view.fault = this::fault;
        view.onTheWay = this::travel;
        view.onTheWayBack = this::travel;
      }

      private Fault fault() {
        if (clock.get() - cutOffUntil < 0) {
          return random.nextBoolean() ? Fault.REQUEST_LOST : Fault.REQUEST_LATE;
        }
        int dice = storm ? random.nextInt(20) : 19;
        return switch (dice) {
          case 0 -> Fault.REQUEST_LOST;
          case 1 -> Fault.ANSWER_LOST;
          case 2 -> Fault.REQUEST_LATE;
          default -> Fault.NONE;
        };
      }

      /** The others go on while this one waits. */
      private void travel() {
        if (!storm || nested > 1 || random.nextInt(4) > 0) {
          return;
        }
        nested++;
        for (int i = random.nextInt(10); i > 0; i--) {
          tick(1 + random.nextInt(700));
        }
        nested--;
      }

      void go() {
        long now = clock.get();
        if (inCall || now - suspendedUntil < 0) {
          return;
        }
        if (now - cutOffUntil >= 0 && (!storm || random.nextInt(3) > 0)) {
          view.catchUp();
          next = now;
        }
        inCall = true;
        while (next - now <= 0 && now - suspendedUntil >= 0) {
          next = elector.step(now);
          check();
          if (clock.get() != now) {
            break;
          }
        }
        inCall = false;
      }
    }

    /** Time passes, something may happen, and everybody who can goes on. */
    void tick(int millis) {
      clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
      check();
      if (random.nextInt(10) == 0) {
        lease.deliverLateWrites();
      }
      if (storm) {
        happen();
      }
      List<Participant> order = new ArrayList<>(participants);
      Collections.shuffle(order, random);
      for (Participant participant : order) {
        if (participants.contains(participant)) {
          participant.go();
        }
      }
    }

    private void happen() {
      Participant one = participants.get(random.nextInt(participants.size()));
      long until = clock.get() + TimeUnit.MILLISECONDS.toNanos(random.nextInt(10_000));
      switch (random.nextInt(100)) {
        case 0 -> one.suspendedUntil = until;
        case 1 -> one.cutOffUntil = until;
        case 2 -> replace(one);
        case 3 -> {
          if (one.elector.isCertain() && !one.inCall && lease.holder().equals(one.identity)) {
            // It stops in good order: nobody leads between its release and the next acquisition.
            lease.put(
                new LeaseRecord("", Duration.ofSeconds(1), Optional.empty(), Optional.empty(), 0));
            replace(one);
          }
        }
        case 4 -> lease.touch();
        default -> {
          // Nothing.
        }
      }
    }

    /** A killed process is as silent as a gone one; its successor is a stranger to the Lease. */
    private void replace(Participant one) {
      if (!one.inCall) {
        participants.remove(one);
        participants.add(new Participant());
      }
    }

    private List<String> certain() {
      return participants.stream()
          .filter(participant -> participant.elector.isCertain())
          .map(participant -> participant.identity)
          .toList();
    }

    void check() {
      List<String> certain = certain();
      assertTrue(certain.size() <= 1, name + ": certain at once: " + certain);
      Optional<String> leader = certain.stream().findFirst();
      if (leader.isPresent() && !leader.equals(lastLeader)) {
        lastLeader = leader;
        turns++;
      }
    }

    void run(Duration length, int mostMillis) {
      long end = clock.get() + length.toNanos();
      while (clock.get() - end < 0) {
        tick(1 + random.nextInt(mostMillis));
      }
    }

    void calmDown() {
      storm = false;
      for (Participant participant : participants) {
        participant.suspendedUntil = clock.get();
        participant.cutOffUntil = clock.get();
      }
    }
  }

  @Test
  void neverAreTwoCertainAndInTheEndSomebodyLeads() {
    play(SEEDS, List.of(DURATION), CALM);
  }

  @Test
  void replicasWithDifferentFlagsAreNeverCertainAtOnceEither() {
    Duration longest = Duration.ofSeconds(15);
    play(SEEDS, List.of(Duration.ofSeconds(1), DURATION, longest), longest.plus(CALM));
  }

  private static void play(int seeds, List<Duration> durations, Duration calm) {
    int turns = 0;
    for (long seed = 0; seed < seeds; seed++) {
      Story story = new Story(seed, durations);
      story.run(STORM, 300);
      story.calmDown();
      story.run(calm, 100);
      assertEquals(1, story.certain().size(), story.name + ": somebody leads in the calm");
      assertEquals(story.certain().get(0), story.lease.holder(), story.name);
      turns += story.turns;
    }
    assertTrue(turns > 3 * seeds, "the seeds reach many leader changes: " + turns);
  }

  @Test
  void inTheCalmOneGoesOnLeading() {
    Story story = new Story(7, List.of(DURATION));
    story.calmDown();
    story.run(Duration.ofMinutes(10), 100);
    assertEquals(1, story.turns);
  }
}
