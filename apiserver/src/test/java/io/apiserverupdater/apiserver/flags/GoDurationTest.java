package io.apiserverupdater.apiserver.flags;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GoDurationTest {
  private static final FlagType<Duration> UP_TO_ONE_DAY =
      FlagType.duration(Duration.ZERO, Duration.ofHours(24));

  @ParameterizedTest
  @CsvSource({
    "500ms,500",
    "4s,4000",
    "1m30s,90000",
    "24h,86400000",
    "0,0",
    "0s,0",
    "1.5s,1500",
    "0.1m,6000"
  })
  void durationsAreReadAsGoWritesThem(String text, long millis) {
    assertEquals(Optional.of(Duration.ofMillis(millis)), UP_TO_ONE_DAY.read(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "5",
        "s",
        "-1s",
        "1.s",
        ".5s",
        "1.5",
        "1d",
        "25h",
        "99999999999s",
        "999999999h",
        "1s 2s",
        "1s2",
        "0.1ms0",
        "5 s",
        "5s "
      })
  void otherDurationsAreRefused(String text) {
    assertEquals(Optional.empty(), UP_TO_ONE_DAY.read(text));
  }

  @ParameterizedTest
  @CsvSource({"0,0ms", "4500,4500ms", "1,1ms", "4000,4s", "90000,90s", "120000,2m", "86400000,24h"})
  void areWrittenInTheLargestUnitThatIsEnough(long millis, String expected) {
    assertEquals(expected, GoDuration.format(Duration.ofMillis(millis)));
    assertEquals(Optional.of(Duration.ofMillis(millis)), GoDuration.parse(expected));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "0s", "0.999ms", "3601s", "1h0.001ms"})
  void boundsAreHeldExactly(String text) {
    FlagType<Duration> bounded = FlagType.duration(Duration.ofMillis(1), Duration.ofHours(1));
    assertEquals(Optional.empty(), bounded.read(text));
    assertEquals("a duration from 1ms to 1h, such as 500ms, 30s or 1m30s", bounded.expected());
  }
}
