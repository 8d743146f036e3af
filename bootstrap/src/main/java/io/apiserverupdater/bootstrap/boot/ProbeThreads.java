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
    try {
      thread.start();
    } catch (OutOfMemoryError e) {
      // There is no room for another thread now.
      answers.add(new Answer(address, failed(e)));
    }
  }

  private void probe(ApiserverAddress address, Duration deadline) {
    answers.add(new Answer(address, askNow(address, deadline)));
  }

  @Override
  public ProbeResult askNow(ApiserverAddress address, Duration deadline) {
    try {
      return probe.probe(address, deadline);
    } catch (RuntimeException | Error e) {
      // Nothing that a server sends, and no lack of memory, may leave the question without an
      // answer.
      return failed(e);
    }
  }

  private static ProbeResult failed(Throwable cause) {
    return new ProbeResult.Unreachable(ProbeResult.Reason.TLS, "the probe failed: " + cause);
  }

  @Override
  public Optional<Answer> await(long untilNanos) throws InterruptedException {
    return Optional.ofNullable(
        answers.poll(Math.max(0, untilNanos - System.nanoTime()), TimeUnit.NANOSECONDS));
  }
}
