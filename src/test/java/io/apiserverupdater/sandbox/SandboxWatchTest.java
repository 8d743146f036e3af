package io.apiserverupdater.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("component")
class SandboxWatchTest {
  private static final String LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";

  private final SandboxCluster cluster =
      SandboxCluster.builder()
          .apiservers(1)
          .historyLimit(20)
          .bookmarkInterval(Duration.ofMillis(200))
          .start();
  private final SandboxClient admin = new SandboxClient(cluster.pki(), cluster.adminToken());

  @AfterEach
  void close() {
    admin.close();
    cluster.close();
  }

  private String watchUrl(String query) {
    return cluster.apiserver(0).url() + LEASES + "?watch=true" + query;
  }

  private JsonObject create(String name, String label) {
    JsonObject lease =
        Json.parse(
            "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"l\":\"%s\"}},\"spec\":{}}"
                .formatted(name, label));
    return cluster.store().create(ApiResource.LEASES, "kube-system", lease);
  }

  private void label(String name, String value) {
    cluster
        .store()
        .patch(
            ApiResource.LEASES,
            "kube-system",
            name,
            "{\"metadata\":{\"labels\":{\"l\":\"%s\"}}}".formatted(value));
  }

  private void delete(String name) {
    cluster.store().delete(ApiResource.LEASES, "kube-system", name);
  }

  @Test
  void startsWithWhatIsThere() throws Exception {
    create("a", "x");
    for (String query : List.of("", "&resourceVersion=", "&resourceVersion=0")) {
      try (SandboxClient.Watch watch = admin.watch(watchUrl(query))) {
        assertEquals("ADDED a", watch.nextText());
      }
    }
  }

  @Test
  void startsAfterAResourceVersion() throws Exception {
    create("a", "x");
    long since = cluster.store().revision();
    try (SandboxClient.Watch watch = admin.watch(watchUrl("&resourceVersion=" + since))) {
      assertTrue(watch.isQuietFor(Duration.ofMillis(100)));
      create("b", "x");
      label("a", "y");
      delete("b");
      assertEquals("ADDED b", watch.nextText());
      assertEquals("MODIFIED a", watch.nextText());
      JsonObject deleted = watch.next();
      assertEquals("DELETED", Json.text(deleted, "type"));
      assertEquals(
          Long.toString(cluster.store().revision()),
          Json.text(deleted, "object/metadata/resourceVersion"));
    }
  }

  @Test
  void marksTheEndOfWhatWasThere() throws Exception {
    create("a", "x");
    String query =
        "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    try (SandboxClient.Watch watch = admin.watch(watchUrl(query))) {
      assertEquals("ADDED a", watch.nextText());
      JsonObject annotations = Json.objectAt(watch.next(), "object", "metadata", "annotations");
      assertEquals("true", Json.text(annotations, "k8s.io~initial-events-end"));
    }
  }

  @Test
  void objectsEnterAndLeaveASelection() throws Exception {
    create("a", "other");
    String query = "&labelSelector=l%3Dmine&resourceVersion=" + cluster.store().revision();
    try (SandboxClient.Watch watch = admin.watch(watchUrl(query))) {
      label("a", "mine");
      label("a", "other");
      label("a", "yet-another");
      label("a", "mine");
      delete("a");
      assertEquals("ADDED a", watch.nextText());
      assertEquals("DELETED a", watch.nextText());
      assertEquals("ADDED a", watch.nextText());
      assertEquals("DELETED a", watch.nextText());
    }
  }

  @Test
  void watchesOneName() throws Exception {
    try (SandboxClient.Watch watch = admin.watch(watchUrl("&fieldSelector=metadata.name%3Db"))) {
      create("a", "x");
      create("b", "x");
      assertEquals("ADDED b", watch.nextText());
    }
    List<AuditLog.Entry> watches = cluster.audit().entries(e -> e.request().isWatch());
    assertEquals("b", watches.get(0).request().name());
  }

  @Test
  void forgottenHistoryIsExpired() throws Exception {
    create("a", "x");
    long since = cluster.store().revision();
    label("a", "y");
    cluster.store().compact();
    try (SandboxClient.Watch watch = admin.watch(watchUrl("&resourceVersion=" + since))) {
      JsonObject error = watch.next();
      assertEquals("ERROR", Json.text(error, "type"));
      assertEquals("410", Json.text(error, "object/code"));
      assertEquals("Expired", Json.text(error, "object/reason"));
      assertEquals("END", watch.nextText());
    }
  }

  @Test
  void historyIsBounded() throws Exception {
    create("a", "x");
    long since = cluster.store().revision();
    for (int i = 0; i < 50; i++) {
      label("a", "v" + i);
    }
    try (SandboxClient.Watch watch = admin.watch(watchUrl("&resourceVersion=" + since))) {
      assertEquals("ERROR", Json.text(watch.next(), "type"));
    }
    try (SandboxClient.Watch watch =
        admin.watch(watchUrl("&resourceVersion=" + (cluster.store().revision() - 20)))) {
      for (int i = 30; i < 50; i++) {
        JsonObject labels = Json.objectAt(watch.next(), "object", "metadata", "labels");
        assertEquals("v" + i, Json.text(labels, "l"));
      }
    }
  }

  @Test
  void sendsBookmarks() throws Exception {
    create("a", "x");
    long revision = cluster.store().revision();
    String query = "&allowWatchBookmarks=true&resourceVersion=" + revision;
    try (SandboxClient.Watch watch = admin.watch(watchUrl(query))) {
      JsonObject bookmark = watch.next();
      assertEquals("BOOKMARK", Json.text(bookmark, "type"));
      assertEquals(Long.toString(revision), Json.text(bookmark, "object/metadata/resourceVersion"));
    }
  }

  @Test
  void speaksHttp11Too() throws Exception {
    create("a", "x");
    try (SandboxClient old = admin.withHttp11();
        SandboxClient.Watch watch = old.watch(watchUrl("&timeoutSeconds=3"))) {
      assertEquals("ADDED a", watch.nextText());
      label("a", "y");
      assertEquals("MODIFIED a", watch.nextText());
      assertEquals("END", watch.nextText());
    }
  }

  @Test
  void endsAfterItsTimeout() throws Exception {
    long start = System.nanoTime();
    String query = "&timeoutSeconds=1&resourceVersion=" + cluster.store().revision();
    try (SandboxClient.Watch watch = admin.watch(watchUrl(query))) {
      assertEquals("END", watch.nextText());
      long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
      assertTrue(took >= 900, "took " + took + " ms");
    }
  }

  @Test
  void aWriteIsWithTheWatcherAtOnce() throws Exception {
    create("a", "x");
    try (SandboxClient.Watch watch =
        admin.watch(watchUrl("&resourceVersion=" + cluster.store().revision()))) {
      List<Long> micros = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        long start = System.nanoTime();
        label("a", "v" + i);
        assertEquals("MODIFIED a", watch.nextText());
        micros.add(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - start));
      }
      Collections.sort(micros);
      assertTrue(micros.get(49) < 100_000, "the median was " + micros.get(49) + " us");
    }
  }

  @Test
  void nothingIsLostUnderWriters() throws Exception {
    create("a", "x");
    cluster.store().compact();
    long since = cluster.store().revision();
    try (SandboxClient.Watch watch = admin.watch(watchUrl("&resourceVersion=" + since))) {
      long last = since;
      for (int i = 0; i < 200; i++) {
        label("a", "v" + i);
        JsonObject event = watch.next();
        String version = Json.text(event, "object/metadata/resourceVersion");
        assertEquals(++last, Long.parseLong(version));
      }
    }
  }
}
