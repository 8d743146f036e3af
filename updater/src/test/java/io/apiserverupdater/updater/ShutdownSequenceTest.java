package io.apiserverupdater.updater;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(5)
class ShutdownSequenceTest {
  private final ShutdownSequence sequence = new ShutdownSequence();
  private final List<String> stopped = new ArrayList<>();

  @Test
  void stopsInTheReverseOrderOfTheStart() {
    sequence.add("first", () -> stopped.add("first"));
    sequence.add("second", () -> stopped.add("second"));
    sequence.add("third", () -> stopped.add("third"));
    sequence.stop();
    assertEquals(List.of("third", "second", "first"), stopped);
  }

  @Test
  void partThatFailsToStopDoesNotKeepTheOthers() {
    sequence.add("first", () -> stopped.add("first"));
    sequence.add(
        "second",
        () -> {
          throw new IllegalStateException("stuck");
        });
    sequence.stop();
    assertEquals(List.of("first"), stopped);
  }

  @Test
  void stopsEachPartOnce() {
    sequence.add("only", () -> stopped.add("only"));
    sequence.stop();
    sequence.stop();
    assertEquals(List.of("only"), stopped);
  }

  @Test
  void awaitReturnsOnceStopped() throws Exception {
    sequence.stop();
    sequence.await();
  }
}
