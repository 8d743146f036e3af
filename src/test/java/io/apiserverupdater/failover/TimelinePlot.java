package io.apiserverupdater.failover;

import io.apiserverupdater.failover.Observation.Service;
import io.apiserverupdater.failover.Observation.Stream;
import io.apiserverupdater.lab.Traffic;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One round as a picture: a dot for each request, at the time at which it began; what failed is
 * red. Our Service is above the {@code kubernetes} Service, and each worker has a lane.
 */
final class TimelinePlot {
  private static final int WIDTH = 960;
  private static final int LEFT = 170;
  private static final int RIGHT = 20;
  private static final int TOP = 56;
  private static final int LANE = 44;
  private static final int GAP = 18;

  /** Dots lie on this many lines of a lane, in turn, so that neighbours do not hide each other. */
  private static final int LINES = 5;

  private final StringBuilder svg = new StringBuilder();
  private final long fault;
  private final double from;
  private final double until;

  private TimelinePlot(long fault, double from, double until) {
    this.fault = fault;
    this.from = from;
    this.until = until;
  }

  static String svg(MatrixRow row, FaultTrial.Outcome outcome) {
    double until = (outcome.healNanos() - outcome.faultNanos()) / 1e9;
    return new TimelinePlot(outcome.faultNanos(), -1, Math.max(1, until)).draw(row, outcome);
  }

  private String draw(MatrixRow row, FaultTrial.Outcome outcome) {
    List<Map.Entry<Stream, List<Traffic.Sample>>> lanes =
        outcome.streams().entrySet().stream()
            .sorted(
                Comparator.comparing(
                        (Map.Entry<Stream, List<Traffic.Sample>> lane) -> lane.getKey().service())
                    .thenComparing(lane -> lane.getKey().client().host().name()))
            .toList();
    int height = TOP + lanes.size() * LANE + GAP + 40;
    add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
            + " font-size=\"12\">",
        WIDTH, height);
    add("<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>", WIDTH, height);
    add("<text x=\"12\" y=\"22\" font-size=\"15\">%s</text>", plain(row.title()));
    add(
        "<text x=\"12\" y=\"40\" fill=\"#555555\">each dot a new TLS connection and a request;"
            + " red ones failed; seconds after the fault</text>");
    axis(height);
    int y = TOP;
    Service service = Service.APISERVER;
    for (Map.Entry<Stream, List<Traffic.Sample>> lane : lanes) {
      if (lane.getKey().service() != service) {
        service = lane.getKey().service();
        y += GAP;
      }
      lane(lane.getKey(), lane.getValue(), y);
      y += LANE;
    }
    add("</svg>");
    return svg.toString();
  }

  private void axis(int height) {
    double span = until - from;
    double step = span > 40 ? 10 : span > 15 ? 5 : 1;
    for (double second = 0; second <= until; second += step) {
      add(
          "<line x1=\"%1$.1f\" x2=\"%1$.1f\" y1=\"%2$d\" y2=\"%3$d\" stroke=\"%4$s\"/>",
          x(second), TOP, height - 30, second == 0 ? "#000000" : "#dddddd");
      add(
          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f</text>",
          x(second), height - 14, second);
    }
  }

  private void lane(Stream stream, List<Traffic.Sample> samples, int y) {
    add(
        "<text x=\"12\" y=\"%d\">%s</text>",
        y + 18, stream.service() == Service.APISERVER ? "apiserver" : "kubernetes");
    add(
        "<text x=\"12\" y=\"%d\" fill=\"#555555\">%s, %s</text>",
        y + 33, stream.client().host().name(), stream.client().kind());
    dots(samples, true, y, "#2f9e44");
    dots(samples, false, y, "#e03131");
  }

  private void dots(List<Traffic.Sample> samples, boolean ok, int y, String colour) {
    StringBuilder path = new StringBuilder();
    for (int i = 0; i < samples.size(); i++) {
      Traffic.Sample sample = samples.get(i);
      if (sample.ok() == ok) {
        path.append(
            String.format(
                Locale.ROOT,
                "M%.1f,%dh0",
                x((sample.startNanos() - fault) / 1e9),
                y + 8 + i % LINES * (LANE - 16) / (LINES - 1)));
      }
    }
    add(
        "<path d=\"%s\" stroke=\"%s\" stroke-width=\"%s\" stroke-linecap=\"round\"/>",
        path, colour, ok ? "2" : "3.5");
  }

  private double x(double second) {
    return LEFT + (second - from) / (until - from) * (WIDTH - LEFT - RIGHT);
  }

  private static String plain(String markdown) {
    return markdown.replace("`", "").replace("&", "&amp;").replace("<", "&lt;");
  }

  private void add(String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values)).append('\n');
  }
}
