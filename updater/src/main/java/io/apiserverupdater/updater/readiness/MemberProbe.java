package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.apiserver.probe.ProbeResult;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Asks one member again and again, on a connection that it keeps where it can. {@link #close} is
 * for any thread, ends a wait at once and a probe under way soon; the rest is for one thread.
 */
public interface MemberProbe extends AutoCloseable {

  /**
   * Asks once. Never throws for what the network or the server does.
   *
   * @param timeout for a connection, where one has to be made, and then for the answer; a member
   *     far away has more
   */
  ProbeResult ask(Duration timeout);

  /** Waits for the next probe; less when the other side ends a connection that has lasted. */
  void awaitNext(Duration longest) throws InterruptedException;

  /** Until when the certificate is valid that the member showed last, if it has shown one. */
  default Optional<Instant> certificateEnd() {
    return Optional.empty();
  }

  @Override
  void close();
}
