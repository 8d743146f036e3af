package io.apiserverupdater.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("component")
class SandboxLifeTest {
  private static final Duration SOON = Duration.ofSeconds(5);
  private static final Duration LEASE = Duration.ofMillis(500);
  private static final String SLICES =
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

  private final Set<Thread> before = Thread.getAllStackTraces().keySet();
  private final SandboxCluster cluster =
      SandboxCluster.builder()
          .apiservers(3)
          .reconcileTtl(LEASE)
          .drain(Duration.ofSeconds(1))
          .start();
  private final SandboxClient admin = new SandboxClient(cluster.pki(), cluster.adminToken());

  @AfterEach
  void close() {
    admin.close();
    cluster.close();
  }

  private List<String> source() {
    return cluster.sliceAddresses("default", "kubernetes");
  }

  private List<String> addresses(int... indexes) {
    return Arrays.stream(indexes).mapToObj(i -> cluster.apiserver(i).ip()).toList();
  }

  @Test
  void aKilledOneLeavesWhenItsLeaseRunsOut() throws IOException {
    SandboxApiserver killed = cluster.apiserver(1);
    assertEquals(200, admin.get(killed.url() + SLICES).code());
    long start = System.nanoTime();
    killed.kill();
    assertThrows(IOException.class, () -> admin.get(killed.url() + SLICES));
    cluster.awaitTrue("it left", SOON, () -> source().equals(addresses(0, 2)));
    assertTrue(System.nanoTime() - start >= LEASE.toNanos(), "left before its lease ran out");
    killed.start();
    assertEquals(addresses(0, 1, 2), source());
    assertEquals(200, admin.get(killed.url() + SLICES).code());
  }

  @Test
  void aKillBreaksWatches() throws Exception {
    try (SandboxClient.Watch watch =
        admin.watch(cluster.apiserver(0).url() + SLICES + "?watch=1&resourceVersion=9999")) {
      cluster.apiserver(0).kill();
      assertEquals("FAILED", watch.nextText());
    }
  }

  @Test
  void oneThatStopsIsNotReadyAndGone() throws Exception {
    SandboxApiserver stopping = cluster.apiserver(2);
    // Connected: the rest has little time.
    admin.get(stopping.url() + "/readyz").expect(200);
    CompletableFuture<Void> stop = CompletableFuture.runAsync(stopping::stopGracefully);
    cluster.awaitTrue("it left at once", SOON, () -> source().equals(addresses(0, 1)));
    SandboxClient.Answer readyz = admin.get(stopping.url() + "/readyz").expect(500);
    assertTrue(readyz.body().contains("[-]shutdown failed"));
    try (SandboxClient.Watch watch = admin.watch(stopping.url() + SLICES + "?watch=1")) {
      stop.get(5, TimeUnit.SECONDS);
      assertEquals("ADDED kubernetes", watch.nextText());
      assertEquals("END", watch.nextText());
    }
    assertThrows(IOException.class, () -> admin.get(stopping.url() + "/readyz"));
    stopping.start();
    assertEquals("ok", admin.get(stopping.url() + "/readyz").body());
  }

  @Test
  void aPausedOneAnswersNothingAndCatchesUp() throws Exception {
    SandboxApiserver paused = cluster.apiserver(0);
    assertEquals(200, admin.get(paused.url() + SLICES).code());
    paused.pause();
    try (SandboxClient.Watch hanging = admin.watchLater(paused.url() + SLICES);
        SandboxClient fresh = new SandboxClient(cluster.pki(), cluster.adminToken());
        SandboxClient.Watch connecting = fresh.watchLater(paused.url() + SLICES)) {
      cluster.awaitTrue("it left", SOON, () -> source().equals(addresses(1, 2)));
      assertTrue(hanging.isQuietFor(Duration.ofMillis(100)));
      assertTrue(connecting.isQuietFor(Duration.ofMillis(100)));
      paused.resume();
      assertEquals(addresses(0, 1, 2), source());
      assertEquals("", hanging.nextText());
      assertEquals("", connecting.nextText());
    }
  }

  @Test
  void oneMoreJoins() throws IOException {
    SandboxApiserver added = cluster.addApiserver();
    assertEquals("cp4", added.name());
    assertEquals(addresses(0, 1, 2, 3), source());
    assertEquals(200, admin.get(added.url() + SLICES).code());
  }

  @Test
  void theLastOneIsNeverTakenOut() {
    cluster.apiservers().forEach(SandboxApiserver::kill);
    cluster.awaitNever("the source shrinks", Duration.ofSeconds(1), () -> source().size() < 1);
    assertTrue(source().size() >= 1);
  }

  @Test
  void theSourceCanBeSetByHand() {
    SourceEndpoints source = cluster.source();
    source.set("10.0.0.2", "10.0.0.1");
    assertEquals(List.of("10.0.0.1", "10.0.0.2"), source());
    source.set(List.of("10.0.0.1"), List.of("fd00::1"));
    assertEquals(
        List.of("fd00::1"), cluster.sliceAddresses("default", SourceEndpoints.SECOND_SLICE));
    source.set(List.of(), List.of("fd00::2"));
    assertEquals(List.of("fd00::2"), source());
    source.setEmpty();
    assertEquals(List.of(), source());
    source.deleteAll();
    assertEquals(List.of(), cluster.store().list(ApiResource.ENDPOINT_SLICES, "default"));
    source.letReconcile();
    assertEquals(addresses(0, 1, 2), source());
  }

  @Test
  void servingAuthorityRotates() throws IOException {
    SandboxPki old = cluster.pki();
    assertNotEquals(old, cluster.rotateServingAuthority());
    assertThrows(IOException.class, () -> admin.get(cluster.apiserver(0).url() + SLICES));
    try (SandboxClient renewed = new SandboxClient(cluster.pki(), cluster.adminToken())) {
      assertEquals(200, renewed.get(cluster.apiserver(0).url() + SLICES).code());
    }
  }

  @Test
  void closeLeavesNoThreadBehind() throws Exception {
    cluster.faults().next(1, r -> r.is("list", "leases"), new Fault.NeverAnswered());
    try (SandboxClient.Watch watch = admin.watch(cluster.apiserver(0).url() + SLICES + "?watch=1");
        SandboxClient.Watch hanging =
            admin.watchLater(cluster.apiserver(1).url() + "/apis/coordination.k8s.io/v1/leases")) {
      assertEquals("ADDED kubernetes", watch.nextText());
      cluster.awaitTrue("one hangs", SOON, () -> cluster.audit().count("list", "leases") == 1);
      cluster.apiserver(2).pause();
      long start = System.nanoTime();
      cluster.close();
      long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
      assertTrue(took < 3000, "close took " + took + " ms");
      assertEquals("FAILED", hanging.nextText());
    }
    long deadline = System.nanoTime() + SOON.toNanos();
    Set<String> left;
    do {
      left =
          Thread.getAllStackTraces().keySet().stream()
              .filter(t -> !before.contains(t))
              .map(Thread::getName)
              .filter(n -> n.startsWith("MockWebServer") || n.startsWith("sandbox-"))
              .collect(Collectors.toSet());
    } while (!left.isEmpty() && System.nanoTime() < deadline);
    assertEquals(Set.of(), left);
  }

  @Test
  void eachAnswersToTheServiceNamesUnderItsOwnCertificate() throws IOException {
    SandboxApiserver server = cluster.apiserver(1);
    for (String name :
        List.of("kubernetes.default.svc", "apiserver.cluster.local", "localhost", server.ip())) {
      try (SandboxClient named = admin.resolvingTo(server.ip())) {
        SandboxClient.Answer answer =
            named.get("https://" + name + ":" + server.port() + "/version");
        assertEquals(200, answer.code(), name);
        assertEquals("CN=cp2", answer.peer());
      }
    }
  }

  @Test
  void twoClustersLiveSideBySide() throws IOException {
    try (SandboxCluster other = SandboxCluster.builder().apiservers(1).start();
        SandboxClient otherAdmin = new SandboxClient(other.pki(), other.adminToken())) {
      assertEquals(200, otherAdmin.get(other.apiserver(0).url() + SLICES).code());
      assertEquals(200, admin.get(cluster.apiserver(0).url() + SLICES).code());
    }
  }
}
