package io.apiserverupdater.bench;

import java.util.ArrayList;
import java.util.List;

/** Measured values. Used by one thread at a time. */
public final class Sample {
  private final List<Double> values = new ArrayList<>();

  public void add(double value) {
    values.add(value);
  }

  int size() {
    return values.size();
  }

  /** The smallest value that the given share of all values does not exceed (nearest rank). */
  public double percentile(double share) {
    List<Double> sorted = values.stream().sorted().toList();
    if (sorted.isEmpty()) {
      return Double.NaN;
    }
    int rank = (int) Math.ceil(share * sorted.size());
    return sorted.get(Math.max(0, rank - 1));
  }

  public double mean() {
    return values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
  }

  public double max() {
    return percentile(1);
  }
}
