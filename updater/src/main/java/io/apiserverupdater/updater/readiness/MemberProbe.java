package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.apiserver.probe.ProbeResult;
import java.time.Duration;

/**
 * Asks one member again and again, on a connection that it keeps where it can. {@link #ask} and
 * {@link #awaitNext} are for one thread; {@link #close} is for any, ends a wait at once and a probe
 * under way soon.
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

  @Override
  void close();
}
