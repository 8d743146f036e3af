package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** .github/workflows/release.yml, which nothing here can run: it calls what there is. */
@Tag("component")
@Tag("quick")
class ReleaseWorkflowTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final Pattern FLAG = Pattern.compile("(?<!\\S)--[a-z0-9-]+");
  private static final Pattern PROGRAM = Pattern.compile("(?<![\\w./])((src|deploy)/[\\w/.-]+)");

  private static List<String> commands() throws IOException {
    Object workflow =
        new Yaml(new SafeConstructor(new LoaderOptions()))
            .load(Files.readString(ROOT.resolve(".github/workflows/release.yml")));
    JsonObject jobs = new Gson().toJsonTree(workflow).getAsJsonObject().getAsJsonObject("jobs");
    return StreamSupport.stream(
            jobs.getAsJsonObject("release").getAsJsonArray("steps").spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .filter(step -> step.has("run"))
        .map(step -> step.get("run").getAsString())
        .toList();
  }

  /** That of its comment at the top is what --help prints. */
  @Test
  void flagsOfTheReleaseAreThoseOfItsHelp() throws IOException {
    String script = Files.readString(ROOT.resolve("release"));
    Set<String> known = flags(script.substring(0, script.indexOf("\nset ")));
    List<String> calls =
        commands().stream().filter(command -> command.startsWith("./release ")).toList();
    assertEquals(1, calls.size(), calls::toString);
    Set<String> passed = flags(calls.get(0));
    assertTrue(passed.contains("--image"), passed::toString);
    passed.removeAll(known);
    assertEquals(Set.of(), passed);
  }

  private static Set<String> flags(String text) {
    return FLAG.matcher(text.replace("\n#", "\n "))
        .results()
        .map(MatchResult::group)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void scriptsAndVersionThatItReadsAreThere() throws IOException {
    String commands = String.join("\n", commands());
    List<Path> scripts =
        PROGRAM.matcher(commands).results().map(name -> ROOT.resolve(name.group(1))).toList();
    assertEquals(List.of(ROOT.resolve("src/test/arm64/build")), scripts);
    assertTrue(Files.isExecutable(scripts.get(0)));
    // The tag that fits, by the line of the workflow that refuses another.
    assertTrue(commands.contains("grep -q \"<revision>${GITHUB_REF_NAME#v}</revision>\" pom.xml"));
    assertTrue(
        Files.readString(ROOT.resolve("pom.xml"))
            .contains("<revision>" + System.getProperty("build.version") + "</revision>"));
  }
}
