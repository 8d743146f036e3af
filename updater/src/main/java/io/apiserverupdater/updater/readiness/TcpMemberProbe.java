package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ConnectFault;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.time.Deadline;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Treats an apiserver as ready if its host accepts a connection. */
public final class TcpMemberProbe implements MemberProbe {
  private final ApiserverAddress address;
  private final CountDownLatch closed = new CountDownLatch(1);

  public TcpMemberProbe(ApiserverAddress address) {
    this.address = address;
  }

  @Override
  public ProbeResult ask(Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    try (Socket socket = new Socket()) {
      socket.connect(address.socketAddress(), Math.max(1, deadline.millis()));
      return new ProbeResult.Ready();
    } catch (IOException e) {
      ProbeResult.Unreachable fault = ConnectFault.of(e);
      boolean heldUp = fault.reason() == Reason.CONNECT_TIMEOUT && deadline.isLongOver();
      return new ProbeResult.Unreachable(fault.reason(), fault.detail(), heldUp);
    }
  }

  @Override
  public void awaitNext(Duration longest) throws InterruptedException {
    boolean unusedEnd = closed.await(longest.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** It keeps no connection; a question under way ends by its deadline. */
  @Override
  public void close() {
    closed.countDown();
  }
}
