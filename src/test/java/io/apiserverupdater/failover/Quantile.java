package io.apiserverupdater.failover;

import java.util.stream.DoubleStream;

/** By nearest rank. */
final class Quantile {
  private Quantile() {}

  /** The smallest value that the given share of all does not exceed; NaN when there is none. */
  static double of(DoubleStream values, double share) {
    double[] sorted = values.sorted().toArray();
    return sorted.length == 0
        ? Double.NaN
        : sorted[Math.max(0, (int) Math.ceil(share * sorted.length) - 1)];
  }
}
