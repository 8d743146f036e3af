package io.apiserverupdater.updater.kube;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.api.FakeApiserver;
import io.apiserverupdater.updater.leaderelection.LeaseLock.Outcome;
import io.apiserverupdater.updater.leaderelection.LeaseName;
import io.apiserverupdater.updater.leaderelection.LeaseRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import mockwebserver3.MockResponse;
import mockwebserver3.RecordedRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class KubeLeaseLockTest {
  private static final Duration AMPLE = Duration.ofSeconds(20);

  /** By a coordinator of leader election (KEP-4355), and by a person. */
  private static final String LEASE =
      """
      {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
       "metadata": {"name": "l", "namespace": "n", "resourceVersion": "7",
                    "labels": {"team": "a"}, "annotations": {"note": "b"}},
       "spec": {"holderIdentity": "other", "leaseDurationSeconds": 4, "leaseTransitions": 3,
                "preferredHolder": "better", "strategy": "OldestEmulationVersion"}}
      """;

  private final List<JsonObject> written = new CopyOnWriteArrayList<>();

  private MockResponse answer(RecordedRequest request) {
    String body = "{\"metadata\": {\"resourceVersion\": \"9\"}, \"items\": [" + LEASE + "]}";
    if (request.getMethod().equals("PUT")) {
      body = request.getBody().utf8();
      written.add(JsonParser.parseString(body).getAsJsonObject());
    }
    return new MockResponse.Builder().body(body).build();
  }

  @Test
  void whatAnotherHasWrittenIsPassedOn() throws Exception {
    try (FakeApiserver server = new FakeApiserver(this::answer);
        ApiClient api = FakeApiserver.client(server)) {
      KubeLeaseLock lock = new KubeLeaseLock(api, new LeaseName("n", "l"), AMPLE, System::nanoTime);
      assertEquals(new Outcome.Done(), lock.read(AMPLE));
      LeaseRecord ours =
          new LeaseRecord(
              "us",
              Duration.ofSeconds(5),
              Optional.of(Instant.parse("2026-11-21T12:00:00Z")),
              Optional.of(Instant.parse("2026-11-21T12:00:01Z")),
              4);
      assertEquals(new Outcome.Done(), lock.update(ours, "7", AMPLE));
    }
    JsonObject lease = written.get(0);
    JsonObject metadata = lease.getAsJsonObject("metadata");
    // The models write lists that are empty.
    metadata.remove("finalizers");
    metadata.remove("ownerReferences");
    assertEquals(JsonParser.parseString(LEASE).getAsJsonObject().get("metadata"), metadata);
    assertEquals(
        JsonParser.parseString(
            """
            {"holderIdentity": "us", "leaseDurationSeconds": 5, "leaseTransitions": 4,
             "acquireTime": "2026-11-21T12:00:00.000000Z",
             "renewTime": "2026-11-21T12:00:01.000000Z",
             "preferredHolder": "better", "strategy": "OldestEmulationVersion"}
            """),
        lease.get("spec"));
  }
}
