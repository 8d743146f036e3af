package io.apiserverupdater.updater.server;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * A value that goes up and down, in the text format of Prometheus, version 0.0.4.
 *
 * @param samples asked at each scrape
 */
public record Gauge(String name, String help, Supplier<List<Sample>> samples) {

  /**
   * One value.
   *
   * @param labels name to value
   */
  public record Sample(Map<String, String> labels, long value) {
    public Sample {
      labels = Map.copyOf(labels);
    }

    private String labelText() {
      return new TreeMap<>(labels)
          .entrySet().stream()
              .map(label -> label.getKey() + "=\"" + escaped(label.getValue()) + "\"")
              .collect(Collectors.joining(","));
    }

    private static String escaped(String value) {
      return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }
  }

  /** A gauge of one sample: 1 for yes, 0 for no. */
  public static Gauge single(String name, String help, BooleanSupplier value) {
    return new Gauge(name, help, () -> List.of(new Sample(Map.of(), value.getAsBoolean() ? 1 : 0)));
  }

  /** All of it, as a scrape sees it. */
  static String text(List<Gauge> gauges) {
    StringBuilder text = new StringBuilder();
    for (Gauge gauge : gauges) {
      text.append("# HELP ").append(gauge.name()).append(' ').append(gauge.help());
      text.append("\n# TYPE ").append(gauge.name()).append(" gauge\n");
      gauge.samples().get().stream()
          .sorted(Comparator.comparing(Sample::labelText))
          .forEach(sample -> append(gauge.name(), sample, text));
    }
    return text.toString();
  }

  private static void append(String name, Sample sample, StringBuilder text) {
    String labels = sample.labelText();
    text.append(name);
    if (!labels.isEmpty()) {
      text.append('{').append(labels).append('}');
    }
    text.append(' ').append(sample.value()).append('\n');
  }
}
