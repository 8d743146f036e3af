package io.apiserverupdater.updater.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HealthReportTest {
  private static final HealthCheck GOOD = HealthCheck.live("ping", () -> true, "never");
  private static final HealthCheck BAD =
      HealthCheck.ready("apiserver", () -> Optional.of("no answer for 12s"));
  private static final HealthCheck FINE = HealthCheck.ready("caches", Optional::empty);

  @Test
  void okAloneWhenAllIsWell() {
    assertEquals(
        new HealthReport(200, "ok"),
        HealthReport.of("readyz", List.of(GOOD, FINE), Set.of(), false));
  }

  @Test
  void lineForEachCheckWhenAskedFor() {
    assertEquals(
        new HealthReport(200, "[+]ping ok\n[+]caches ok\nreadyz check passed\n"),
        HealthReport.of("readyz", List.of(GOOD, FINE), Set.of(), true));
  }

  @Test
  void detailIsToldOfWhatIsWell() {
    HealthCheck telling = FINE.saying(() -> "2 of 3");
    assertEquals(
        new HealthReport(200, "[+]caches ok: 2 of 3\nreadyz check passed\n"),
        HealthReport.of("readyz", List.of(telling), Set.of(), true));
    assertEquals(
        new HealthReport(500, "[-]apiserver failed: no answer for 12s\nreadyz check failed\n"),
        HealthReport.of("readyz", List.of(BAD.saying(() -> "2 of 3")), Set.of(), true));
  }

  @Test
  void lineForEachCheckWhenSomethingFails() {
    HealthReport expected =
        new HealthReport(
            500, "[+]ping ok\n[-]apiserver failed: no answer for 12s\nreadyz check failed\n");
    assertEquals(expected, HealthReport.of("readyz", List.of(GOOD, BAD), Set.of(), false));
    assertEquals(expected, HealthReport.of("readyz", List.of(GOOD, BAD), Set.of(), true));
  }

  /** What failed may be in a server's own words. */
  @Test
  void foreignTextIsNoCheckOfItsOwn() {
    HealthCheck forged =
        HealthCheck.ready("caches", () -> Optional.of("403\n[+]leaderelection ok\u001b[2J"));
    assertEquals(
        "[-]caches failed: 403\\u000a[+]leaderelection ok\\u001b[2J\nreadyz check failed\n",
        HealthReport.of("readyz", List.of(forged), Set.of(), false).text());
    HealthCheck telling = FINE.saying(() -> "1\n2");
    assertEquals(
        "[+]caches ok: 1\\u000a2\nreadyz check passed\n",
        HealthReport.of("readyz", List.of(telling), Set.of(), true).text());
  }

  @Test
  void excludedCheckDoesNotCountAndIsNotAsked() {
    HealthCheck asked =
        HealthCheck.ready(
            "apiserver",
            () -> {
              throw new AssertionError("asked");
            });
    assertEquals(
        new HealthReport(200, "[+]ping ok\n[+]apiserver excluded: ok\nreadyz check passed\n"),
        HealthReport.of("readyz", List.of(GOOD, asked), Set.of("apiserver"), true));
  }

  @Test
  void nothingToCheckIsWell() {
    assertEquals(new HealthReport(200, "ok"), HealthReport.of("livez", List.of(), Set.of(), false));
  }

  @Test
  void liveCheckTellsItsFailure() {
    HealthCheck dead = HealthCheck.live("reconciler", () -> false, "its thread has ended");
    assertEquals(Optional.of("its thread has ended"), dead.failure().get());
    assertEquals(true, dead.live());
    assertEquals(false, BAD.live());
  }
}
