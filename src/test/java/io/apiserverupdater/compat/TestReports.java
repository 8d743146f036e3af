package io.apiserverupdater.compat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * The XML reports that Maven's Surefire writes, one file for each class.
 *
 * @param folder where they are
 */
record TestReports(Path folder) {

  /** The result of a class of that simple name, in whatever package; it may not have run. */
  ClassResult of(String name) throws IOException {
    Optional<Path> report = report(name);
    return report.isPresent() ? read(name, report.get()) : ClassResult.notRun(name);
  }

  /** The day on which the last of these classes ended, in UTC; empty if none has run. */
  Optional<LocalDate> day(List<String> names) throws IOException {
    List<LocalDate> days = new ArrayList<>();
    for (String name : names) {
      Optional<Path> report = report(name);
      if (report.isPresent()) {
        days.add(
            Files.getLastModifiedTime(report.get())
                .toInstant()
                .atZone(ZoneOffset.UTC)
                .toLocalDate());
      }
    }
    return days.stream().max(Comparator.naturalOrder());
  }

  private Optional<Path> report(String name) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> isReportOf(name, file.getFileName().toString())).findFirst();
    }
  }

  private static boolean isReportOf(String name, String file) {
    return file.startsWith("TEST-") && file.endsWith("." + name + ".xml");
  }

  private static ClassResult read(String name, Path report) throws IOException {
    NodeList cases = root(report).getElementsByTagName("testcase");
    int passed = 0;
    int skipped = 0;
    List<String> failed = new ArrayList<>();
    for (int i = 0; i < cases.getLength(); i++) {
      Element test = (Element) cases.item(i);
      if (has(test, "failure") || has(test, "error")) {
        failed.add(test.getAttribute("name"));
      } else if (has(test, "skipped")) {
        skipped++;
      } else {
        passed++;
      }
    }
    return new ClassResult(name, passed, skipped, failed);
  }

  private static Element root(Path report) throws IOException {
    try {
      return DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(report.toFile())
          .getDocumentElement();
    } catch (ParserConfigurationException | SAXException e) {
      throw new IOException("cannot read " + report, e);
    }
  }

  private static boolean has(Element test, String outcome) {
    return test.getElementsByTagName(outcome).getLength() > 0;
  }
}
