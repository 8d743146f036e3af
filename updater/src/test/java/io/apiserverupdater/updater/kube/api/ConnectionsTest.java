package io.apiserverupdater.updater.kube.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.tls.ClientCertificate;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class ConnectionsTest {
  private final SlowAccess access = new SlowAccess();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);
  private final AtomicLong clock = new AtomicLong();
  private final ScheduledExecutorService deadlines = Executors.newScheduledThreadPool(1);
  private final Connections connections = new Connections(access, "test", clock::get, deadlines);

  @AfterEach
  void close() {
    goOn.countDown();
    connections.close();
    deadlines.shutdownNow();
  }

  private void waitForTheTest() {
    begun.countDown();
    try {
      assertTrue(goOn.await(5, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private String token(boolean fresh) throws Exception {
    return connections.get(fresh).token().orElseThrow();
  }

  private FutureTask<String> inAThread(boolean fresh) {
    FutureTask<String> task = new FutureTask<>(() -> token(fresh));
    new Thread(task, "call").start();
    return task;
  }

  @Test
  void callsGoOnWithWhatIsKeptWhileAPluginRuns() throws Exception {
    assertEquals("token-1", token(false));
    access.whenAsked = this::waitForTheTest;
    FutureTask<String> turnedDown = inAThread(true);
    assertTrue(begun.await(5, TimeUnit.SECONDS));
    assertEquals("token-1", token(false));
    clock.addAndGet(Duration.ofSeconds(11).toNanos());
    assertEquals("token-1", token(false), "also when it is time to look at it again");
    goOn.countDown();
    assertEquals("token-2", turnedDown.get(5, TimeUnit.SECONDS));
    assertEquals("token-2", token(false));
  }

  @Test
  void severalCallsThatWereTurnedDownReadOnce() throws Exception {
    assertEquals("token-1", token(false));
    access.whenAsked = this::waitForTheTest;
    FutureTask<String> first = inAThread(true);
    assertTrue(begun.await(5, TimeUnit.SECONDS));
    FutureTask<String> second = new FutureTask<>(() -> token(true));
    Thread waiting = new Thread(second, "call");
    waiting.start();
    while (waiting.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    goOn.countDown();
    assertEquals("token-2", first.get(5, TimeUnit.SECONDS));
    assertEquals("token-2", second.get(5, TimeUnit.SECONDS));
    assertEquals(2, access.asked.get());
  }

  /** As between the two writes of a program that renews both files. */
  @Test
  void certificateAndKeyThatDoNotFitAreNotTakenForTheOnesThatDo() throws Exception {
    HeldCertificate old = new HeldCertificate.Builder().build();
    HeldCertificate renewed = new HeldCertificate.Builder().build();
    access.certificate =
        Optional.of(new ClientCertificate(old.certificatePem(), old.privateKeyPkcs8Pem()));
    Connections.Connection before = connections.get(false);
    access.certificate =
        Optional.of(new ClientCertificate(renewed.certificatePem(), old.privateKeyPkcs8Pem()));
    clock.addAndGet(Duration.ofSeconds(10).toNanos());
    assertEquals(before, connections.get(false));
    access.certificate =
        Optional.of(new ClientCertificate(renewed.certificatePem(), renewed.privateKeyPkcs8Pem()));
    clock.addAndGet(Duration.ofSeconds(10).toNanos());
    assertNotSame(before.transport(), connections.get(false).transport());
  }

  @Test
  void readsAgainAfterTenSeconds() throws Exception {
    assertEquals("token-1", token(false));
    clock.addAndGet(Duration.ofSeconds(10).toNanos() - 1);
    assertEquals("token-1", token(false));
    clock.addAndGet(1);
    assertEquals("token-2", token(false));
  }
}
