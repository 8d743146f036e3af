package io.apiserverupdater.node;

import io.apiserverupdater.bench.Figure;
import io.apiserverupdater.bench.Measurements;
import io.apiserverupdater.bench.Sample;
import io.apiserverupdater.lab.ProxyMode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What the package adds to a boot: the same node boots with its unit and without it, in turns.
 * Started by {@code ./bench boot}.
 */
public final class NodeBootBench {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final int BOOTS = 15;
  private static final List<String> UNITS =
      List.of("apiserver-bootstrap.service", "apiserver-bootstrap-handover.service");

  private NodeBootBench() {}

  /** Measures, prints, writes the JSON file given, and exits with 1 when a target was missed. */
  public static void main(String[] arguments) throws IOException {
    Sample with = new Sample();
    Sample without = new Sample();
    Sample unit = new Sample();
    NodePlan plan = new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts");
    try (NodeCluster cluster = NodeCluster.of("boot-bench", plan)) {
      cluster.start();
      BootedNode node = cluster.settled(1);
      node.powerOff();
      for (int i = 0; i <= BOOTS; i++) {
        double masked = boot(node, "mask");
        double unmasked = boot(node, "unmask");
        // The first pair reads everything from the disk.
        if (i > 0) {
          without.add(masked);
          with.add(unmasked);
          unit.add(BootTimes.pinUnit(node).toNanos() / 1e6);
        }
        node.powerOff();
      }
    }
    List<Figure> figures =
        List.of(
            Figure.stated("power-on to kubelet started, without", without.percentile(0.5), "ms"),
            Figure.stated("power-on to kubelet started, with", with.percentile(0.5), "ms"),
            new Figure(
                "what it adds to the boot before the kubelet, medians",
                with.percentile(0.5) - without.percentile(0.5),
                "ms",
                400),
            Figure.stated("the unit that pins took, median", unit.percentile(0.5), "ms"));
    System.exit(Measurements.publish(figures, Path.of(arguments[0])));
  }

  /** Powers it on; returns the milliseconds until its kubelet was started. */
  private static double boot(BootedNode node, String masking) {
    if (node.on()) {
      node.powerOff();
    }
    for (String unit : UNITS) {
      node.disk().chroot("systemctl", "--quiet", masking, unit).orThrow();
    }
    node.powerOn();
    node.awaitUnit("kubelet.service", "active", SOON);
    return BootTimes.kubeletStarted(node).toNanos() / 1e6;
  }
}
