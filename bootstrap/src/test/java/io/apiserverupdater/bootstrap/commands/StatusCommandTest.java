package io.apiserverupdater.bootstrap.commands;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.commands.StatusCommand.Status;
import io.apiserverupdater.bootstrap.state.BootPhase;
import io.apiserverupdater.bootstrap.state.BootState;
import io.apiserverupdater.bootstrap.state.Evidence;
import java.net.InetAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatusCommandTest {
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
  private static final ApiserverAddress CP1 =
      ApiserverAddress.parse("10.0.0.1", 6443).orElseThrow();
  private static final ApiserverAddress SERVICE =
      ApiserverAddress.parse("10.96.0.64", 6443).orElseThrow();

  private static Optional<InetAddress> ip(String text) {
    return text.isEmpty()
        ? Optional.empty()
        : Optional.of(ApiserverAddress.parse(text, 6443).orElseThrow().ip());
  }

  private static Status status(String target, Strategy strategy, Optional<BootState> kept) {
    return StatusCommand.status(
        "name",
        ip(target),
        Optional.of(SERVICE.ip()),
        strategy,
        kept,
        List.of(CP1),
        Optional.of(NOW.minusSeconds(7_300)));
  }

  private static Optional<BootState> kept(BootPhase phase, String target) {
    return Optional.of(
        new BootState(
            phase,
            target,
            Evidence.READY,
            NOW.minusSeconds(90).getEpochSecond(),
            Optional.empty()));
  }

  @ParameterizedTest
  @CsvSource({
    "'', HOSTS, PINNED, 10.0.0.1, UNPINNED, false",
    "10.0.0.1, HOSTS, PINNED, 10.0.0.1, PINNED, true",
    "10.0.0.1, HOSTS, HANDED_OVER, 10.96.0.64, PINNED, false",
    "10.96.0.64, HOSTS, HANDED_OVER, 10.96.0.64, HANDED_OVER, true",
    "10.96.0.64, HOSTS, PINNED, 10.0.0.1, HANDED_OVER, false",
    "10.96.0.64, NFT, PINNED, 10.96.0.64, PINNED, true",
    "10.96.0.64, NFT, HANDED_OVER, 10.96.0.64, HANDED_OVER, true",
  })
  void hostsFileDecidesAndTheStateFileOnlyAddsToIt(
      String target,
      Strategy strategy,
      BootPhase keptPhase,
      String keptTarget,
      BootPhase expected,
      boolean told) {
    Status status = status(target, strategy, kept(keptPhase, keptTarget));
    assertEquals(expected, status.phase());
    assertEquals(told, status.told().isPresent());
  }

  @Test
  void textIsForPeople() {
    assertEquals(
        """
        name      name
        phase     pinned
        target    10.0.0.1
        since     2026-11-21T11:58:30Z, 1 min ago
        evidence  ready
        list      10.0.0.1:6443
        list age  2 h, refreshed 2026-11-21T09:58:20Z
        """,
        StatusCommand.text(
            status("10.0.0.1", Strategy.HOSTS, kept(BootPhase.PINNED, "10.0.0.1")), NOW));
  }

  @Test
  void whatIsNotKnownIsSaid() {
    Status status =
        StatusCommand.status(
            "name",
            ip("10.0.0.9"),
            Optional.empty(),
            Strategy.HOSTS,
            Optional.empty(),
            List.of(),
            Optional.empty());
    assertEquals(
        """
        name      name
        phase     pinned
        target    10.0.0.9
        since     unknown: this program did not write the current entry
        evidence  unknown
        list      no control plane configured
        list age  never refreshed: only the configured ones
        """,
        StatusCommand.text(status, NOW));
  }

  @Test
  void jsonHoldsTheSame() {
    assertEquals(
        """
        {
          "name": "name",
          "phase": "unpinned",
          "target": null,
          "since": null,
          "evidence": null,
          "controlPlanes": ["10.0.0.1:6443"],
          "listRefreshed": "2026-11-21T09:58:20Z",
          "listAgeSeconds": 7300
        }
        """,
        StatusCommand.json(status("", Strategy.HOSTS, Optional.empty()), NOW));
  }
}
