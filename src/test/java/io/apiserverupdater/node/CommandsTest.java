package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * The commands of the pages that are read first, README.md and docs/faq.md: what they name is
 * there, and what they install is what tests install. The blocks of docs/install.md are run.
 */
@Tag("component")
@Tag("quick")
class CommandsTest {
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```\n(.*?)^```$");
  private static final Pattern CODE = Pattern.compile("(?s)`([^`]+)`");
  private static final Pattern OUR_FILE = Pattern.compile("(deploy|docs|src|updater)/\\S+");
  private static final Pattern OUR_UNIT =
      Pattern.compile("apiserver-bootstrap\\S*[.](service|timer|path)");

  /** Somebody else's, whose arguments only their own program knows. */
  private static final Pattern FOREIGN =
      Pattern.compile("(kubectl|kubeadm|ezctl|dpkg|rpm|tar|sed|vi|systemctl|ctr) .*");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"README.md", "docs/faq.md"})
  void commandsNameWhatIsThere(String page) throws IOException {
    List<String> commands = commands(Files.readString(ROOT.resolve(page)));
    assertTrue(commands.size() > 5, commands::toString);
    assertEquals(
        List.of(), commands.stream().flatMap(command -> faults(command).stream()).toList());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          kubectl apply -f deploy/none.yaml        | there is no deploy/none.yaml
          systemctl start apiserver-bootstrap-none.service | there is no unit apiserver-bootstrap-none.service
          helm install x deploy/helm --set image.none=1,replicas=1 | the chart has no value image.none
          mvn -Dnone=1 package                     | no pom.xml knows -Dnone
          ./none                                   | there is no ./none
          ./check --none                           | ./check has no flag --none
          bin/updater --none=1                     | docs/reference/updater.md has no --none
          apiserver-bootstrap none                 | docs/reference/apiserver-bootstrap.md has no none
          apiserver-bootstrap pin --none           | docs/reference/apiserver-bootstrap.md has no --none
          none --help                              | nothing is known of the command none
          """)
  void tellsWhatIsNotThere(String command, String fault) {
    assertEquals(List.of(fault), faults(command));
  }

  /** But for the build, which comes first, and for the editor. */
  @Test
  void readmeInstallsAsTheGuideDoes() throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    String install =
        readme.substring(readme.indexOf("\n## Install\n"), readme.indexOf("To preview"));
    List<String> run =
        Guide.read(ROOT.resolve("docs/install.md")).blocks().stream()
            .filter(block -> !block.where().isEmpty())
            .flatMap(block -> block.text().lines())
            .toList();
    List<String> others = blocks(install).filter(line -> !line.matches("(mvn|sed|vi) .*")).toList();
    assertTrue(others.size() >= 5, others::toString);
    assertEquals(List.of(), others.stream().filter(line -> !run.contains(line)).toList());
  }

  /** As they stand there. ReleaseInstallTest applies the result. */
  @Test
  void readmePutsAddressAndImageIntoTheManifests() throws Exception {
    Path base = Files.createDirectories(folder.resolve("deploy/kustomize/base"));
    for (String file : List.of("service.yaml", "deployment.yaml")) {
      Files.copy(ROOT.resolve("deploy/kustomize/base").resolve(file), base.resolve(file));
    }
    String edits =
        blocks(Files.readString(ROOT.resolve("README.md")))
            .filter(line -> line.startsWith("sed "))
            .collect(Collectors.joining("\n"));
    Process sed =
        new ProcessBuilder("sh", "-ec", edits).directory(folder.toFile()).inheritIO().start();
    assertTrue(sed.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, sed.exitValue());
    String service = Files.readString(base.resolve("service.yaml"));
    assertTrue(service.contains("  clusterIP: CLUSTER-IP\n"), service);
    String deployment = Files.readString(base.resolve("deployment.yaml"));
    assertTrue(
        deployment.contains(
            " image: REGISTRY/apiserver-updater:" + System.getProperty("build.version") + "\n"),
        deployment);
  }

  /** The lines of the blocks, without the comments in them. */
  static Stream<String> blocks(String markdown) {
    return BLOCK
        .matcher(markdown)
        .results()
        .flatMap(block -> block.group(1).replace("\\\n", " ").lines())
        .map(line -> line.replaceFirst("(^| +)# .*", "").strip())
        .filter(line -> !line.isEmpty());
  }

  /** And of the text what is in code marks and begins with a program's name. */
  private static List<String> commands(String markdown) {
    Stream<String> inText =
        CODE.matcher(BLOCK.matcher(markdown).replaceAll(""))
            .results()
            .map(code -> code.group(1).replaceAll("\\s+", " "))
            .filter(
                code ->
                    code.matches(
                        "(kubectl|helm|mvn|systemctl|apiserver-bootstrap|[.]/\\S+|"
                            + "bin/updater)( .*)?"));
    return Stream.concat(blocks(markdown), inText)
        .flatMap(line -> Stream.of(line.split(" (&&|[|]) ", -1)))
        .toList();
  }

  /** What a command names that is not there. */
  private static List<String> faults(String command) {
    List<String> words = List.of(command.split(" +", -1));
    String program = words.get(0);
    List<String> faults = new ArrayList<>();
    for (String word : words) {
      // What a build makes is not there before it.
      if (OUR_FILE.matcher(word).matches() && !word.contains("/target/")) {
        check(ROOT.resolve(word), Files::exists, "there is no " + word, faults);
      }
      if (OUR_UNIT.matcher(word).matches()) {
        Path unit = ROOT.resolve("deploy/systemd/usr/lib/systemd/system").resolve(word);
        check(unit, Files::exists, "there is no unit " + word, faults);
      }
    }
    List<String> arguments = words.subList(1, words.size());
    if (program.startsWith("./")) {
      String usage = Files.exists(ROOT.resolve(program)) ? text(program) : "";
      check(usage, text -> !text.isEmpty(), "there is no " + program, faults);
      if (!usage.isEmpty()) {
        flags(arguments)
            .forEach(flag -> check(usage, has(flag), program + " has no flag " + flag, faults));
      }
    } else if (program.endsWith("bin/updater")) {
      checkReference("docs/reference/updater.md", flags(arguments), faults);
    } else if (program.equals("apiserver-bootstrap")) {
      checkReference("docs/reference/apiserver-bootstrap.md", arguments.stream(), faults);
    } else if (program.equals("helm")) {
      values(arguments).forEach(value -> checkValue(value, faults));
    } else if (program.equals("mvn")) {
      arguments.stream()
          .filter(word -> word.startsWith("-D"))
          .map(word -> word.replaceFirst("=.*", ""))
          // The plugins' own.
          .filter(word -> !word.equals("-DskipTests"))
          .forEach(
              word ->
                  check(
                      word.substring(2), CommandsTest::inAPom, "no pom.xml knows " + word, faults));
    } else if (!FOREIGN.matcher(command + " ").matches() && !program.equals("grep")) {
      faults.add("nothing is known of the command " + program);
    }
    return faults;
  }

  private static <T> void check(T what, Predicate<T> holds, String fault, List<String> faults) {
    if (!holds.test(what)) {
      faults.add(fault);
    }
  }

  private static Stream<String> flags(List<String> arguments) {
    return arguments.stream()
        .filter(word -> word.startsWith("--"))
        .map(word -> word.replaceFirst("=.*", ""));
  }

  private static Predicate<String> has(String word) {
    return text ->
        Pattern.compile("(?<![\\w-])" + Pattern.quote(word) + "(?![\\w-])").matcher(text).find();
  }

  private static void checkReference(String page, Stream<String> words, List<String> faults) {
    String text = text(page);
    words
        .map(word -> word.replaceFirst("=.*", ""))
        .forEach(
            word ->
                check(
                    text,
                    has(word.startsWith("-") ? word : "| `" + word + "`"),
                    page + " has no " + word,
                    faults));
  }

  private static Stream<String> values(List<String> arguments) {
    return arguments.stream()
        .filter(word -> word.contains("=") && !word.startsWith("--namespace"))
        .flatMap(word -> Stream.of(word.replaceFirst("--set=", "").split(",", -1)))
        .map(setting -> setting.replaceFirst("=.*", ""));
  }

  private static void checkValue(String path, List<String> faults) {
    Object values =
        new Yaml(new SafeConstructor(new LoaderOptions())).load(text("deploy/helm/values.yaml"));
    for (String key : path.split("[.]", -1)) {
      if (!(values instanceof Map<?, ?> map) || !map.containsKey(key)) {
        faults.add("the chart has no value " + path);
        return;
      }
      values = map.get(key);
    }
  }

  /** As a property, or as what a profile waits for. */
  private static boolean inAPom(String property) {
    return Stream.of("pom.xml", "deploy/deb/pom.xml", "deploy/rpm/pom.xml", "deploy/image/pom.xml")
        .map(CommandsTest::text)
        .anyMatch(
            pom ->
                pom.contains("${" + property + "}")
                    || pom.contains("<name>" + property + "</name>")
                    || pom.contains("<name>!" + property + "</name>"));
  }

  private static String text(String file) {
    try {
      return Files.readString(ROOT.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
