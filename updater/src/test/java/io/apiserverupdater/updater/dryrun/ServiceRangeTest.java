package io.apiserverupdater.updater.dryrun;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServiceRangeTest {

  private static ServiceRange range(String cidr) {
    return ServiceRange.parse(cidr).orElseThrow();
  }

  /** The first rows are the examples of the Kubernetes documentation. */
  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({
    "10.96.0.0/24, 10.96.0.16, true, true",
    "10.96.0.0/24, 10.96.0.17, true, false",
    "10.96.0.0/20, 10.96.1.0, true, true",
    "10.96.0.0/20, 10.96.1.1, true, false",
    "10.96.0.0/16, 10.96.1.0, true, true",
    "10.96.0.0/16, 10.96.1.1, true, false",
    "10.96.0.0/12, 10.111.255.254, true, false",
    "10.96.0.0/12, 10.112.0.0, false, false",
    "10.96.0.0/12, 10.95.255.255, false, false",
    "10.96.0.0/28, 10.96.0.14, true, true",
    "fd00::/108, fd00::64, true, true",
    "fd00::/108, fd00::101, true, false",
    "fd00::/108, fd00:1::1, false, false",
    "fd00::/108, 10.96.0.1, false, false",
    "10.96.0.0/12, None, false, false"
  })
  void knowsWhatIsInItAndWhatIsLeftToThoseWhoChoose(
      String cidr, String ip, boolean contains, boolean isStatic) {
    assertEquals(contains, range(cidr).contains(ip), "contains");
    assertEquals(isStatic, range(cidr).isStatic(ip), "is static");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "10.96.0.0", "10.96.0.0/33", "fd00::/129", "x/8", "010.0.0.0/8"})
  void readsNothingElse(String text) {
    assertEquals(Optional.empty(), ServiceRange.parse(text));
  }
}
