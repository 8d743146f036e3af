package io.apiserverupdater.manifests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** deploy/helm: its README, its schema and its version are in step with values and project. */
@Tag("component")
@Tag("quick")
class ChartTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final Path CHART = ROOT.resolve("deploy/helm");
  private static final String BEGIN = "<!-- values -->\n";
  private static final String END = "<!-- /values -->\n";

  @Test
  void readmeHasTheValuesWithTheirDefaultsAndComments() throws IOException {
    ChartValues values = ChartValues.read(CHART.resolve("values.yaml"));
    String readme = Files.readString(CHART.resolve("README.md"));
    String wanted =
        readme.substring(0, readme.indexOf(BEGIN) + BEGIN.length())
            + values.table()
            + readme.substring(readme.indexOf(END));
    Path made = ROOT.resolve("src/test/target/chart-README.md");
    Files.writeString(made, wanted);
    assertEquals(wanted, readme, () -> "cp " + made + " deploy/helm/README.md");
  }

  /** Helm reads no file outside of the chart, and kustomize none outside of the component. */
  @ParameterizedTest
  @ValueSource(strings = {"prometheusrule.yaml", "dashboard.json"})
  void filesForMonitoringAreThoseOfKustomize(String name) throws IOException {
    String there = "deploy/kustomize/components/monitoring/" + name;
    assertEquals(
        Files.readString(ROOT.resolve(there)),
        Files.readString(CHART.resolve("files").resolve(name)),
        () -> "cp " + there + " deploy/helm/files");
  }

  @Test
  void everyValueIsDescribed() throws IOException {
    ChartValues values = ChartValues.read(CHART.resolve("values.yaml"));
    assertEquals(
        List.of(), values.paths().stream().filter(path -> !values.isDescribed(path)).toList());
  }

  @Test
  void schemaKnowsExactlyTheValuesThatThereAre() throws IOException {
    JsonObject schema =
        JsonParser.parseString(Files.readString(CHART.resolve("values.schema.json")))
            .getAsJsonObject();
    JsonObject values = ChartValues.read(CHART.resolve("values.yaml")).defaults();
    assertKnown("values", schema, schema, values);
  }

  /** An object whose keys are not the user's own has the same keys here and there. */
  private static void assertKnown(
      String path, JsonObject root, JsonObject schema, JsonObject values) {
    JsonObject resolved = resolve(root, schema);
    if (!resolved.has("properties") || path.equals("values.resources")) {
      return;
    }
    JsonObject properties = resolved.getAsJsonObject("properties");
    TreeSet<String> known = new TreeSet<>(properties.keySet());
    // Helm adds it to the values of every chart.
    known.remove("global");
    assertEquals(known, new TreeSet<>(values.keySet()), path);
    assertEquals("false", resolved.get("additionalProperties").getAsString(), path);
    for (Map.Entry<String, JsonElement> value : values.entrySet()) {
      if (value.getValue().isJsonObject()) {
        assertKnown(
            path + "." + value.getKey(),
            root,
            properties.getAsJsonObject(value.getKey()),
            value.getValue().getAsJsonObject());
      }
    }
  }

  private static JsonObject resolve(JsonObject root, JsonObject schema) {
    return schema.has("$ref")
        ? root.getAsJsonObject("definitions")
            .getAsJsonObject(schema.get("$ref").getAsString().substring("#/definitions/".length()))
        : schema;
  }

  @Test
  void versionIsThatOfTheProject() throws IOException {
    Map<?, ?> chart =
        new Yaml(new SafeConstructor(new LoaderOptions()))
            .load(Files.readString(CHART.resolve("Chart.yaml")));
    String version = System.getProperty("build.version");
    assertEquals(version, chart.get("version"));
    assertEquals(version, chart.get("appVersion"));
    assertTrue(
        Files.readString(ROOT.resolve("deploy/kustomize/base/deployment.yaml"))
            .contains("image: apiserver-updater:" + version + "\n"));
  }
}
