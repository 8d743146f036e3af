package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ApiserverProbe;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Each probe in a thread of its own, which ends with the probe: at its deadline at the latest. They
 * are daemons, so a program that knows enough need not wait for them.
 */
public final class ProbeThreads implements Probing {
  private static final int STACK_BYTES = 256 * 1024;

  private final ApiserverProbe probe;
  private final BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();

  public ProbeThreads(ApiserverProbe probe) {
    this.probe = probe;
  }

  @Override
  public long now() {
    return System.nanoTime();
  }

  @Override
  public void ask(ApiserverAddress address, Duration deadline) {
    Thread thread =
        new Thread(null, () -> probe(address, deadline), "probe-" + address, STACK_BYTES);
    thread.setDaemon(true);
    thread.start();
  }

  private void probe(ApiserverAddress address, Duration deadline) {
    ProbeResult result;
    try {
      result = probe.probe(address, deadline);
    } catch (RuntimeException e) {
      // Nothing that a server sends may end the boot.
      result = new ProbeResult.Unreachable(ProbeResult.Reason.TLS, "the probe failed: " + e);
    }
    answers.add(new Answer(address, result));
  }

  @Override
  public Optional<Answer> await(long untilNanos) throws InterruptedException {
    return Optional.ofNullable(
        answers.poll(Math.max(0, untilNanos - System.nanoTime()), TimeUnit.NANOSECONDS));
  }
}
