package io.apiserverupdater.updater;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
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
  void errorDoesNotKeepTheOthers() {
    sequence.add("first", () -> stopped.add("first"));
    sequence.add(
        "second",
        () -> {
          throw new StackOverflowError();
        });
    sequence.stop();
    assertEquals(List.of("first"), stopped);
  }

  /** The process that a thread without a way back leaves behind. */
  @Test
  @Timeout(30)
  void errorOfOneThreadEndsTheProcess() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                HalfDead.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      assertTrue(process.waitFor(25, TimeUnit.SECONDS), "it goes on");
      assertEquals(2, process.exitValue());
    } finally {
      process.destroyForcibly().waitFor();
    }
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
