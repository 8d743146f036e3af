package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.state.Evidence;
import java.util.List;
import java.util.Optional;

/** What happens to the name after a race. It never ends without an address. */
sealed interface BootDecision {

  /** The name is to point here. */
  record Point(ApiserverAddress address, Evidence evidence) implements BootDecision {}

  /** The name stays where it points: as good as any other guess, and perhaps right. */
  record Keep() implements BootDecision {}

  /**
   * Decides.
   *
   * @param end of the race
   * @param pointsSomewhere whether the name has an entry now
   * @param local the own apiserver of a control plane
   * @param ordered the candidates of the race, at least one
   */
  static BootDecision afterRace(
      RaceStep end,
      boolean pointsSomewhere,
      Optional<ApiserverAddress> local,
      List<ApiserverAddress> ordered) {
    if (end instanceof RaceStep.Ready ready) {
      return new Point(ready.address(), ready.evidence());
    }
    if (local.isPresent()) {
      // The kubelet starts it, and the kubelet is what waits for us.
      return new Point(local.get(), Evidence.LOCAL);
    }
    if (end instanceof RaceStep.Over over && over.verified().isPresent()) {
      return new Point(over.verified().get(), Evidence.VERIFIED);
    }
    return pointsSomewhere ? new Keep() : new Point(ordered.get(0), Evidence.NONE);
  }
}
