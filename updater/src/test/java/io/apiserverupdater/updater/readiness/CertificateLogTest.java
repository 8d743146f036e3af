package io.apiserverupdater.updater.readiness;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.updater.endpoints.Member;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class CertificateLogTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final Member A = new Member("192.0.2.1", 6443);
  private static final Member B = new Member("192.0.2.2", 6443);
  private static final String TELLS_OF_A =
      "CertificateExpiring 192.0.2.1:6443:"
          + " the certificate of 192.0.2.1:6443 expires at 2026-01-14T03:04:05Z";

  private final AtomicLong monotonic = new AtomicLong(Long.MAX_VALUE - 5);
  private final List<String> events = new ArrayList<>();
  private final CertificateLog log =
      new CertificateLog(
          (reason, about, message) -> events.add(reason + " " + about + ": " + message),
          Clock.fixed(NOW, ZoneOffset.UTC),
          monotonic::get);

  private void observe(Member member, int daysLeft) {
    log.observe(member, NOW.plus(Duration.ofDays(daysLeft)));
  }

  @Test
  void oneThatIsValidForLongIsNotTold() {
    observe(A, 31);
    assertEquals(List.of(), events);
  }

  @Test
  void oneThatExpiresSoonIsToldOnceADay() {
    observe(A, 12);
    observe(A, 12);
    assertEquals(List.of(TELLS_OF_A), events);
    monotonic.addAndGet(Duration.ofDays(1).toNanos() - 1);
    observe(A, 12);
    assertEquals(List.of(TELLS_OF_A), events);
    monotonic.incrementAndGet();
    observe(A, 12);
    observe(A, 12);
    // The same words, so that they are counted up.
    assertEquals(List.of(TELLS_OF_A, TELLS_OF_A), events);
  }

  @Test
  void eachMemberAndEachCertificateIsToldOf() {
    observe(A, 12);
    observe(B, 12);
    observe(A, 13);
    observe(A, 12);
    assertEquals(3, events.size(), events::toString);
  }

  @Test
  void oneThatHasExpiredIsToldToo() {
    observe(B, -1);
    assertEquals(
        List.of(
            "CertificateExpiring 192.0.2.2:6443:"
                + " the certificate of 192.0.2.2:6443 expired at 2026-01-01T03:04:05Z"),
        events);
  }
}
