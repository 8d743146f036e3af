package io.apiserverupdater.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.console.DashboardPicture.FilledPanel;
import io.apiserverupdater.manifests.Dashboard;
import io.apiserverupdater.manifests.Dashboard.Kind;
import io.apiserverupdater.manifests.Dashboard.Mapping;
import io.apiserverupdater.manifests.Dashboard.Panel;
import io.apiserverupdater.manifests.Dashboard.Place;
import io.apiserverupdater.manifests.Dashboard.Query;
import io.apiserverupdater.manifests.Dashboard.Threshold;
import io.apiserverupdater.manifests.Prometheus;
import io.apiserverupdater.manifests.Prometheus.Point;
import io.apiserverupdater.manifests.Prometheus.Series;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** What {@code ./lab dashboard} draws. */
@Tag("component")
@Tag("quick")
class DashboardPictureTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final Instant FROM = Instant.parse("2026-11-30T08:00:00Z");
  private static final Place PLACE = new Place(0, 0, 12, 4);

  private static Panel panel(Kind kind, String unit) {
    return new Panel(
        kind,
        "A panel",
        PLACE,
        unit,
        List.of(new Query("a", "{{address}} by {{pod}}")),
        Map.of(
            0L,
            new Mapping("down", Optional.of("red")),
            1L,
            new Mapping("up", Optional.of("green"))),
        List.of(
            new Threshold(Double.NEGATIVE_INFINITY, "red"),
            new Threshold(60, "orange"),
            new Threshold(3600, "green")));
  }

  /** One value each second from 08:00:00 on; null where there is none. */
  private static Series series(Double... values) {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      if (!values[i].isNaN()) {
        points.add(new Point(FROM.plusSeconds(i), values[i]));
      }
    }
    return new Series(Map.of("address", "192.0.2.1:6443", "pod", "a<b"), points);
  }

  private static String draw(Panel panel, Series... series) {
    return DashboardPicture.svg(
        "example",
        List.of(FilledPanel.of(panel, query -> List.of(series))),
        FROM,
        FROM.plusSeconds(100));
  }

  private static NodeList elements(String svg, String name) {
    try {
      return DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(new InputSource(new StringReader(svg)))
          .getElementsByTagName(name);
    } catch (ParserConfigurationException | SAXException | IOException e) {
      throw new AssertionError(svg, e);
    }
  }

  private static List<String> texts(String svg) {
    NodeList elements = elements(svg, "text");
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < elements.getLength(); i++) {
      texts.add(elements.item(i).getTextContent());
    }
    return texts;
  }

  private static List<String> attributes(String svg, String name, String style, String attribute) {
    NodeList elements = elements(svg, name);
    List<String> values = new ArrayList<>();
    for (int i = 0; i < elements.getLength(); i++) {
      Element element = (Element) elements.item(i);
      if (element.getAttribute("class").equals(style)) {
        values.add(element.getAttribute(attribute));
      }
    }
    return values;
  }

  @Test
  void laneChangesItsColorWithTheValueAndEndsWhereThereIsNone() {
    Series series = series(1.0, 1.0, 0.0, 1.0, Double.NaN, Double.NaN, Double.NaN, 1.0);
    String svg = draw(panel(Kind.STATE_TIMELINE, ""), series);
    // The last of each is in the legend, 8 wide. A lane is 454 wide: 4.54 for a second.
    assertEquals(List.of("9.1", "4.5", "4.5", "8.0"), attributes(svg, "rect", "green", "width"));
    assertEquals(List.of("4.5", "8.0"), attributes(svg, "rect", "red", "width"));
    assertEquals(List.of("454.0", "8.0"), attributes(svg, "rect", "none", "width"));
    assertTrue(texts(svg).containsAll(List.of("192.0.2.1:6443 by a<b", "down", "up", "no data")));
  }

  @Test
  void curveHasAGapWhereThereIsNoValue() {
    Series series = series(1.0, 2.0, Double.NaN, Double.NaN, Double.NaN, 1.0);
    String svg = draw(panel(Kind.TIME_SERIES, "ops"), series);
    List<String> paths = attributes(svg, "path", "line s0", "d");
    // The other one is in the legend.
    assertEquals(2, paths.size());
    assertEquals(
        2, Pattern.compile("M").matcher(paths.get(1)).results().count(), () -> paths.get(1));
    assertTrue(paths.get(1).endsWith("h0"), "a single value is a dot");
    assertTrue(texts(svg).containsAll(List.of("0/s", "1/s", "2/s", "192.0.2.1:6443 by a<b")));
  }

  @ParameterizedTest
  @CsvSource({"1, up, green", "0, down, red", "59, 59 s, red", "180, 3 min, orange"})
  void statShowsTheLastValue(double last, String text, String color) {
    String svg = draw(panel(Kind.STAT, "s"), series(5000.0, last));
    assertTrue(texts(svg).contains(text), () -> texts(svg).toString());
    assertEquals(1, attributes(svg, "rect", color, "x").size());
  }

  @Test
  void panelWithoutSeriesIsDrawn() {
    for (Kind kind : Kind.values()) {
      assertTrue(texts(draw(panel(kind, "bytes"))).contains("A panel"));
    }
    assertTrue(texts(draw(panel(Kind.STAT, ""))).contains("no data"));
  }

  @ParameterizedTest
  @CsvSource({
    "s, 0.0042, 4.2 ms",
    "s, 90, 90 s",
    "s, 1036800, 12 d",
    "bytes, 66060288, 63 MiB",
    "percentunit, 0.0123, 1.23 %",
    "ops, 1234.5, 1235/s",
  })
  void valuesAreShort(String unit, double value, String text) {
    assertEquals(text, Scale.of(unit, value).text(value));
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0.3, 0.1", "1, 0.5", "3, 1", "3.1, 2", "16, 10"})
  void axisHasRoundMarks(double greatest, double step) {
    assertEquals(step, new Scale(1, "").step(greatest), 1e-9);
  }

  /** As for each page and picture here: nothing is loaded, nothing runs. */
  @Test
  void pictureOfTheNightIsOfTheDashboardThatShips() throws IOException {
    String svg = Files.readString(ROOT.resolve("docs/images/night-dashboard.svg"));
    Dashboard dashboard = Dashboard.shipped(ROOT, Prometheus.INTERVAL);
    String shown = String.join(" ", texts(svg));
    for (Panel panel : dashboard.panels()) {
      assertTrue(shown.contains(panel.title()), panel.title() + ": run docs/night.sh");
    }
    assertFalse(Pattern.compile("href|<script|url\\(|@import").matcher(svg).find());
  }
}
