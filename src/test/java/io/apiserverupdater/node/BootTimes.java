package io.apiserverupdater.node;

import java.time.Duration;
import java.util.OptionalLong;

/**
 * When the steps of one boot came, after power-on.
 *
 * @param pinUnit how long the unit that pins took, from its start to its end: at most what it adds
 *     to the boot
 */
record BootTimes(
    Duration pinned,
    Duration kubeletStarted,
    Duration handedOver,
    Duration ready,
    Duration pinUnit) {

  private static final String PIN = "apiserver-bootstrap.service";

  /** Reads them from systemd; at {@code readyNanos} the API had the node as Ready. */
  static BootTimes of(BootedNode node, long readyNanos) {
    long pinned = time(node, PIN, "ExecMainExitTimestampMonotonic");
    return new BootTimes(
        since(node, pinned),
        kubeletStarted(node),
        since(
            node,
            time(node, "apiserver-bootstrap-handover.service", "ExecMainExitTimestampMonotonic")),
        since(node, readyNanos),
        pinUnit(node));
  }

  /** From power-on until the kubelet was started. */
  static Duration kubeletStarted(BootedNode node) {
    return since(node, time(node, "kubelet.service", "ExecMainStartTimestampMonotonic"));
  }

  /** How long the unit that pins took, from its start to its end. */
  static Duration pinUnit(BootedNode node) {
    return Duration.ofNanos(
        time(node, PIN, "ExecMainExitTimestampMonotonic")
            - time(node, PIN, "InactiveExitTimestampMonotonic"));
  }

  private static long time(BootedNode node, String unit, String property) {
    OptionalLong nanos = node.unitTimeNanos(unit, property);
    return nanos.orElseThrow(() -> new AssertionError(unit + " has no " + property));
  }

  private static Duration since(BootedNode node, long nanos) {
    return Duration.ofNanos(nanos - node.poweredOnNanos());
  }

  @Override
  public String toString() {
    return "power-on to pinned %d ms, kubelet started %d ms, Ready %d ms, handed over %d ms;"
            .formatted(
                pinned.toMillis(),
                kubeletStarted.toMillis(),
                ready.toMillis(),
                handedOver.toMillis())
        + " the pin unit took "
        + pinUnit.toMillis()
        + " ms";
  }
}
