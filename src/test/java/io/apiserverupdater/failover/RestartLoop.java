package io.apiserverupdater.failover;

import io.apiserverupdater.lab.ControlPlaneHost;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Kills an apiserver some time after it has become ready, and starts it again, until healed. */
final class RestartLoop implements Fault.Remedy {
  private final ControlPlaneHost target;
  private final Duration life;
  private final CountDownLatch healed = new CountDownLatch(1);
  private final List<Long> deaths = new CopyOnWriteArrayList<>();
  private final Thread thread = new Thread(this::run, "restart-loop");

  private RestartLoop(ControlPlaneHost target, Duration life) {
    this.target = target;
    this.life = life;
  }

  static RestartLoop start(ControlPlaneHost target, Duration life) {
    RestartLoop loop = new RestartLoop(target, life);
    loop.thread.setDaemon(true);
    loop.thread.start();
    return loop;
  }

  private void run() {
    try {
      do {
        deaths.add(System.nanoTime());
        target.kill();
        target.startAgain();
        while (!target.ready() && healed.getCount() > 0) {
          boolean unusedHealed = healed.await(50, TimeUnit.MILLISECONDS);
        }
      } while (!healed.await(life.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** When it was killed, by {@link System#nanoTime}. */
  List<Long> deaths() {
    return List.copyOf(deaths);
  }

  @Override
  public void heal() {
    healed.countDown();
    try {
      thread.join(FailoverCluster.SOON.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    target.awaitReady();
  }
}
