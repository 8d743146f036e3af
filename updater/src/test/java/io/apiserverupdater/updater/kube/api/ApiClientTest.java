package io.apiserverupdater.updater.kube.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ApiClientTest {
  @ParameterizedTest
  @CsvSource({
    "3000, 4, 750",
    "2250, 3, 750",
    "1500, 2, 750",
    "750, 1, 750",
    "3000, 1, 3000",
    "3000, 8, 750",
    "1500, 4, 750",
    "1200, 3, 750",
    "300, 3, 300",
  })
  void callSharesItsTimeAmongTheServersThatAreLeft(long left, long servers, long share) {
    assertEquals(
        Duration.ofMillis(share),
        Duration.ofNanos(ApiClient.shareOf(Duration.ofMillis(left).toNanos(), servers)));
  }
}
