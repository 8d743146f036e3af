package io.apiserverupdater.bootstrap.commands;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.bootstrap.commands.Retries.Ended;
import io.apiserverupdater.bootstrap.commands.Retries.Step;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RetriesTest {
  private static final Duration INTERVAL = Duration.ofSeconds(30);
  private static final Step FINISH = new Step.Finish();
  private static final Step TOLD = new Step.TryAgain(INTERVAL, true);
  private static final Step UNTOLD = new Step.TryAgain(INTERVAL, false);
  private static final Ended DISK_FULL = new Ended(1, Optional.of("No space left on device"));

  private final Retries retries = new Retries();
  private long now = Long.MAX_VALUE - 1;

  private Step after(Ended ended) {
    return retries.after(ended, Optional.of(INTERVAL), now);
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  void successAndWrongConfigurationAreFinal(int exitCode) {
    assertEquals(FINISH, after(new Ended(exitCode, Optional.empty())));
    assertEquals(TOLD, after(DISK_FULL));
    assertEquals(FINISH, after(new Ended(exitCode, Optional.empty())));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4})
  void everyOtherFailureIsTriedAgain(int exitCode) {
    assertEquals(TOLD, after(new Ended(exitCode, Optional.empty())));
  }

  @Test
  void withoutIntervalThereIsOneAttempt() {
    assertEquals(FINISH, retries.after(DISK_FULL, Optional.empty(), now));
  }

  @Test
  void sameFailureIsToldOnceInTenMinutes() {
    assertEquals(TOLD, after(DISK_FULL));
    for (int round = 0; round < 3; round++) {
      for (int attempt = 1; attempt < 20; attempt++) {
        pass(INTERVAL);
        assertEquals(UNTOLD, after(DISK_FULL));
      }
      pass(INTERVAL);
      assertEquals(TOLD, after(DISK_FULL));
    }
  }

  @Test
  void anotherFailureIsToldAtOnce() {
    Ended locked = new Ended(1, Optional.of("another apiserver-bootstrap has been running"));
    assertEquals(TOLD, after(DISK_FULL));
    assertEquals(TOLD, after(locked));
    assertEquals(UNTOLD, after(locked));
    assertEquals(TOLD, after(new Ended(4, Optional.empty())));
    assertEquals(TOLD, after(DISK_FULL));
  }
}
