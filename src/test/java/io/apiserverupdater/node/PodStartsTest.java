package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.lab.ObjectWatch;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("component")
@Tag("quick")
class PodStartsTest {
  private static final String PENDING = "{}";
  private static final String RUNNING =
      "{\"containerStatuses\": [{\"state\": {\"running\": {}}}],"
          + " \"conditions\": [{\"type\": \"Ready\", \"status\": \"False\"}]}";
  private static final String READY =
      "{\"containerStatuses\": [{\"state\": {\"running\": {}}}],"
          + " \"conditions\": [{\"type\": \"Ready\", \"status\": \"True\"}]}";

  private final PodStarts starts = new PodStarts();

  private void see(int millis, String pod, String status) {
    JsonObject object =
        JsonParser.parseString(
                "{\"metadata\": {\"name\": \"%s\"}, \"status\": %s}".formatted(pod, status))
            .getAsJsonObject();
    starts.add(new ObjectWatch.Event(Duration.ofMillis(millis).toNanos(), "MODIFIED", object));
  }

  @Test
  void takesTheTimeFromTheFirstRunningToTheFirstReady() {
    see(100, "a", PENDING);
    see(200, "b", PENDING);
    see(1_000, "a", RUNNING);
    see(1_100, "b", RUNNING);
    see(1_500, "a", RUNNING);
    assertEquals(List.of(), starts.took());
    see(1_900, "a", READY);
    see(2_100, "b", READY);
    see(2_200, "a", RUNNING);
    see(2_300, "a", READY);
    assertEquals(List.of(Duration.ofMillis(900), Duration.ofMillis(1_000)), starts.took());
  }

  @Test
  void passesOverAPodThatRanBefore() {
    see(100, "a", RUNNING);
    see(200, "a", READY);
    assertEquals(List.of(), starts.took());
  }
}
