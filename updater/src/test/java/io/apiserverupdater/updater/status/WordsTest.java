package io.apiserverupdater.updater.status;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordsTest {
  @ParameterizedTest
  @CsvSource({
    "PT-5S, 0s",
    "PT0.9S, 0s",
    "PT119S, 119s",
    "PT2M, 2m",
    "PT9M59S, 9m59s",
    "PT10M30S, 10m",
    "PT2H59M, 179m",
    "PT3H, 3h",
    "PT7H59M, 7h59m",
    "PT8H1M, 8h",
    "PT47H, 47h",
    "PT48H, 2d",
    "PT77H, 3d5h",
    "P8D, 8d",
    "P364D, 364d"
  })
  void agesAreThoseOfKubectl(Duration age, String words) {
    assertEquals(words, Words.age(age));
  }

  @Test
  void drainedMemberIsToldForHowLong() {
    assertEquals(
        "not ready, drained for another 20m",
        Words.published(Reports.saying("x").members().get(0), Reports.NOW));
    assertEquals("ready", Words.published(Reports.well().members().get(0), Reports.NOW));
  }

  @Test
  void latencyIsInMilliseconds() {
    assertEquals("0.4 ms", Words.latency(Duration.ofNanos(432_100)));
    assertEquals("346 ms", Words.latency(Duration.ofMillis(346)));
  }
}
