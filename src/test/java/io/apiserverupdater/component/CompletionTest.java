package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the shells make of a command line that ends in a press of the tab key. */
@Tag("component")
class CompletionTest {
  /**
   * Up to that press, and its last word afterwards.
   *
   * @param line without the program
   */
  private record Typed(String line, String word) {}

  private static final List<Typed> UPDATER =
      List.of(
          new Typed("comple", "completion"),
          new Typed("completion z", "zsh"),
          new Typed("completion --he", "--help"),
          // A command comes first or not at all.
          new Typed("--verbose comple", "comple"),
          new Typed("--health-check t", "tcp"),
          new Typed("--health-check=t", "--health-check=tcp"),
          new Typed("--dry-run -o y", "yaml"),
          new Typed("--leader-elect=f", "--leader-elect=false"),
          // The next word is no value of a switch.
          new Typed("--leader-elect f", "f"),
          new Typed("--renew", "--renew-deadline"),
          new Typed("--kubeconfig fi", "file"),
          new Typed("--kubeconfig=fi", "--kubeconfig=file"),
          new Typed("-f fi", "file"),
          new Typed("--context fi", "fi"));

  private static final List<Typed> BOOTSTRAP =
      List.of(
          new Typed("han", "handover"),
          new Typed("pin han", "han"),
          new Typed("--role=control-plane pi", "pin"),
          new Typed("pin --role=c", "--role=control-plane"),
          new Typed("pin --hostname=h --dry", "--dry-run"),
          new Typed("--ca-file fi", "file"),
          new Typed("--state-dir d", "directory"));

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "bash, updater", "bash, apiserver-bootstrap",
    "zsh, updater", "zsh, apiserver-bootstrap",
    "fish, updater", "fish, apiserver-bootstrap"
  })
  void completesFlagsValuesAndCommands(String shell, String program) throws Exception {
    assumeTrue(
        Stream.of(System.getenv("PATH").split(":", -1))
            .anyMatch(path -> Files.isExecutable(Path.of(path, shell))),
        shell);
    Files.createDirectory(folder.resolve("directory"));
    Files.createFile(folder.resolve("file"));
    // Nothing to offer where a directory is wanted.
    Files.createFile(folder.resolve("data"));
    String script =
        run("", command(program, List.of("completion", shell)).toArray(new String[0])).out();
    Files.writeString(folder.resolve("script"), script + "\n");
    List<Typed> typed = program.equals("updater") ? UPDATER : BOOTSTRAP;
    List<Typed> found =
        shell.equals("fish") ? inFish(program, typed) : atATerminal(shell, program, typed);
    assertEquals(typed, found);
  }

  private static List<String> command(String program, List<String> arguments) {
    if (program.equals("updater")) {
      return UpdaterProcess.jar(arguments);
    }
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                System.getProperty("bootstrap.jar")));
    command.addAll(arguments);
    return command;
  }

  /** The program is one that prints its last argument. */
  private List<Typed> atATerminal(String shell, String program, List<Typed> typed)
      throws Exception {
    boolean bash = shell.equals("bash");
    StringBuilder keys = new StringBuilder();
    keys.append(bash ? "" : "autoload -Uz compinit; compinit -u -D; ");
    keys.append(". ./script; ").append(program).append("() { echo \"last:${@: -1}\"; }\n");
    typed.forEach(one -> keys.append(program).append(' ').append(one.line()).append("\t\n"));
    keys.append("exit\n");
    String interactive = bash ? "bash --norc --noprofile -i" : "zsh -f -i";
    List<String> words =
        run(keys.toString(), "script", "--quiet", "--command", interactive, "/dev/null")
            .out()
            .lines()
            .filter(line -> line.startsWith("last:"))
            // A folder is shown as one.
            .map(line -> line.replaceFirst("last:", "").replaceFirst("/?\r?$", ""))
            .toList();
    List<Typed> found = new ArrayList<>();
    for (int i = 0; i < Math.min(words.size(), typed.size()); i++) {
      found.add(new Typed(typed.get(i).line(), words.get(i)));
    }
    return found;
  }

  /** It says what it would offer: nothing leaves the word as it is. */
  private List<Typed> inFish(String program, List<Typed> typed) throws Exception {
    List<Typed> found = new ArrayList<>();
    for (Typed one : typed) {
      String offered =
          run(
                  "",
                  "fish",
                  "--no-config",
                  "--command",
                  "source script; complete --do-complete '" + program + " " + one.line() + "'")
              .out()
              .replaceAll("/?\t[^\n]*|/$", "");
      String last = one.line().replaceFirst(".* ", "");
      found.add(new Typed(one.line(), offered.isEmpty() ? last : offered));
    }
    return found;
  }

  private UpdaterProcess.Result run(String keys, String... command)
      throws IOException, InterruptedException {
    try (UpdaterProcess process =
        UpdaterProcess.start(List.of(command), folder, Map.of("TERM", "dumb"), keys)) {
      return process.result(SOON).exits(0);
    }
  }
}
