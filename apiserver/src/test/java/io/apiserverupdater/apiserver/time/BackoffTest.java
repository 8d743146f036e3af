package io.apiserverupdater.apiserver.time;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private static final Duration FIRST = Duration.ofMillis(100);
  private static final Duration MOST = Duration.ofSeconds(1);

  @Test
  void doublesUpToTheMost() {
    Backoff backoff = new Backoff(FIRST, MOST, () -> 0);
    assertEquals(
        Stream.of(50, 100, 200, 400, 500, 500).map(Duration::ofMillis).toList(),
        Stream.generate(backoff::next).limit(6).toList());
  }

  @Test
  void startsAnewAfterReset() {
    Backoff backoff = new Backoff(FIRST, MOST, () -> 0);
    backoff.next();
    backoff.next();
    backoff.reset();
    assertEquals(Duration.ofMillis(50), backoff.next());
  }

  @Test
  void staysBetweenHalfAndAllOfTheDoubledTime() {
    Random random = new Random(1);
    Backoff backoff = new Backoff(FIRST, MOST, random::nextDouble);
    Duration ceiling = FIRST;
    for (int i = 0; i < 1000; i++) {
      Duration wait = backoff.next();
      assertTrue(wait.compareTo(ceiling.dividedBy(2)) >= 0, wait + " of " + ceiling);
      assertTrue(wait.compareTo(ceiling) < 0, wait + " of " + ceiling);
      ceiling = ceiling.multipliedBy(2).compareTo(MOST) > 0 ? MOST : ceiling.multipliedBy(2);
    }
  }

  @Test
  void replicasDoNotWaitAlike() {
    Backoff a = new Backoff(FIRST, MOST, new Random(1)::nextDouble);
    Backoff b = new Backoff(FIRST, MOST, new Random(2)::nextDouble);
    assertTrue(!a.next().equals(b.next()), "jitter");
  }
}
