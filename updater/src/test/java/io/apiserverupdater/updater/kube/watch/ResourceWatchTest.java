package io.apiserverupdater.updater.kube.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.updater.kube.access.ServerAddress;
import io.apiserverupdater.updater.kube.api.ApiClient;
import io.apiserverupdater.updater.kube.api.ApiObserver;
import io.apiserverupdater.updater.kube.api.FakeApiserver;
import io.kubernetes.client.openapi.models.V1Service;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import mockwebserver3.MockResponse;
import mockwebserver3.MockResponseBody;
import mockwebserver3.RecordedRequest;
import okio.BufferedSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ResourceWatchTest {
  private static final Duration LONGEST = Duration.ofSeconds(60);

  /** An apiserver that knows one Service; a watch at it brings nothing until it ends. */
  private static final class Apiserver implements AutoCloseable {
    final FakeApiserver server = new FakeApiserver(this::answer);
    final CountDownLatch timeIsUp = new CountDownLatch(1);
    final String version;
    private final BlockingQueue<Watch> watches;
    private volatile boolean hasEtcd = true;

    Apiserver(String version, BlockingQueue<Watch> watches) throws IOException {
      this.version = version;
      this.watches = watches;
    }

    /** Watches stay open, and are as silent as before. */
    void loseEtcd() {
      hasEtcd = false;
    }

    private MockResponse answer(RecordedRequest request) {
      if (request.getUrl().queryParameter("watch") != null) {
        watches.add(new Watch(this, request));
        return new MockResponse.Builder()
            .bodyDelay(1, TimeUnit.NANOSECONDS)
            .body(new Silence(timeIsUp))
            .removeHeader("Content-Length")
            .build();
      }
      if (!hasEtcd) {
        return new MockResponse.Builder()
            .code(500)
            .body("{\"kind\": \"Status\", \"message\": \"etcdserver: request timed out\"}")
            .build();
      }
      return new MockResponse.Builder()
          .body(
              """
              {"metadata": {"resourceVersion": "%1$s"}, "items":
               [{"metadata": {"name": "apiserver", "resourceVersion": "%1$s"}}]}
              """
                  .formatted(version))
          .build();
    }

    @Override
    public void close() {
      timeIsUp.countDown();
      server.close();
    }
  }

  private record Watch(Apiserver at, RecordedRequest request) {}

  private record Silence(CountDownLatch end) implements MockResponseBody {
    @Override
    public long getContentLength() {
      return -1;
    }

    @Override
    public void writeTo(BufferedSink sink) throws IOException {
      try {
        end.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }
  }

  @Test
  void tellsTheObserverHowItEnded() throws Exception {
    BlockingQueue<String> told = new LinkedBlockingQueue<>();
    try (Apiserver one = new Apiserver("5", new LinkedBlockingQueue<>());
        ApiClient api = FakeApiserver.client(one.server)) {
      one.loseEtcd();
      api.observe(
          new ApiObserver() {
            @Override
            public void called(ServerAddress server, Result result, Duration took) {}

            @Override
            public void watchEnded(String resource, WatchEnd end) {
              told.add(resource + " " + end);
            }
          });
      ObjectList<V1Service, V1Service> list =
          new ObjectList<>(
              api, Resource.SERVICES, Selection.named("n", "apiserver"), service -> service);
      try (ResourceWatch<V1Service> watch = new ResourceWatch<>(list, LONGEST, () -> {})) {
        watch.start();
        assertEquals("services FAILED", told.poll(30, TimeUnit.SECONDS));
        assertTrue(watch.age().compareTo(Duration.ZERO) > 0, "it was never read");
      }
    }
  }

  // With --health-check=off or tcp nothing else finds it out.
  @Test
  void watchAtAServerWithoutEtcdEndsInTimeAndGoesOnElsewhere() throws Exception {
    BlockingQueue<Watch> watches = new LinkedBlockingQueue<>();
    try (Apiserver one = new Apiserver("5", watches);
        Apiserver other = new Apiserver("6", watches);
        ApiClient api = FakeApiserver.client(one.server, other.server)) {
      ObjectList<V1Service, V1Service> list =
          new ObjectList<>(
              api, Resource.SERVICES, Selection.named("n", "apiserver"), service -> service);
      try (ResourceWatch<V1Service> watch = new ResourceWatch<>(list, LONGEST, () -> {})) {
        watch.start();
        Watch first = watches.poll(30, TimeUnit.SECONDS);
        assertNotNull(first);
        long seconds = Long.parseLong(first.request().getUrl().queryParameter("timeoutSeconds"));
        assertTrue(seconds >= 30 && seconds < 60, "it asked for " + seconds + " s");
        assertEquals(first.at().version, version(list));

        first.at().loseEtcd();
        first.at().timeIsUp.countDown();
        Watch second = watches.poll(30, TimeUnit.SECONDS);
        assertNotNull(second);
        assertNotSame(first.at(), second.at());
        assertEquals(second.at().version, version(list));
      }
    }
  }

  private static String version(ObjectList<V1Service, V1Service> list) {
    return list.cache().get("apiserver").orElseThrow().version();
  }
}
