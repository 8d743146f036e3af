package io.apiserverupdater.updater.readiness;

import io.apiserverupdater.probe.ApiserverAddress;
import io.apiserverupdater.probe.ProbeResult;
import java.time.Duration;

/**
 * Asks one member again and again, on a connection that it keeps where it can. {@link #ask} is for
 * one thread; {@link #close} is for any, and ends a question under way soon.
 */
public interface MemberProbe extends AutoCloseable {

  /**
   * Asks once. Never throws for what the network or the server does.
   *
   * @param deadline for everything together
   */
  ProbeResult ask(Duration deadline);

  @Override
  void close();

  /** Makes the probe of one member. */
  interface Factory {
    /**
     * The probe of one member; nothing is sent yet.
     *
     * @param lost called, briefly and from any thread, when the other side ends a kept connection
     */
    MemberProbe of(ApiserverAddress address, Runnable lost);
  }
}
