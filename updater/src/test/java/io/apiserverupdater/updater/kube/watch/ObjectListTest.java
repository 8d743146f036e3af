package io.apiserverupdater.updater.kube.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.api.FakeApiserver;
import io.kubernetes.client.openapi.models.V1Service;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import mockwebserver3.MockResponse;
import mockwebserver3.RecordedRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ObjectListTest {
  private static final int OBJECTS = 200;

  /** As of nodes with fifty images. */
  private static final String BALLAST = "x".repeat(20_000);

  /** As the API server does it: the token says where the next part begins. */
  private static MockResponse part(RecordedRequest request) {
    String limit = request.getUrl().queryParameter("limit");
    String token = request.getUrl().queryParameter("continue");
    int from = token == null ? 0 : Integer.parseInt(token);
    int to = limit == null ? OBJECTS : Math.min(OBJECTS, from + Integer.parseInt(limit));
    return answer(from, to, to < OBJECTS ? Integer.toString(to) : "");
  }

  private static MockResponse answer(int from, int to, String token) {
    String items =
        IntStream.range(from, to)
            .mapToObj(
                i ->
                    """
                    {"metadata": {"name": "s%d", "resourceVersion": "5",
                                  "annotations": {"x": "%s"}}}
                    """
                        .formatted(i, BALLAST))
            .collect(Collectors.joining(","));
    return new MockResponse.Builder()
        .body(
            """
            {"metadata": {"resourceVersion": "7", "continue": "%s"}, "items": [%s]}
            """
                .formatted(token, items))
        .build();
  }

  private static ObjectList<V1Service, String> list(ApiClient api, Selection selection) {
    return new ObjectList<>(
        api,
        Resource.SERVICES,
        selection,
        service -> String.valueOf(Objects.requireNonNull(service.getMetadata()).getName()));
  }

  @Test
  void listThatIsTooLongForOneAnswerComesInParts() throws Exception {
    try (FakeApiserver server = new FakeApiserver(ObjectListTest::part);
        ApiClient api = FakeApiserver.client(server)) {
      ObjectList<V1Service, String> list = list(api, Selection.labelled("n", "l", "v"));
      ObjectList.Result.Listed listed =
          assertInstanceOf(ObjectList.Result.Listed.class, list.read(Duration.ofSeconds(30)));
      assertEquals("7", listed.version());
      assertEquals(OBJECTS, list.cache().values().size());
    }
  }

  @Test
  void partThatIsMissingChangesNothing() throws Exception {
    try (FakeApiserver server =
            new FakeApiserver(
                request ->
                    request.getUrl().queryParameter("continue") == null
                        ? answer(0, 1, "1")
                        : new MockResponse.Builder().code(410).build());
        ApiClient api = FakeApiserver.client(server)) {
      ObjectList<V1Service, String> list = list(api, Selection.labelled("n", "l", "v"));
      assertInstanceOf(ObjectList.Result.Failed.class, list.read(Duration.ofSeconds(30)));
      assertEquals(List.of(), list.cache().values());
    }
  }

  /** With a limit some API servers ask their etcd instead of their cache. */
  @Test
  void oneObjectIsAskedForWithoutALimit() throws Exception {
    try (FakeApiserver server =
            new FakeApiserver(
                request -> {
                  assertNull(request.getUrl().queryParameter("limit"));
                  return answer(0, 1, "");
                });
        ApiClient api = FakeApiserver.client(server)) {
      ObjectList<V1Service, String> list = list(api, Selection.named("n", "s0"));
      assertInstanceOf(ObjectList.Result.Listed.class, list.read(Duration.ofSeconds(30)));
      assertEquals(List.of("s0"), list.cache().values());
    }
  }
}
