package io.apiserverupdater.console;

import io.apiserverupdater.manifests.Dashboard.Mapping;
import io.apiserverupdater.manifests.Dashboard.Panel;
import io.apiserverupdater.manifests.Prometheus;
import io.apiserverupdater.manifests.Prometheus.Point;
import io.apiserverupdater.manifests.Prometheus.Series;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The panels of the dashboard over some time as one self-contained SVG, light or dark as its reader
 * prefers. Grafana has no part in it.
 */
final class DashboardPicture {
  private static final int COLUMN = 40;
  private static final int ROW = 30;
  private static final int HEADER = 52;
  private static final int GAP = 6;
  private static final int PADDING = 10;

  /** Of a panel, above and below what it shows. */
  private static final int TITLE = 26;

  private static final int LINE = 13;
  private static final int LANE_GAP = 2;
  private static final int AXIS = 44;

  /** Of a letter, about. */
  private static final double LETTER = 6.1;

  private static final double TITLE_LETTER = 7;

  private static final int COLORS = 8;
  private static final String NO_DATA = "no data";

  private static final List<Duration> TICKS =
      Stream.of(15, 30, 60, 120, 300, 600, 1800, 3600).map(Duration::ofSeconds).toList();

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

  private static final String STYLE =
      """
      <style>
        text { font: 10px "DejaVu Sans", Verdana, sans-serif; fill: #59636e; }
        .heading { font-size: 15px; font-weight: bold; fill: #1f2328; }
        .title { font-size: 12px; fill: #1f2328; }
        .page { fill: #f6f8fa; }
        .panel { fill: #ffffff; stroke: #d1d9e0; }
        .grid { stroke: #d1d9e0; }
        .inside { fill: #ffffff; }
        .value { font-size: 22px; font-weight: bold; fill: #ffffff; text-anchor: middle; }
        .line { fill: none; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
        .again { stroke-dasharray: 3 3; }
        .green { fill: #1a7f37; } .red { fill: #cf222e; } .blue { fill: #0969da; }
        .orange { fill: #bc4c00; } .none { fill: #6e7781; }
        .s0 { stroke: #0969da; } .s1 { stroke: #bc4c00; } .s2 { stroke: #1a7f37; }
        .s3 { stroke: #8250df; } .s4 { stroke: #cf222e; } .s5 { stroke: #9a6700; }
        .s6 { stroke: #1b7c83; } .s7 { stroke: #bf3989; }
        @media (prefers-color-scheme: dark) {
          text { fill: #9198a1; }
          .heading, .title { fill: #f0f6fc; }
          .page { fill: #010409; }
          .panel { fill: #0d1117; stroke: #3d444d; }
          .grid { stroke: #3d444d; }
          .inside, .value { fill: #ffffff; }
          .green { fill: #238636; } .red { fill: #b62324; } .blue { fill: #1f6feb; }
          .orange { fill: #9e4b14; } .none { fill: #3d444d; }
          .s0 { stroke: #4493f8; } .s1 { stroke: #f0883e; } .s2 { stroke: #3fb950; }
          .s3 { stroke: #a371f7; } .s4 { stroke: #f85149; } .s5 { stroke: #d29922; }
          .s6 { stroke: #39c5cf; } .s7 { stroke: #db61a2; }
        }
      </style>""";

  /**
   * A panel with what its queries were answered.
   *
   * @param curves of all its queries, in their order
   */
  record FilledPanel(Panel panel, List<Curve> curves) {
    /** Asks each query of a panel. */
    static FilledPanel of(Panel panel, Function<String, List<Series>> ask) {
      return new FilledPanel(
          panel,
          panel.queries().stream()
              .flatMap(
                  query ->
                      ask.apply(query.expression()).stream()
                          .map(series -> new Curve(query.name(series.labels()), series)))
              .toList());
    }
  }

  /** A series by the name that the legend gives it. */
  record Curve(String name, Series series) {}

  private final StringBuilder svg = new StringBuilder();
  private final Instant from;
  private final Instant until;

  private DashboardPicture(Instant from, Instant until) {
    this.from = from;
    this.until = until;
  }

  static String svg(String title, List<FilledPanel> panels, Instant from, Instant until) {
    return new DashboardPicture(from, until).draw(title, panels);
  }

  private String draw(String title, List<FilledPanel> panels) {
    int width = 24 * COLUMN + GAP;
    int height =
        HEADER
            + GAP
            + panels.stream()
                .map(it -> it.panel().place())
                .mapToInt(place -> (place.row() + place.rows()) * ROW)
                .max()
                .orElse(0);
    add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\""
            + " aria-labelledby=\"title\">",
        width, height);
    String span = TIME.format(from) + " to " + TIME.format(until) + " UTC";
    add("<title id=\"title\">Dashboard of %s, %s</title>", escaped(title), span);
    svg.append(STYLE).append('\n');
    add("<rect class=\"page\" width=\"%d\" height=\"%d\"/>", width, height);
    text("heading", GAP + PADDING, 24, title + ", " + span);
    text("", GAP + PADDING, 42, "Drawn from the queries of dashboard.json, not by Grafana.");
    panels.forEach(this::panel);
    add("</svg>");
    return svg.toString();
  }

  /** A rectangle, of a panel or in it. */
  private record Area(double x, double y, double width, double height) {
    double right() {
      return x + width;
    }

    double bottom() {
      return y + height;
    }

    Area without(double left, double top, double atRight, double below) {
      return new Area(x + left, y + top, width - left - atRight, height - top - below);
    }
  }

  private void panel(FilledPanel filled) {
    Panel panel = filled.panel();
    Area area =
        new Area(
            GAP + panel.place().column() * COLUMN,
            HEADER + panel.place().row() * ROW,
            panel.place().columns() * COLUMN - GAP,
            panel.place().rows() * ROW - GAP);
    rect("panel", area);
    title(panel, area);
    Area inner = area.without(PADDING, TITLE, PADDING, PADDING);
    switch (panel.kind()) {
      case STAT -> stat(panel, filled.curves(), inner);
      case STATE_TIMELINE -> stateTimeline(panel, filled.curves(), inner);
      case TIME_SERIES -> timeSeries(panel, filled.curves(), inner);
    }
  }

  /** In two lines if one is too short for it. */
  private void title(Panel panel, Area area) {
    double x = area.x() + PADDING;
    double width = area.width() - PADDING;
    int space = panel.title().lastIndexOf(' ', (int) (width / LETTER));
    if (panel.title().length() * TITLE_LETTER <= width || space < 0) {
      text("title", x, area.y() + 17, panel.title());
    } else {
      text("", x, area.y() + 12, panel.title().substring(0, space));
      text("", x, area.y() + 23, panel.title().substring(space + 1));
    }
  }

  private void stat(Panel panel, List<Curve> curves, Area area) {
    List<Point> points = curves.stream().flatMap(it -> it.series().points().stream()).toList();
    if (points.isEmpty()) {
      text("", area.x(), area.bottom(), NO_DATA);
      return;
    }
    double last = points.get(points.size() - 1).value();
    rect(panel.color(last), area);
    text(
        "value",
        area.x() + area.width() / 2,
        area.y() + area.height() / 2 + 8,
        panel
            .mapping(last)
            .map(Mapping::text)
            .orElseGet(() -> Scale.of(panel.unit(), last).text(last)));
  }

  private void stateTimeline(Panel panel, List<Curve> curves, Area area) {
    Area lanes = area.without(0, 0, 0, 2 * LINE);
    times(lanes);
    double height = lanes.height() / Math.max(1, curves.size());
    for (int i = 0; i < curves.size(); i++) {
      Area lane = new Area(lanes.x(), lanes.y() + i * height, lanes.width(), height - LANE_GAP);
      rect("none", lane);
      curves.get(i).series().runs().forEach(run -> lane(panel, run, lane));
      text("inside", lane.x() + 4, lane.y() + lane.height() / 2 + 3.5, curves.get(i).name());
    }
    double x = area.x();
    for (Mapping mapping : new TreeMap<>(panel.mappings()).values()) {
      x += key(mapping.color().orElse("green"), mapping.text(), x, area.bottom());
    }
    double unusedWidth = key("none", NO_DATA, x, area.bottom());
  }

  /** What a colour means; returns how wide that is. */
  private double key(String style, String text, double x, double bottom) {
    rect(style, new Area(x, bottom - 8, 8, 8));
    text("", x + 12, bottom, text);
    return 20 + text.length() * LETTER;
  }

  private void lane(Panel panel, List<Point> run, Area lane) {
    int first = 0;
    for (int i = 1; i <= run.size(); i++) {
      double value = run.get(first).value();
      if (i == run.size() || run.get(i).value() != value) {
        Instant end =
            i == run.size() ? run.get(i - 1).at().plus(Prometheus.INTERVAL) : run.get(i).at();
        double left = x(run.get(first).at(), lane);
        double right = Math.min(lane.right(), x(end, lane));
        rect(panel.color(value), new Area(left, lane.y(), right - left, lane.height()));
        first = i;
      }
    }
  }

  private void timeSeries(Panel panel, List<Curve> curves, Area area) {
    List<Curve> filled = curves.stream().filter(it -> !it.series().points().isEmpty()).toList();
    double top = area.bottom() - legend(filled, area);
    Area plot = new Area(area.x() + AXIS, area.y(), area.width() - AXIS, top - LINE - area.y());
    double greatest =
        filled.stream()
            .flatMap(it -> it.series().points().stream())
            .mapToDouble(Point::value)
            .max()
            .orElse(0);
    Scale scale = Scale.of(panel.unit(), greatest);
    double step = scale.step(greatest);
    double end = Math.max(1, Math.ceil(greatest / step - 1e-9)) * step;
    for (double mark = 0; mark < end + step / 2; mark += step) {
      double y = y(mark, end, plot);
      add(
          "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%3$.1f\" y2=\"%3$.1f\"/>",
          plot.x(), plot.right(), y);
      add(
          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
          plot.x() - 4, y + 3.5, scale.text(mark));
    }
    times(plot);
    for (int i = 0; i < filled.size(); i++) {
      StringBuilder path = new StringBuilder();
      for (List<Point> run : filled.get(i).series().runs()) {
        curve(run, end, plot, path);
      }
      add("<path class=\"line %s\" d=\"%s\"/>", stroke(i), path);
    }
  }

  /** A point between two that are as high would show nothing. */
  private void curve(List<Point> run, double end, Area plot, StringBuilder path) {
    for (int i = 0; i < run.size(); i++) {
      double value = run.get(i).value();
      boolean flat =
          i > 0
              && i < run.size() - 1
              && run.get(i - 1).value() == value
              && run.get(i + 1).value() == value;
      if (!flat) {
        path.append(
            String.format(
                Locale.ROOT,
                "%s%.1f %.1f",
                i == 0 ? "M" : "L",
                x(run.get(i).at(), plot),
                y(value, end, plot)));
      }
    }
    if (run.size() == 1) {
      path.append("h0");
    }
  }

  /** The names of the curves at the bottom of an area; returns how high that is. */
  private double legend(List<Curve> curves, Area area) {
    List<Place> places = places(curves, area.width());
    int lines = places.stream().mapToInt(Place::line).max().orElse(-1) + 1;
    for (int i = 0; i < curves.size(); i++) {
      double x = area.x() + places.get(i).x();
      double y = area.bottom() - (lines - 1 - places.get(i).line()) * LINE;
      add("<path class=\"line %s\" d=\"M%.1f %.1fh10\"/>", stroke(i), x, y - 3.5);
      text("", x + 14, y, curves.get(i).name());
    }
    return lines * LINE;
  }

  /** Where a name is, from the left end of its line; lines count from 0. */
  private record Place(double x, int line) {}

  private static List<Place> places(List<Curve> curves, double width) {
    List<Place> places = new ArrayList<>();
    double x = 0;
    int line = 0;
    for (Curve curve : curves) {
      double needed = 20 + curve.name().length() * LETTER;
      if (x > 0 && x + needed > width) {
        x = 0;
        line++;
      }
      places.add(new Place(x, line));
      x += needed;
    }
    return places;
  }

  private void times(Area plot) {
    Duration all = Duration.between(from, until);
    Duration step =
        TICKS.stream()
            .filter(tick -> tick.multipliedBy(6).compareTo(all) >= 0)
            .findFirst()
            .orElse(TICKS.get(TICKS.size() - 1));
    long seconds = step.toSeconds();
    for (long at = Math.floorDiv(from.getEpochSecond(), seconds) * seconds + seconds;
        at < until.getEpochSecond();
        at += seconds) {
      double x = x(Instant.ofEpochSecond(at), plot);
      add(
          "<line class=\"grid\" x1=\"%1$.1f\" x2=\"%1$.1f\" y1=\"%2$.1f\" y2=\"%3$.1f\"/>",
          x, plot.y(), plot.bottom());
      String time = TIME.format(Instant.ofEpochSecond(at));
      add(
          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>",
          x, plot.bottom() + 10, seconds < 60 ? time : time.substring(0, 5));
    }
  }

  private static String stroke(int number) {
    return "s" + number % COLORS + (number < COLORS ? "" : " again");
  }

  private double x(Instant at, Area plot) {
    double share =
        (double) Duration.between(from, at).toMillis() / Duration.between(from, until).toMillis();
    return plot.x() + Math.max(0, share) * plot.width();
  }

  private static double y(double value, double end, Area plot) {
    return plot.bottom() - value / end * plot.height();
  }

  private void rect(String style, Area area) {
    add(
        "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
        style, area.x(), area.y(), area.width(), area.height());
  }

  private void text(String style, double x, double y, String text) {
    add("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>", style, x, y, escaped(text));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;");
  }

  private void add(String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values)).append('\n');
  }
}
