package io.apiserverupdater.manifests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.apiserverupdater.lab.Execution;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The alerts and the dashboard of deploy/kustomize/components/monitoring. Needs no cluster. */
@Timeout(120)
class MonitoringTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final Path RUNBOOKS = ROOT.resolve("docs/runbooks");
  private static final Path RULE_TEST = ROOT.resolve("src/test/prometheus/alerts_test.yaml");

  private static List<JsonObject> rules() {
    return AlertRules.shipped(ROOT).rules();
  }

  private static String text(JsonObject object, String name) {
    return object.get(name).getAsString();
  }

  private static Set<String> alerts() {
    Set<String> alerts = new TreeSet<>();
    rules().forEach(rule -> alerts.add(text(rule, "alert")));
    assertTrue(alerts.size() > 5, alerts::toString);
    return alerts;
  }

  @Test
  @Tag("component")
  @Tag("quick")
  void eachAlertNamesItsPageAndEachPageHasAnAlert() throws IOException {
    for (JsonObject rule : rules()) {
      assertEquals(
          "docs/runbooks/" + text(rule, "alert") + ".md",
          text(rule.getAsJsonObject("annotations"), "runbook"));
    }
    try (Stream<Path> pages = Files.list(RUNBOOKS)) {
      assertEquals(
          alerts(),
          pages
              .map(page -> page.getFileName().toString().replace(".md", ""))
              .filter(page -> !page.equals("README"))
              .collect(Collectors.toCollection(TreeSet::new)));
    }
  }

  @Test
  @Tag("component")
  @Tag("quick")
  void eachPageSaysWhatItMeansAndWhatToDo() throws IOException {
    String list = Files.readString(RUNBOOKS.resolve("README.md"));
    for (String alert : alerts()) {
      List<String> headings =
          Files.readString(RUNBOOKS.resolve(alert + ".md"))
              .lines()
              .filter(line -> line.startsWith("#"))
              .toList();
      assertEquals(
          List.of("# " + alert, "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"),
          headings);
      assertTrue(list.contains("[" + alert + "](" + alert + ".md)"), alert);
    }
  }

  @Test
  @Tag("component")
  @Tag("quick")
  void rulesAndDashboardAskForMetricsThatThereAre() throws IOException {
    Set<String> known =
        Pattern.compile("(?m)^\\| `([a-z_]+)(?:\\{[^`]*)?` \\| (\\w+) \\|")
            .matcher(Files.readString(ROOT.resolve("docs/reference/updater.md")))
            .results()
            .flatMap(MonitoringTest::series)
            .collect(Collectors.toSet());
    List<String> expressions = new ArrayList<>();
    rules().forEach(rule -> expressions.add(text(rule, "expr")));
    expressions.addAll(Dashboard.shipped(ROOT, Prometheus.INTERVAL).expressions());
    Set<String> asked =
        expressions.stream()
            .flatMap(
                it ->
                    Pattern.compile("\\b(?:apiserver_updater|process|jvm)_\\w+")
                        .matcher(it)
                        .results())
            .map(MatchResult::group)
            .collect(Collectors.toCollection(TreeSet::new));
    assertTrue(asked.size() > 15, asked::toString);
    asked.removeAll(known);
    assertEquals(Set.of(), asked);
  }

  /** The names of the series of a metric. */
  private static Stream<String> series(MatchResult row) {
    String name = row.group(1);
    return row.group(2).equals("histogram")
        ? Stream.of(name + "_bucket", name + "_sum", name + "_count")
        : Stream.of(name);
  }

  @Test
  @Tag("real")
  void eachAlertIsShownToFireAndToResolve() throws IOException {
    String test = Files.readString(RULE_TEST);
    for (String alert : alerts()) {
      assertTrue(test.contains("alertname: " + alert + ", exp_alerts: []"), alert + " resolves");
      assertTrue(
          Pattern.compile("alertname: " + alert + "\\s+exp_alerts:(?! \\[\\])")
              .matcher(test)
              .find(),
          alert + " fires");
    }
  }

  @Test
  @Tag("real")
  void promtoolFindsNoFaultInTheRules(@TempDir Path folder) throws IOException {
    String rules = written(folder).toString();
    Promtool promtool = Promtool.locate(ROOT);
    Execution checked = promtool.run("", "check", "rules", "--lint=all", "--lint-fatal", rules);
    assertEquals(0, checked.exitCode(), checked.out() + checked.err());
    assertTrue(checked.out().contains(rules().size() + " rules found"), checked.out());
  }

  @Test
  @Tag("real")
  void alertsFireAndResolve(@TempDir Path folder) throws IOException {
    Path unusedRules = written(folder);
    Path test = Files.copy(RULE_TEST, folder.resolve("alerts_test.yaml"));
    Execution tested = Promtool.locate(ROOT).run("", "test", "rules", test.toString());
    assertEquals(0, tested.exitCode(), tested.out() + tested.err());
  }

  private static Path written(Path folder) throws IOException {
    return Files.writeString(folder.resolve("rules.yaml"), AlertRules.shipped(ROOT).text());
  }
}
