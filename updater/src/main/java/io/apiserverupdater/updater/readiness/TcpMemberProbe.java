package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.apiserver.probe.ProbeResult.Reason;
import io.apiserverupdater.apiserver.time.Deadline;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketTimeoutException;
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
    } catch (SocketTimeoutException e) {
      return new ProbeResult.Unreachable(
          Reason.CONNECT_TIMEOUT,
          "no answer within " + timeout.toMillis() + "ms",
          deadline.isLongOver());
    } catch (ConnectException e) {
      return new ProbeResult.Unreachable(Reason.REFUSED, "connection refused");
    } catch (IOException e) {
      return new ProbeResult.Unreachable(Reason.NO_ROUTE, String.valueOf(e.getMessage()));
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
