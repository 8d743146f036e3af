package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is written about the programs for reference is what they say themselves. */
@Tag("component")
class ReferenceTest extends OnOneCluster {
  private static final Path ROOT = Path.of(System.getProperty("project.root", "."));

  enum Program {
    UPDATER("updater/src/main/dist/share/man/man1/updater.1"),
    BOOTSTRAP("deploy/deb/tree/usr/share/man/man8/apiserver-bootstrap.8");

    private final String manual;

    Program(String manual) {
      this.manual = manual;
    }

    private String help() throws InterruptedException {
      List<String> bootstrap =
          List.of(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-jar",
              System.getProperty("bootstrap.jar", "bootstrap/target/bootstrap.jar"),
              "--help");
      return replicas
          .run(this == UPDATER ? UpdaterProcess.jar(List.of("--help")) : bootstrap, Map.of(), "")
          .result(SOON)
          .exits(0)
          .out();
    }
  }

  /**
   * As the help shows it.
   *
   * @param head with letter and argument
   * @param byDefault empty when there is nothing to show
   */
  private record Flag(String head, String byDefault, String meaning) {}

  private static List<Flag> flags(String help) {
    Pattern head = Pattern.compile("(?m)^ {2,6}(-.*?)(?: \\(default: (.*)\\))?\n((?: {10}.*\n)+)");
    String flags = help.substring(help.indexOf("\nFlags:\n"), help.indexOf("\nExit codes:\n"));
    List<Flag> found = new ArrayList<>();
    Matcher flag = head.matcher(flags);
    while (flag.find()) {
      found.add(
          new Flag(
              flag.group(1),
              Optional.ofNullable(flag.group(2)).orElse(""),
              flag.group(3).strip().replaceAll("\\s+", " ")));
    }
    assertEquals(flags.lines().filter(line -> line.matches(" {2,6}-.*")).count(), found.size());
    return found;
  }

  @ParameterizedTest
  @EnumSource
  void manualHasEachFlagWithItsDefault(Program program) throws Exception {
    List<Flag> flags = flags(program.help());
    assertTrue(flags.size() > 20, flags::toString);
    String manual = Files.readString(ROOT.resolve(program.manual));
    String section = manual.replaceFirst("(?s).*\\.SH FLAGS\n(.*?)\\.SH .*", "$1");
    // Of each flag, its head and then the text.
    List<String[]> entries =
        Pattern.compile("(?m)^\\.TP\n")
            .splitAsStream(section)
            .filter(entry -> !entry.isEmpty())
            .map(entry -> entry.split("\n", 2))
            .toList();
    assertEquals(
        flags.stream().map(Flag::head).toList(),
        entries.stream().map(entry -> shown(entry[0])).toList());
    for (int i = 0; i < flags.size(); i++) {
      String text = entries.get(i)[1].lines().map(ReferenceTest::shown).collect(joining(" "));
      assertTrue(text.contains(flags.get(i).byDefault()), flags.get(i) + " in the manual: " + text);
    }
  }

  /** A line of a manual page as a reader sees it: man(7). */
  private static String shown(String line) {
    Matcher macro = Pattern.compile("\\.([BIR]{1,2}) (.*)").matcher(line);
    String text =
        macro.matches()
            ? Pattern.compile("\"([^\"]*)\"|(\\S+)")
                .matcher(macro.group(2))
                .results()
                .map(word -> word.group().replace("\"", ""))
                // Of two fonts, the words stand next to each other.
                .collect(joining(macro.group(1).length() == 1 ? " " : ""))
            : line;
    return text.replace("\\-", "-");
  }
}
