package io.apiserverupdater.bench;

import com.google.gson.JsonObject;
import io.apiserverupdater.sandbox.Json;
import java.util.Locale;

/**
 * One measured figure and its target.
 *
 * @param name what was measured
 * @param unit of the value and the target
 * @param target the value that must not be exceeded; infinite when the figure is only stated
 */
public record Figure(String name, double value, String unit, double target) {

  /** A figure without a target. */
  public static Figure stated(String name, double value, String unit) {
    return new Figure(name, value, unit, Double.POSITIVE_INFINITY);
  }

  boolean met() {
    return value <= target;
  }

  String row() {
    String limit = Double.isInfinite(target) ? "" : "≤ " + number(target) + " " + unit;
    return String.format(
        Locale.ROOT,
        "%-58s %14s   %-14s %s",
        name,
        number(value) + " " + unit,
        limit,
        met() ? "" : "MISSED");
  }

  JsonObject json() {
    JsonObject json =
        Json.of("name", name, "value", Math.round(value * 1000) / 1000.0, "unit", unit);
    if (!Double.isInfinite(target)) {
      json.addProperty("target", target);
      json.addProperty("met", met());
    }
    return json;
  }

  private static String number(double value) {
    return value == Math.rint(value)
        ? String.format(Locale.ROOT, "%.0f", value)
        : String.format(Locale.ROOT, "%.2f", value);
  }
}
