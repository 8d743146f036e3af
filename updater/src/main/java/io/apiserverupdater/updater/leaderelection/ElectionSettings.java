package io.apiserverupdater.updater.leaderelection;

import java.time.Duration;

/**
 * The three times of client-go's leader election (k8s.io/client-go/tools/leaderelection).
 *
 * @param identity unique for each process, so that a restarted one is a stranger to its old Lease
 * @param leaseDuration how long others wait after the last renewal they saw; whole seconds
 * @param renewDeadline how long after its last renewal the leader goes on leading; shorter
 * @param retryPeriod the time between two renewals, and between two attempts; shorter still
 */
public record ElectionSettings(
    String identity, Duration leaseDuration, Duration renewDeadline, Duration retryPeriod) {

  /**
   * No replica may ask for more, and no silent holder is waited for longer: so a nonsensical
   * duration does not keep the Lease forever, and one that a replica may ask for is waited for.
   */
  public static final Duration LONGEST_LEASE = Duration.ofSeconds(60);
}
