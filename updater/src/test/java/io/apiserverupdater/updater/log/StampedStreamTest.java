package io.apiserverupdater.updater.log;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class StampedStreamTest {
  @Test
  void putsTheTimeInFrontOfEachLine() {
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    Clock clock = Clock.fixed(Instant.parse("2026-01-02T03:04:05.006Z"), ZoneOffset.UTC);
    try (StampedStream stream =
        new StampedStream(new PrintStream(written, true, StandardCharsets.UTF_8), clock)) {
      stream.println("leading=true");
      stream.println("holder=ä\n2026-01-02T03:04:05.007Z leading=false");
    }
    assertEquals(
        """
        2026-01-02T03:04:05.006Z leading=true
        2026-01-02T03:04:05.006Z holder=ä\\u000a2026-01-02T03:04:05.007Z leading=false
        """,
        written.toString(StandardCharsets.UTF_8));
  }
}
