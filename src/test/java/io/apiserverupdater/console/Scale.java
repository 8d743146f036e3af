package io.apiserverupdater.console;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * How numbers of a size are written.
 *
 * @param one what is written as 1
 */
record Scale(double one, String suffix) {
  private static final double MEBIBYTE = 1 << 20;

  /**
   * The one in which the greatest of some numbers is short.
   *
   * @param unit by Grafana's name; empty for a number
   */
  static Scale of(String unit, double greatest) {
    return switch (unit) {
      case "" -> new Scale(1, "");
      case "ops" -> new Scale(1, "/s");
      case "percentunit" -> new Scale(0.01, " %");
      case "bytes" -> greatest < MEBIBYTE ? new Scale(1024, " KiB") : new Scale(MEBIBYTE, " MiB");
      case "s" -> ofSeconds(greatest);
      default -> throw new IllegalArgumentException("unknown unit: " + unit);
    };
  }

  private static Scale ofSeconds(double greatest) {
    if (greatest < 1) {
      return new Scale(0.001, " ms");
    }
    if (greatest < 2 * 60) {
      return new Scale(1, " s");
    }
    if (greatest < 2 * 3_600) {
      return new Scale(60, " min");
    }
    return greatest < 2 * 86_400 ? new Scale(3_600, " h") : new Scale(86_400, " d");
  }

  /** With three digits at most, unless it is 1000 or more. */
  String text(double value) {
    double scaled = value / one;
    int decimals = Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
    BigDecimal rounded =
        BigDecimal.valueOf(scaled).setScale(decimals, RoundingMode.HALF_UP).stripTrailingZeros();
    return rounded.toPlainString() + suffix;
  }

  /** Between the marks of an axis that ends at this number or a little above: some three fit. */
  double step(double greatest) {
    if (greatest <= 0) {
      return one;
    }
    double third = greatest / one / 3;
    double magnitude = Math.pow(10, Math.floor(Math.log10(third)));
    for (double factor : new double[] {1, 2, 5}) {
      if (factor * magnitude >= third) {
        return factor * magnitude * one;
      }
    }
    return 10 * magnitude * one;
  }
}
