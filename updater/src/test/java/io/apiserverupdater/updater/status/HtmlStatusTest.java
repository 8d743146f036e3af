package io.apiserverupdater.updater.status;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class HtmlStatusTest {
  static List<StatusReport> reports() {
    return List.of(Reports.well(), Reports.oneDown(), Reports.saying("plain"), Reports.empty());
  }

  /** As XML, so that no tag is open and no text is taken for a tag. */
  private static Document parse(String page) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    return factory.newDocumentBuilder().parse(new InputSource(new StringReader(page)));
  }

  private static List<Element> elements(Document page, String name) {
    NodeList found = page.getElementsByTagNameNS("*", name);
    List<Element> elements = new ArrayList<>();
    for (int i = 0; i < found.getLength(); i++) {
      elements.add((Element) found.item(i));
    }
    return elements;
  }

  @ParameterizedTest
  @MethodSource("reports")
  void isWellFormedAndLoadsNothing(StatusReport report) throws Exception {
    Document page = parse(HtmlStatus.page(report, true));
    for (String loading : List.of("script", "img", "iframe", "object", "form", "base")) {
      assertEquals(List.of(), elements(page, loading), loading);
    }
    List<Element> icons = elements(page, "link");
    assertEquals(1, icons.size());
    assertTrue(icons.get(0).getAttribute("href").startsWith("data:image/svg+xml,"));
    assertFalse(elements(page, "style").get(0).getTextContent().contains("url("));
    // Behind a proxy the page is not at the root, so each link is relative.
    assertEquals(
        Set.of("?pause", "status.json", "readyz?verbose", "metrics"),
        Set.copyOf(elements(page, "a").stream().map(it -> it.getAttribute("href")).toList()));
  }

  @ParameterizedTest
  @MethodSource("reports")
  void eachElementIsOfTheSetThatItUses(StatusReport report) throws Exception {
    Document page = parse(HtmlStatus.page(report, true));
    for (Element element : elements(page, "*")) {
      for (int i = 0; i < element.getAttributes().getLength(); i++) {
        String name = element.getAttributes().item(i).getNodeName();
        assertFalse(name.startsWith("on") || name.equals("style"), name);
      }
    }
    assertEquals("en", page.getDocumentElement().getAttribute("lang"));
    assertEquals(1, elements(page, "h1").size());
    assertEquals(1, elements(page, "main").size());
    elements(page, "section")
        .forEach(
            section ->
                assertEquals(
                    section.getAttribute("aria-labelledby"),
                    ((Element) section.getElementsByTagNameNS("*", "h2").item(0))
                        .getAttribute("id")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style></td></table>&lt;",
        "&amp;&#x3c;script&#x3e;",
        "]]> <!-- -->",
        "\u0000\u0008\u000b\uffff\ufffe\ud800 \udc00",
        "\u202eright to left"
      })
  void foreignTextIsText(String text) throws Exception {
    String page = HtmlStatus.page(Reports.saying(text), true);
    Document parsed = parse(page);
    assertEquals(
        elements(parse(HtmlStatus.page(Reports.saying("plain"), true)), "*").size(),
        elements(parsed, "*").size());
    assertEquals(List.of(), elements(parsed, "script"));
    assertEquals(List.of(), elements(parsed, "img"));
    String shown = parsed.getDocumentElement().getTextContent();
    if (text.chars().allMatch(c -> c >= ' ' && c < 127)) {
      assertTrue(shown.contains(text), shown);
    }
    assertEquals(page, new String(page.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8));
  }

  @Test
  void policyAllowsItsOwnStyleOnly() throws Exception {
    String style =
        HtmlStatus.page(Reports.well(), true).replaceFirst("(?s).*<style>(.*)</style>.*", "$1");
    String hash =
        Base64.getEncoder()
            .encodeToString(
                MessageDigest.getInstance("SHA-256")
                    .digest(style.getBytes(StandardCharsets.UTF_8)));
    assertEquals(
        "default-src 'none'; style-src 'sha256-"
            + hash
            + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        HtmlStatus.CONTENT_SECURITY_POLICY);
  }

  @Test
  void refreshesUnlessPaused() throws Exception {
    assertTrue(HtmlStatus.page(Reports.well(), true).contains("http-equiv=\"refresh\""));
    String paused = HtmlStatus.page(Reports.well(), false);
    assertFalse(paused.contains("http-equiv"));
    assertTrue(
        elements(parse(paused), "a").stream()
            .anyMatch(link -> link.getAttribute("href").equals("?")));
  }

  @Test
  void saysEachStateInWordsToo() throws Exception {
    Document page = parse(HtmlStatus.page(Reports.oneDown(), true));
    assertTrue(elements(page, "title").get(0).getTextContent().contains("2 things to look at"));
    List<String> pills =
        elements(page, "span").stream()
            .filter(span -> span.getAttribute("class").startsWith("pill"))
            .map(Element::getTextContent)
            .toList();
    assertTrue(pills.containsAll(List.of("✓ ready", "✗ not ready", "! 12d")), pills::toString);
  }

  @Test
  void showsTheSourceOnlyBesideATargetThatDiffers() throws Exception {
    assertEquals(List.of(), labelled(HtmlStatus.page(Reports.well(), true), "Source"));
    String page = HtmlStatus.page(Reports.oneDown(), true);
    assertEquals(List.of("ready", "ready", "ready"), labelled(page, "Source"));
    assertEquals(List.of("✓ ready", "✗ not ready", "✓ ready"), labelled(page, "Published"));
  }

  @Test
  void saysForHowLongAMemberIsDrained() throws Exception {
    assertEquals(
        List.of("! not ready drained for another 20m"),
        labelled(HtmlStatus.page(Reports.saying("x"), true), "Published"));
  }

  /** What the cells of a column have; on a phone each has this label before it. */
  private static List<String> labelled(String page, String label) throws Exception {
    return elements(parse(page), "td").stream()
        .filter(cell -> cell.getAttribute("data-label").equals(label))
        .map(Element::getTextContent)
        .toList();
  }

  /** What {@code src/test/status-pictures} takes pictures of. */
  @Test
  void staysSmall() throws IOException {
    String page = HtmlStatus.page(Reports.oneDown(), false);
    assertTrue(page.length() < 20_000, () -> page.length() + " characters");
    Files.writeString(Path.of("target", "status-page.html"), page);
  }
}
