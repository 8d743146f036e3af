package io.apiserverupdater.bootstrap.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverProbe;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProbeThreadsTest {
  private static final ApiserverAddress ADDRESS =
      ApiserverAddress.parse("10.0.0.1", 6443).orElseThrow();

  private static Probing.Answer answerOf(ApiserverProbe probe) throws InterruptedException {
    ProbeThreads threads = new ProbeThreads(probe);
    threads.ask(ADDRESS, Duration.ofSeconds(1));
    return threads.await(threads.now() + Duration.ofSeconds(10).toNanos()).orElseThrow();
  }

  @Test
  void everyQuestionHasAnAnswer() throws InterruptedException {
    assertEquals(
        new Probing.Answer(ADDRESS, new ProbeResult.Ready()),
        answerOf((address, deadline) -> new ProbeResult.Ready()));
    List<Throwable> thrown =
        List.of(new IllegalStateException("a"), new OutOfMemoryError("b"), new LinkageError("c"));
    for (Throwable one : thrown) {
      ProbeResult result =
          answerOf(
                  (address, deadline) -> {
                    if (one instanceof Error error) {
                      throw error;
                    }
                    throw (RuntimeException) one;
                  })
              .result();
      assertEquals(
          "the probe failed: " + one,
          assertInstanceOf(ProbeResult.Unreachable.class, result).detail());
    }
  }
}
