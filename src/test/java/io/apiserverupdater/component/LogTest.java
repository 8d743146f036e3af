package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What {@code --log-format=json} makes of the log. */
@Tag("component")
class LogTest extends OnOneCluster {
  private static List<JsonObject> objects(List<String> lines) {
    return lines.stream().map(line -> JsonParser.parseString(line).getAsJsonObject()).toList();
  }

  @Test
  void eachLineOfAControllerIsAnObject() throws Exception {
    String namespace = replicas.namespace();
    Instant start = Instant.now().minusMillis(1);
    UpdaterProcess updater = replicas.replica("json", namespace, "--log-format=json", "-v");
    updater.awaitLog("\"leading\":\"true\"", SOON);
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    assertEquals(0, updater.stop());
    // Whoever reads its log may be behind.
    updater.awaitLog("\"stopped\":", SOON);
    List<JsonObject> log = objects(updater.log());
    for (JsonObject entry : log) {
      assertTrue(start.isBefore(Instant.parse(entry.get("ts").getAsString())), entry::toString);
      assertTrue(entry.keySet().containsAll(Set.of("level", "logger", "msg")), entry::toString);
    }
    JsonObject first = log.get(0);
    assertEquals("Main", first.get("logger").getAsString());
    assertEquals("info", first.get("level").getAsString());
    assertEquals("true", first.get("started").getAsString());
    assertTrue(first.get("access").getAsString().contains(" context="), first::toString);
    assertTrue(
        log.stream().anyMatch(e -> e.get("level").getAsString().equals("debug")), log::toString);
    assertTrue(log.get(log.size() - 1).has("stopped"), log::toString);
  }

  @Test
  void soIsEachLineOfACommand() throws Exception {
    UpdaterProcess.Result result =
        replicas
            .run(UpdaterProcess.jar(List.of("--once", "--log-format=json")), Map.of(), "")
            .result(SOON)
            .exits(2);
    List<JsonObject> log = objects(result.err().lines().toList());
    assertEquals(1, log.size(), result::toString);
    assertEquals("error", log.get(0).get("level").getAsString());
  }
}
