package io.apiserverupdater.failover;

import io.apiserverupdater.failover.Observation.Service;
import io.apiserverupdater.lab.Traffic;
import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/**
 * One fault and what became of it. All times are in milliseconds after the fault.
 *
 * @param target the control plane that was hit
 * @param at when
 * @param load of the machine then, the mean of the last minute
 * @param ways what each client saw through each Service
 * @param decidedMillis when the updater's first write of the slice arrived at an apiserver: it had
 *     found out shortly before; empty when it wrote nothing
 * @param writtenMillis when a watcher saw that the target was no longer published as ready; empty
 *     when it never did
 * @param writes of the slice while the fault lasted
 * @param leastReady the fewest ready addresses that the slice held
 * @param leastListed the fewest addresses, ready or not
 * @param listedMillis from 200 on the target's /readyz, after the fault was healed, until the
 *     apiservers listed it in {@code default/kubernetes} (again); empty as the next one
 * @param returnMillis from when both held until every client had an answer from it; empty when the
 *     target was not to come back
 * @param failuresOnReturn failed requests through our Service after the fault began to be healed
 * @param restarts of updaters that the fault did not kill itself
 * @param stalls requests to control planes that were not hit, at their own addresses, that nobody
 *     answered: then the machine stalled, and the round says nothing about a Service
 * @param longestLoss the longest time from a death of the target to the last request that was lost
 *     to it, for a target that dies more than once
 */
public record Round(
    String target,
    Instant at,
    double load,
    List<Way> ways,
    OptionalDouble decidedMillis,
    OptionalDouble writtenMillis,
    int writes,
    int leastReady,
    int leastListed,
    OptionalDouble listedMillis,
    OptionalDouble returnMillis,
    int failuresOnReturn,
    int restarts,
    int stalls,
    OptionalDouble longestLoss,
    double lastedMillis) {

  /**
   * What one client saw through one Service.
   *
   * @param outageMillis until the start of the last request that failed; 0 when none did
   * @param failures how many failed
   * @param requests how many there were
   * @param slowestMillis what the slowest of the others took
   * @param lastFailure how and why the last one of them failed, see {@link Traffic.Sample}; empty
   *     when none did
   */
  public record Way(
      Service service,
      String worker,
      double outageMillis,
      int failures,
      int requests,
      double slowestMillis,
      String lastFailure) {}

  /** The outages of all clients through a Service. */
  public DoubleStream outages(Service service) {
    return ways.stream().filter(way -> way.service() == service).mapToDouble(Way::outageMillis);
  }

  /** The failed requests of all clients through a Service. */
  public int failures(Service service) {
    return ways.stream().filter(way -> way.service() == service).mapToInt(Way::failures).sum();
  }
}
