package io.apiserverupdater.updater.kube;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.kubeconfig.ClientIdentity;
import io.apiserverupdater.apiserver.probe.HttpsReadyzProbe;
import io.apiserverupdater.updater.kube.api.SlowAccess;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A credential plugin may take 30 s. Each call here that waits for it waits for the time limit. */
@Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ReadyzProbesTest {
  private final SlowAccess access = new SlowAccess();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);
  private final AtomicLong clock = new AtomicLong();
  private final ReadyzProbes probes = new ReadyzProbes(access, clock::get);

  @AfterEach
  void letThePluginEnd() {
    goOn.countDown();
  }

  private FutureTask<HttpsReadyzProbe> askedWhileThePluginRuns() throws InterruptedException {
    access.whenAsked =
        () -> {
          begun.countDown();
          try {
            assertTrue(goOn.await(20, TimeUnit.SECONDS));
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    FutureTask<HttpsReadyzProbe> waiting = new FutureTask<>(() -> probes.probe(true));
    Thread thread = new Thread(waiting, "probe");
    thread.setDaemon(true);
    thread.start();
    assertTrue(begun.await(5, TimeUnit.SECONDS));
    return waiting;
  }

  @Test
  void anonymousProbesDoNotWaitForAPlugin() throws Exception {
    FutureTask<HttpsReadyzProbe> waiting = askedWhileThePluginRuns();
    assertSame(probes.probe(false), probes.probe(false));
    goOn.countDown();
    assertSame(waiting.get(5, TimeUnit.SECONDS), probes.probe(true));
  }

  @Test
  void probesGoOnWithTheIdentityThatTheyHaveWhileAPluginRuns() throws Exception {
    HttpsReadyzProbe first = probes.probe(true);
    FutureTask<HttpsReadyzProbe> waiting = askedWhileThePluginRuns();
    assertSame(first, probes.probe(true));
    assertEquals(Optional.of("token-1"), probes.token());
    clock.addAndGet(Duration.ofSeconds(11).toNanos());
    assertEquals(Optional.of("token-1"), probes.token(), "also when it is time to look again");
    Optional<ClientIdentity> before = probes.keptIdentity();
    assertTrue(probes.isRenewedSince(before), "a 401 may be the old token's");
    goOn.countDown();
    assertSame(first, waiting.get(5, TimeUnit.SECONDS));
    assertTrue(probes.isRenewedSince(before), "or was, when the answer comes later");
    assertFalse(probes.isRenewedSince(probes.keptIdentity()));
    assertEquals(Optional.of("token-2"), probes.token());
  }

  @Test
  void readsTheTokenAgainAfterTenSeconds() {
    assertEquals(Optional.of("token-1"), probes.token());
    clock.addAndGet(Duration.ofSeconds(10).toNanos() - 1);
    assertEquals(Optional.of("token-1"), probes.token());
    clock.addAndGet(1);
    assertEquals(Optional.of("token-2"), probes.token());
  }
}
