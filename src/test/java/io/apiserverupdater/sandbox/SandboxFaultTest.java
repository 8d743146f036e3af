package io.apiserverupdater.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("component")
class SandboxFaultTest {
  private static final String SLICES =
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

  private final SandboxCluster cluster = SandboxCluster.builder().apiservers(1).start();
  private final SandboxClient admin = new SandboxClient(cluster.pki(), cluster.adminToken());

  @AfterEach
  void close() {
    admin.close();
    cluster.close();
  }

  private String url(String path) {
    return cluster.apiserver(0).url() + path;
  }

  private SandboxClient.Watch watch() throws Exception {
    return admin.watch(url(SLICES + "?watch=true&allowWatchBookmarks=true"));
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 403, 404, 409, 410, 429, 500, 503, 504})
  void answersAStatusOnce(int code) throws IOException {
    cluster.faults().next(1, r -> true, Fault.status(code));
    SandboxClient.Answer answer = admin.get(url(SLICES));
    assertEquals(code, answer.code());
    assertEquals("Status", Json.text(answer.json(), "kind"));
    assertEquals(200, admin.get(url(SLICES)).code());
  }

  @Test
  void saysWhenToComeBack() throws IOException {
    FaultPlan.Rule rule = cluster.faults().always(r -> true, Fault.tooManyRequests(7));
    assertEquals("7", admin.get(url(SLICES)).headers().get("Retry-After"));
    assertEquals(429, admin.get(url(SLICES)).code());
    assertEquals(2, rule.hits());
    rule.clear();
    assertEquals(200, admin.get(url(SLICES)).code());
  }

  @Test
  void strikesOnlyWhatMatches() throws IOException {
    cluster.faults().always(r -> r.is("list", "leases"), Fault.status(500));
    assertEquals(200, admin.get(url(SLICES)).code());
    assertEquals(
        500, admin.get(url("/apis/coordination.k8s.io/v1/namespaces/default/leases")).code());
  }

  @Test
  void answersLate() throws IOException {
    cluster.faults().next(1, r -> true, new Fault.AnsweredLate(Duration.ofMillis(300)));
    long start = System.nanoTime();
    assertEquals(200, admin.get(url(SLICES)).code());
    assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(300));
  }

  @Test
  void neverAnswersWhileOthersAreServedOnTheSameConnection() throws Exception {
    cluster.faults().next(1, r -> r.is("list", "leases"), new Fault.NeverAnswered());
    try (SandboxClient.Watch hanging =
        admin.watchLater(url("/apis/coordination.k8s.io/v1/leases?x"))) {
      cluster.awaitTrue(
          "the request hangs",
          Duration.ofSeconds(5),
          () -> cluster.audit().count("list", "leases") == 1);
      assertEquals(200, admin.get(url(SLICES)).code());
      assertTrue(hanging.isQuietFor(Duration.ofMillis(200)));
    }
  }

  @Test
  void cutsConnections() throws IOException {
    for (Fault fault :
        new Fault[] {
          new Fault.CutBeforeHeaders(), new Fault.CutAfterHeaders(), new Fault.CutInBody()
        }) {
      cluster.faults().next(1, r -> true, fault);
      assertThrows(IOException.class, () -> admin.get(url(SLICES)), fault.toString());
      assertEquals(200, admin.get(url(SLICES)).code());
    }
  }

  @Test
  void aWriteLandsThoughItsAnswerIsLost() throws IOException {
    cluster.faults().next(1, RequestInfo::isWrite, new Fault.AnswerLost());
    JsonObject lease = Json.parse("{\"metadata\":{\"name\":\"l\"}}");
    String leases = url("/apis/coordination.k8s.io/v1/namespaces/default/leases");
    assertThrows(IOException.class, () -> admin.post(leases, lease));
    assertEquals(200, admin.get(leases + "/l").code());
  }

  @Test
  void garblesBodies() throws IOException {
    cluster.faults().next(1, r -> true, new Fault.MalformedJson());
    SandboxClient.Answer broken = admin.get(url(SLICES)).expect(200);
    assertThrows(JsonParseException.class, broken::json);

    cluster.faults().next(1, r -> true, new Fault.HtmlPage());
    SandboxClient.Answer page = admin.get(url(SLICES));
    assertEquals("text/html", page.headers().get("Content-Type"));

    cluster.faults().next(1, r -> true, new Fault.UnknownFields());
    assertTrue(admin.get(url(SLICES)).body().contains("\"fromTheFuture\""));

    cluster.faults().next(2, r -> true, new Fault.NullLists());
    assertTrue(admin.get(url(SLICES)).json().get("items").isJsonNull());
    assertTrue(admin.get(url(SLICES + "/kubernetes")).json().get("endpoints").isJsonNull());

    cluster.faults().next(1, r -> true, Fault.tenMegabytes());
    assertTrue(admin.get(url(SLICES)).body().length() > 10_000_000);
    assertFalse(admin.get(url(SLICES)).body().contains("padding"));
  }

  @Test
  void endsWatches() throws Exception {
    cluster.faults().next(1, RequestInfo::isWatch, new Fault.EmptyWatch());
    try (SandboxClient.Watch watch = watch()) {
      assertEquals("END", watch.nextText());
    }
    cluster.faults().next(1, RequestInfo::isWatch, new Fault.WatchEndsAfter(2));
    try (SandboxClient.Watch watch = watch()) {
      assertEquals("ADDED kubernetes", watch.nextText());
      cluster.source().set("10.0.0.1");
      assertEquals("MODIFIED kubernetes", watch.nextText());
      assertEquals("END", watch.nextText());
    }
    cluster.faults().next(1, RequestInfo::isWatch, Fault.expiredWatch());
    try (SandboxClient.Watch watch = watch()) {
      assertEquals("ERROR", watch.nextText());
      assertEquals("END", watch.nextText());
    }
  }

  @Test
  void cutsWatches() throws Exception {
    for (Fault fault : new Fault[] {new Fault.CutAfterHeaders(), new Fault.CutInBody()}) {
      // A new connection has frames of its own to send: if one of them meets the cut, the client
      // gives up before it has read the headers.
      assertEquals(200, admin.get(url(SLICES)).code());
      cluster.faults().next(1, RequestInfo::isWatch, fault);
      try (SandboxClient.Watch watch = watch()) {
        assertEquals("FAILED", watch.nextText());
      }
    }
  }

  @Test
  void sendsOnlyBookmarks() throws Exception {
    cluster.faults().next(1, RequestInfo::isWatch, new Fault.OnlyBookmarks());
    try (SandboxClient.Watch watch = watch()) {
      assertEquals("BOOKMARK", watch.nextText());
      cluster.source().set("10.0.0.1");
      assertEquals("BOOKMARK", watch.nextText());
    }
  }
}
