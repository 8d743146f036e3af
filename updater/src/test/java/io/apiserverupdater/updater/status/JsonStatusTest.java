package io.apiserverupdater.updater.status;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.updater.endpoints.MemberHealth;
import io.apiserverupdater.updater.status.StatusReport.Role;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonStatusTest {
  static List<StatusReport> reports() {
    return List.of(Reports.well(), Reports.oneDown(), Reports.saying("a \"word\" <b> € \\"));
  }

  @ParameterizedTest
  @MethodSource("reports")
  void readsWhatItWrites(StatusReport report) throws Exception {
    StatusReport read = JsonStatus.read(JsonStatus.text(report));
    assertEquals(JsonStatus.text(report), JsonStatus.text(read));
    assertEquals(report.replicas().size(), read.replicas().size());
    assertEquals(report.replicas().get(0).role(), read.replicas().get(0).role());
    assertEquals(
        report.members().get(0).probes().get(0).evidence(),
        read.members().get(0).probes().get(0).evidence());
  }

  @Test
  void tellsScriptsTheVerdict() {
    JsonObject well = JsonParser.parseString(JsonStatus.text(Reports.well())).getAsJsonObject();
    assertTrue(well.get("well").getAsBoolean());
    assertEquals(0, well.getAsJsonArray("findings").size());
    JsonObject member = well.getAsJsonArray("members").get(0).getAsJsonObject();
    assertEquals("ready", member.get("published").getAsString());
    JsonObject probe = member.getAsJsonArray("probes").get(0).getAsJsonObject();
    assertEquals(0.001234, probe.get("latencySeconds").getAsDouble());
    assertEquals(
        Reports.NOW.plus(Duration.ofDays(341)),
        Instant.parse(probe.get("certificateEnds").getAsString()));

    JsonObject down = JsonParser.parseString(JsonStatus.text(Reports.oneDown())).getAsJsonObject();
    assertFalse(down.get("well").getAsBoolean());
    assertEquals(Findings.of(Reports.oneDown()).size(), down.getAsJsonArray("findings").size());
  }

  @Test
  void readsWhatAnOlderOrNewerReplicaServes() throws Exception {
    StatusReport report =
        JsonStatus.read(
            """
            {"at": "2026-01-02T03:04:05Z", "weather": {"wind": [1, 2]}, "target": "a/b",
             "replicas": [{"name": "r", "role": "observer"}],
             "members": [{"address": "10.0.0.1:6443", "probes": [{"state": "dozing"}]}]}
            """);
    assertEquals(Role.UNKNOWN, report.replicas().get(0).role());
    assertEquals(MemberHealth.State.UNKNOWN, report.members().get(0).probe().orElseThrow().state());
    assertEquals("", report.source());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ok",
        "[]",
        "{}",
        "<!DOCTYPE html>",
        "{\"at\": \"yesterday\"}",
        "{\"at\": \"2026-01-02T03:04:05Z\", \"members\": {\"a\": 1}}",
        "{\"at\": \"2026-01-02T03:04:05Z\", \"members\": [1]}",
        "{\"at\": \"2026-01-02T03:04:05Z\", \"gates\": [{\"family\": \"IPX\"}]}",
        // What is not known is not normal.
        "{\"at\": \"2026-01-02T03:04:05Z\", \"gates\": [{\"family\": \"IPv4\", \"mode\": \"odd\"}]}"
      })
  void saysThatAnythingElseIsNone(String text) {
    String message =
        assertThrows(JsonStatus.MalformedException.class, () -> JsonStatus.read(text)).getMessage();
    assertTrue(String.valueOf(message).startsWith("not a status: "), message);
  }

  /** Anybody who may create a pod with the label may serve this. */
  @Test
  void whatIsOutOfBoundsEndsNothing() throws Exception {
    StatusReport report =
        JsonStatus.read(
            """
            {"at": "+1000000000-12-31T23:59:59Z",
             "lease": {"holder": "x", "renewed": "+1000000000-12-31T23:59:59Z",
                       "durationSeconds": 1e300},
             "members": [{"address": "a", "drainedUntil": "-1000000000-01-01T00:00:00Z",
               "probes": [{"since": "-1000000000-01-01T00:00:00Z", "latencySeconds": -1e300,
                           "certificateEnds": "+1000000000-12-31T23:59:59Z"}]}]}
            """);
    assertTrue(TextStatus.text(report).contains("a"));
    assertTrue(JsonStatus.text(report).contains("a"));
  }

  @Test
  void deepNestingIsNoneEither() {
    String deep = "{\"members\":" + "[".repeat(100_000);
    assertThrows(JsonStatus.MalformedException.class, () -> JsonStatus.read(deep));
  }
}
