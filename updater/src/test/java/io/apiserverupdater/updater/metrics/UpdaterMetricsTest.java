package io.apiserverupdater.updater.metrics;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.updater.controller.EndpointsClient;
import io.apiserverupdater.updater.controller.SyncObserver;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.Change;
import io.apiserverupdater.updater.endpoints.GateState;
import io.apiserverupdater.updater.endpoints.ObservedState;
import io.apiserverupdater.updater.endpoints.Refusal;
import io.apiserverupdater.updater.events.EventHistory;
import io.apiserverupdater.updater.events.EventReason;
import io.apiserverupdater.updater.kube.access.ServerAddress;
import io.apiserverupdater.updater.kube.api.ApiObserver;
import io.apiserverupdater.updater.readiness.MemberProbe;
import io.apiserverupdater.updater.server.MetricsPage;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class UpdaterMetricsTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_800_000_000);
  private static final Duration TIMEOUT = Duration.ofSeconds(1);
  private static final Instant CERTIFICATE_END = NOW.plus(Duration.ofDays(90));

  private final AtomicLong monotonic = new AtomicLong();
  private final UpdaterMetrics metrics =
      new UpdaterMetrics("1.2.3", monotonic::get, Clock.fixed(NOW, ZoneOffset.UTC));

  private boolean leads = true;
  private GateState gate = GateState.INITIAL;
  private List<Refusal> refused = List.of();
  private final Map<String, Boolean> ready = new TreeMap<>();
  private final Map<String, Instant> drained = new TreeMap<>();
  private final Map<String, Boolean> servers = new TreeMap<>();
  private Duration sourceAge = Duration.ZERO;

  private final MetricsPage page =
      metrics.show(
          new UpdaterState(
              () -> leads,
              () -> gate,
              () -> refused,
              () -> ready,
              () -> drained,
              () -> servers,
              () -> sourceAge));

  /** A probe whose results are written down beforehand, each after some time. */
  private final class ScriptedProbe implements MemberProbe {
    final Deque<ProbeResult> results = new ArrayDeque<>();
    Duration takes = Duration.ofMillis(2);

    @Override
    public ProbeResult ask(Duration timeout) {
      monotonic.addAndGet(takes.toNanos());
      return results.isEmpty() ? new ProbeResult.Ready() : results.remove();
    }

    @Override
    public void awaitNext(Duration longest) {}

    @Override
    public Optional<Instant> certificateEnd() {
      return Optional.of(CERTIFICATE_END);
    }

    @Override
    public void close() {}
  }

  private MemberProbe measured(String ip, MemberProbe probe) {
    return metrics.measured(ApiserverAddress.of(ip, 6443).orElseThrow(), probe);
  }

  /** The lines of one metric, without its comments. */
  private String lines(String name) {
    return page.of("")
        .text()
        .lines()
        .filter(line -> line.matches(name + "(_bucket|_sum|_count)?[ {].*"))
        .collect(joining("\n"));
  }

  private static Refusal refusal(String reason) {
    return new Refusal(reason, "m", "r");
  }

  @Test
  void showsWhatIs() {
    ready.put("192.0.2.1:6443", true);
    ready.put("192.0.2.2:6443", false);
    servers.put("192.0.2.1:6443", true);
    refused = List.of(refusal("UnusableAddress"), refusal("UnusableAddress"));
    sourceAge = Duration.ofMillis(1500);
    assertEquals("apiserver_updater_leader 1.0", lines("apiserver_updater_leader"));
    assertEquals("apiserver_updater_fail_open 0.0", lines("apiserver_updater_fail_open"));
    assertEquals("apiserver_updater_hold 0.0", lines("apiserver_updater_hold"));
    assertEquals(
        """
        apiserver_updater_member_ready{address="192.0.2.1:6443"} 1.0
        apiserver_updater_member_ready{address="192.0.2.2:6443"} 0.0""",
        lines("apiserver_updater_member_ready"));
    assertEquals("", lines("apiserver_updater_member_drained_until_timestamp_seconds"));
    assertEquals(
        "apiserver_updater_apiserver_distrusted{address=\"192.0.2.1:6443\"} 1.0",
        lines("apiserver_updater_apiserver_distrusted"));
    assertEquals(
        "apiserver_updater_refused{reason=\"UnusableAddress\"} 1.0",
        lines("apiserver_updater_refused"),
        "of both families");
    assertEquals(
        "apiserver_updater_source_confirmed_timestamp_seconds 1.7999999985E9",
        lines("apiserver_updater_source_confirmed_timestamp_seconds"));
    assertEquals(
        "apiserver_updater_build_info{version=\"1.2.3\"} 1", lines("apiserver_updater_build_info"));

    leads = false;
    refused = List.of();
    drained.put("192.0.2.2:6443", NOW);
    assertEquals(
        "apiserver_updater_member_drained_until_timestamp_seconds{address=\"192.0.2.2:6443\"}"
            + " 1.8E9",
        lines("apiserver_updater_member_drained_until_timestamp_seconds"));
    gate = inMode(GateState.Mode.FAIL_OPEN);
    assertEquals("apiserver_updater_leader 0.0", lines("apiserver_updater_leader"));
    assertEquals("apiserver_updater_fail_open 1.0", lines("apiserver_updater_fail_open"));
    assertEquals("", lines("apiserver_updater_refused"));
    gate = inMode(GateState.Mode.HOLD);
    assertEquals("apiserver_updater_fail_open 0.0", lines("apiserver_updater_fail_open"));
    assertEquals("apiserver_updater_hold 1.0", lines("apiserver_updater_hold"));
  }

  private static GateState inMode(GateState.Mode mode) {
    return new GateState(
        Map.of(AddressFamily.IPV4, new GateState.Family(mode, Map.of(), Optional.empty())));
  }

  @Test
  void serverThatIsConfiguredAndMemberIsOneServer() {
    ServerAddress member = ServerAddress.member("192.0.2.1", 6443);
    ServerAddress configured = new ServerAddress("192.0.2.1", 6443, "", Optional.empty());
    servers.putAll(UpdaterState.byText(Map.of(member, false, configured, true)));
    assertEquals(
        "apiserver_updater_apiserver_distrusted{address=\"192.0.2.1:6443\"} 1.0",
        lines("apiserver_updater_apiserver_distrusted"));
  }

  @Test
  void countsProbesByMemberAndEvidence() {
    ScriptedProbe script = new ScriptedProbe();
    script.results.addAll(
        List.of(
            new ProbeResult.Ready(),
            new ProbeResult.NotReady(500, List.of("etcd")),
            new ProbeResult.Unreachable(ProbeResult.Reason.CONNECT_TIMEOUT, "no answer"),
            new ProbeResult.Unreachable(ProbeResult.Reason.ANSWER_TIMEOUT, "no answer", true)));
    try (MemberProbe probe = measured("192.0.2.1", script)) {
      for (int i = 0; i < 4; i++) {
        ProbeResult unusedResult = probe.ask(TIMEOUT);
      }
      assertEquals(
          """
          apiserver_updater_probe_failures_total{address="192.0.2.1:6443",evidence="connect_timeout"} 1.0
          apiserver_updater_probe_failures_total{address="192.0.2.1:6443",evidence="not_ready"} 1.0""",
          lines("apiserver_updater_probe_failures_total"));
      String durations = lines("apiserver_updater_probe_duration_seconds");
      assertTrue(durations.contains("{address=\"192.0.2.1:6443\",le=\"0.0025\"} 3\n"), durations);
      assertTrue(durations.contains("{address=\"192.0.2.1:6443\",le=\"0.001\"} 0\n"), durations);
      assertTrue(durations.contains("_count{address=\"192.0.2.1:6443\"} 3"), "of our own delay");
      assertEquals(
          "apiserver_updater_member_certificate_expiration_timestamp_seconds"
              + "{address=\"192.0.2.1:6443\"} 1.807776E9",
          lines("apiserver_updater_member_certificate_expiration_timestamp_seconds"));
    }
  }

  @Test
  void memberThatLeavesTakesItsSeriesWithIt() {
    MemberProbe stays = measured("192.0.2.1", new ScriptedProbe());
    ScriptedProbe failing = new ScriptedProbe();
    failing.results.add(new ProbeResult.NotReady(500, List.of()));
    MemberProbe leaves = measured("192.0.2.2", failing);
    ProbeResult unusedFirst = stays.ask(TIMEOUT);
    ProbeResult unusedSecond = leaves.ask(TIMEOUT);
    assertTrue(page.of("").text().contains("192.0.2.2"));
    leaves.close();
    String text = page.of("").text();
    assertFalse(text.contains("192.0.2.2"), text);
    assertTrue(text.contains("192.0.2.1"), text);
  }

  @Test
  void countsCallsByServerAndResult() {
    servers.put("192.0.2.1:6443", false);
    ServerAddress server = ServerAddress.member("192.0.2.1", 6443);
    metrics.calls().called(server, ApiObserver.Result.OK, Duration.ofMillis(7));
    metrics.calls().called(server, ApiObserver.Result.OK, Duration.ofMillis(7));
    metrics.calls().called(server, ApiObserver.Result.NO_ANSWER, Duration.ofSeconds(3));
    metrics.calls().watchEnded("leases", ApiObserver.WatchEnd.BROKEN);
    assertEquals(
        """
        apiserver_updater_api_calls_total{address="192.0.2.1:6443",result="no_answer"} 1.0
        apiserver_updater_api_calls_total{address="192.0.2.1:6443",result="ok"} 2.0""",
        lines("apiserver_updater_api_calls_total"));
    String durations = lines("apiserver_updater_api_call_duration_seconds");
    assertTrue(durations.contains("le=\"0.01\"} 2\n"), durations);
    assertTrue(durations.contains("le=\"2.0\"} 2\n"), durations);
    assertTrue(durations.contains("le=\"+Inf\"} 3\n"), durations);
    assertEquals(
        "apiserver_updater_watch_restarts_total{end=\"broken\",resource=\"leases\"} 1.0",
        lines("apiserver_updater_watch_restarts_total"));
  }

  @Test
  void apiserverThatIsGoneTakesItsSeriesWithIt() {
    metrics
        .calls()
        .called(
            ServerAddress.member("192.0.2.9", 6443), ApiObserver.Result.OK, Duration.ofMillis(1));
    String text = page.of("").text();
    assertFalse(text.contains("192.0.2.9"), text);
  }

  @Test
  void countsSyncsWritesAndWhatWasRefused() {
    EventHistory events = new EventHistory(Clock.systemUTC());
    events.onRecord(metrics::record);
    assertTrue(
        lines("apiserver_updater_syncs_total").contains("{result=\"failed\"} 0.0"),
        "what has not happened yet is zero");
    metrics.syncs().synced(SyncObserver.Result.UP_TO_DATE);
    metrics.syncs().published(Duration.ofMillis(4));
    events.record(EventReason.LEADER_ELECTED, "", "leading");
    events.record(EventReason.REFUSED, "EmptySource", "EmptySource: no endpoint");
    events.record(EventReason.ACCEPTED, "", "nothing is refused any more");
    events.record(EventReason.LEADER_LOST, "", "stopped");
    events.record(EventReason.LEADER_ELECTED, "", "leading");
    assertTrue(lines("apiserver_updater_syncs_total").contains("{result=\"up_to_date\"} 1.0"));
    assertTrue(lines("apiserver_updater_evidence_to_write_seconds").contains("{le=\"0.005\"} 1\n"));
    assertEquals(
        "apiserver_updater_refusals_total{reason=\"EmptySource\"} 1.0",
        lines("apiserver_updater_refusals_total"));
    assertEquals(
        """
        apiserver_updater_leadership_transitions_total{to="leader"} 2.0
        apiserver_updater_leadership_transitions_total{to="standby"} 1.0""",
        lines("apiserver_updater_leadership_transitions_total"));
  }

  @Test
  void countsWritesByObjectAndResult() {
    Deque<EndpointsClient.WriteResult> answers =
        new ArrayDeque<>(
            List.of(
                new EndpointsClient.WriteResult.Written(),
                new EndpointsClient.WriteResult.Conflict(),
                new EndpointsClient.WriteResult.Rejected("403"),
                new EndpointsClient.WriteResult.Failed("no answer", Optional.empty())));
    EndpointsClient client =
        metrics.measured(
            new EndpointsClient() {
              @Override
              public Optional<ObservedState> observed() {
                return Optional.empty();
              }

              @Override
              public WriteResult apply(Change change, Duration timeout) {
                return answers.remove();
              }

              @Override
              public void reread() {}

              @Override
              public void onChange(Runnable listener) {}
            });
    while (!answers.isEmpty()) {
      EndpointsClient.WriteResult next = answers.element();
      assertEquals(next, client.apply(new Change.DeleteSlice("apiserver-ipv4", "1"), TIMEOUT));
    }
    assertEquals(
        """
        apiserver_updater_writes_total{object="EndpointSlice",result="conflict"} 1.0
        apiserver_updater_writes_total{object="EndpointSlice",result="failed"} 1.0
        apiserver_updater_writes_total{object="EndpointSlice",result="rejected"} 1.0
        apiserver_updater_writes_total{object="EndpointSlice",result="written"} 1.0
        apiserver_updater_writes_total{object="Endpoints",result="conflict"} 0.0
        apiserver_updater_writes_total{object="Endpoints",result="failed"} 0.0
        apiserver_updater_writes_total{object="Endpoints",result="rejected"} 0.0
        apiserver_updater_writes_total{object="Endpoints",result="written"} 0.0""",
        lines("apiserver_updater_writes_total"));
  }

  @Test
  void speaksOpenMetricsToThoseWhoReadIt() {
    MetricsPage.Text open =
        page.of("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3");
    assertEquals("application/openmetrics-text; version=1.0.0; charset=utf-8", open.contentType());
    assertTrue(open.text().endsWith("# EOF\n"), open.text());
    assertTrue(open.text().contains("# TYPE apiserver_updater_syncs counter\n"), open.text());
    for (String accept : List.of("", "*/*", "text/html", "text/plain;version=0.0.4")) {
      MetricsPage.Text plain = page.of(accept);
      assertEquals("text/plain; version=0.0.4; charset=utf-8", plain.contentType());
      assertTrue(plain.text().contains("# TYPE apiserver_updater_syncs_total counter\n"), accept);
    }
  }

  @Test
  void tellsOfTheProcess() {
    for (String name :
        List.of(
            "process_cpu_seconds_total",
            "process_start_time_seconds",
            "process_resident_memory_bytes",
            "process_open_fds",
            "jvm_memory_used_bytes\\{area=\"heap\"\\}",
            "jvm_memory_max_bytes\\{area=\"heap\"\\}")) {
      String text = page.of("").text();
      assertTrue(
          text.lines()
              .filter(line -> line.matches(name + " .*"))
              .anyMatch(line -> Double.parseDouble(line.replaceFirst(".* ", "")) > 0),
          name + " in " + text);
    }
  }

  /** With long addresses, and after a bad night. */
  @Test
  void isSmallWithSevenMembers() {
    for (int i = 1; i <= 7; i++) {
      String ip = "2001:db8:1234:5678:9abc:def0:1234:" + i;
      String address = "[" + ip + "]:6443";
      ready.put(address, true);
      servers.put(address, false);
      ScriptedProbe script = new ScriptedProbe();
      script.results.addAll(
          List.of(
              new ProbeResult.NotReady(500, List.of()),
              new ProbeResult.Unreachable(ProbeResult.Reason.REFUSED, ""),
              new ProbeResult.Unreachable(ProbeResult.Reason.ANSWER_TIMEOUT, "")));
      MemberProbe probe = measured(ip, script);
      for (int j = 0; j < 4; j++) {
        ProbeResult unusedResult = probe.ask(TIMEOUT);
      }
      ServerAddress server = ServerAddress.member(ip, 6443);
      for (ApiObserver.Result result :
          List.of(
              ApiObserver.Result.OK, ApiObserver.Result.CONFLICT, ApiObserver.Result.NO_ANSWER)) {
        metrics.calls().called(server, result, Duration.ofMillis(7));
      }
    }
    for (String accept : List.of("", "application/openmetrics-text")) {
      int bytes = page.of(accept).text().getBytes(StandardCharsets.UTF_8).length;
      assertTrue(bytes > 5_000 && bytes <= 30_000, bytes + " bytes as \"" + accept + "\"");
    }
  }
}
