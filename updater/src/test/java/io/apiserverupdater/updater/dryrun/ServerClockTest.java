package io.apiserverupdater.updater.dryrun;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.updater.endpoints.Member;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerClockTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  /** Each asked at 200 ms past noon by this machine's clock, and answered 100 ms later. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0     | ''",
        "0 0 0 | ''",
        // A server may be in the second before or after this one although its clock is right.
        "-1    | ''",
        "1     | this machine is at least 0.7 s behind that of member 10.0.0.1:6443",
        "2     | this machine is at least 1.7 s behind that of member 10.0.0.1:6443",
        "-2    | this machine is at least 1.2 s ahead of that of member 10.0.0.1:6443",
        "0 3   | member 10.0.0.2:6443 is at least 1.9 s ahead of that of member 10.0.0.1:6443",
        "5 5 5 | this machine is at least 4.7 s behind that of member 10.0.0.1:6443"
      })
  void saysWhatIsCertain(String seconds, String said) {
    List<ServerClock> clocks = new ArrayList<>();
    for (String told : seconds.split(" ", -1)) {
      clocks.add(
          ServerClock.of(
              new Member("10.0.0." + (clocks.size() + 1), 6443),
              NOON.plusSeconds(Long.parseLong(told)),
              NOON.plusMillis(200),
              NOON.plusMillis(300)));
    }
    List<String> warnings = ServerClock.warnings(clocks);
    assertEquals(
        said.isEmpty() ? List.of() : List.of("the clock of " + said),
        warnings.stream().map(warning -> warning.substring(0, warning.indexOf(";"))).toList());
  }
}
