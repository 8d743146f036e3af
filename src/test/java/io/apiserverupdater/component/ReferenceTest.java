package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.mapping;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.sandbox.FreePort;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collector;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What is written about the programs for reference is what they say themselves. */
@Tag("component")
class ReferenceTest extends OnOneCluster {
  private static final Path ROOT = Path.of(System.getProperty("project.root", "."));

  /** Of Java. */
  private static final String LITERAL = "\"(?:\\\\.|[^\"\\\\])*\"";

  enum Program {
    UPDATER("updater", "updater/src/main/dist/share/man/man1/updater.1"),
    BOOTSTRAP("apiserver-bootstrap", "deploy/deb/tree/usr/share/man/man8/apiserver-bootstrap.8");

    private final String page;
    private final String manual;

    Program(String name, String manual) {
      this.page = "docs/reference/" + name + ".md";
      this.manual = manual;
    }

    /**
     * The cells of a table of its reference page, row by row, without marks for code.
     *
     * @param heading what the table is under
     */
    private List<List<String>> table(String heading) throws IOException {
      return marked(heading).stream()
          .map(row -> row.stream().map(cell -> cell.replace("`", "")).toList())
          .toList();
    }

    /** The same, with the marks. */
    private List<List<String>> marked(String heading) throws IOException {
      String text = Files.readString(ROOT.resolve(page));
      int start = text.indexOf("\n## " + heading + "\n");
      assertTrue(start >= 0, heading);
      int next = text.indexOf("\n## ", start + 1);
      return text.substring(start, next < 0 ? text.length() : next)
          .lines()
          .filter(line -> line.startsWith("|"))
          .skip(2)
          .map(line -> line.substring(1, line.length() - 1).split("(?<!\\\\)\\|", -1))
          .map(cells -> Stream.of(cells).map(cell -> cell.strip().replace("\\|", "|")).toList())
          .toList();
    }

    private String help(String... command) throws InterruptedException {
      List<String> bootstrap =
          List.of(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-jar",
              System.getProperty("bootstrap.jar", "bootstrap/target/bootstrap.jar"),
              "--help");
      List<String> updater = new ArrayList<>(List.of(command));
      updater.add("--help");
      return replicas
          .run(this == UPDATER ? UpdaterProcess.jar(updater) : bootstrap, Map.of(), "")
          .result(SOON)
          .exits(0)
          .out();
    }

    /** What its help lists, each with what it is for. */
    private List<List<String>> commands() throws InterruptedException {
      String help = help();
      return help.substring(help.indexOf("\nCommands:\n") + 11, help.indexOf("\nFlags:\n"))
          .lines()
          .map(line -> List.of(line.strip().split(" {2,}", 2)))
          .toList();
    }
  }

  /**
   * What has flags: a program, or a command of the updater.
   *
   * @param command empty for the program itself
   */
  private record Flagged(Program program, String command) {
    private String help() throws InterruptedException {
      return command.isEmpty() ? program.help() : program.help(command);
    }

    private String under(String heading) {
      return command.isEmpty() ? heading : heading + " of " + command;
    }
  }

  static List<Flagged> flagged() throws InterruptedException {
    List<Flagged> found = new ArrayList<>();
    Stream.of(Program.values()).forEach(program -> found.add(new Flagged(program, "")));
    for (List<String> command : Program.UPDATER.commands()) {
      String name = command.get(0).split(" ", 2)[0];
      // Its only flag is --help.
      if (!name.equals("completion")) {
        found.add(new Flagged(Program.UPDATER, name));
      }
    }
    return found;
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
  @MethodSource("flagged")
  void pageHasTheFlags(Flagged flagged) throws Exception {
    assertEquals(
        flags(flagged.help()).stream()
            .map(flag -> List.of(flag.head(), flag.byDefault(), flag.meaning()))
            .collect(lines()),
        flagged.program().table(flagged.under("Flags")).stream().collect(lines()));
  }

  @ParameterizedTest
  @MethodSource("flagged")
  void pageHasTheExitCodes(Flagged flagged) throws Exception {
    String help = flagged.help();
    assertEquals(
        words(help.substring(help.indexOf("\nExit codes:\n") + "\nExit codes:\n".length())),
        words(flagged.program().table(flagged.under("Exit codes")).stream().collect(lines())));
  }

  private static String words(String text) {
    return text.replaceAll("[\\s,;:.|]+", " ").strip();
  }

  @ParameterizedTest
  @EnumSource
  void pageHasTheCommands(Program program) throws Exception {
    assertEquals(
        program.commands().stream().collect(lines()),
        program.table("Commands").stream().collect(lines()));
  }

  @Test
  void manualHasTheCommandsOfTheUpdater() throws Exception {
    String manual = Files.readString(ROOT.resolve(Program.UPDATER.manual));
    String section = manual.replaceFirst("(?s).*\\.SH COMMANDS\n(.*?)\\.SH .*", "$1");
    assertEquals(
        Program.UPDATER.commands().stream().map(command -> command.get(0)).toList(),
        Pattern.compile("\\.TP\n(.*)")
            .matcher(section)
            .results()
            .map(head -> shown(head.group(1)).replaceAll(" ?\\| ?", "|"))
            .toList());
  }

  /** One row a line: what differs is seen at once. */
  private static Collector<List<String>, ?, String> lines() {
    return mapping(cells -> String.join(" | ", cells), joining("\n"));
  }

  /** What is told, and with which other keys; an argument is shown as an ellipsis. */
  @Test
  void pageHasWhatTheUpdaterLogs() throws IOException {
    Pattern call =
        Pattern.compile(
            "\\blog\\.(info|warn|error)\\(\\s*(%1$s(?:\\s*\\+\\s*%1$s)*)".formatted(LITERAL));
    Pattern field = Pattern.compile("(?<!\\S)([\\w-]+)=(?:\"[^\"]*\"|\\S*)");
    TreeSet<String> logged = new TreeSet<>();
    for (String source : sources("updater/src/main/java")) {
      for (MatchResult found : call.matcher(source).results().toList()) {
        String line =
            found
                .group(2)
                .replaceAll("\"\\s*\\+\\s*\"", "")
                .replace("\\\"", "\"")
                .replace("{}", "…");
        List<MatchResult> fields =
            field.matcher(line.substring(1, line.length() - 1)).results().toList();
        String others = fields.stream().skip(1).map(other -> other.group(1)).collect(joining(", "));
        logged.add(String.join(" | ", fields.get(0).group(), found.group(1), others));
      }
    }
    assertTrue(logged.size() > 25, logged::toString);
    assertEquals(
        String.join("\n", logged),
        Program.UPDATER.table("Log").stream()
            .map(cells -> String.join(" | ", cells.subList(0, 3)))
            .sorted()
            .collect(joining("\n")));
  }

  @Test
  void pageHasEachKeyThatTheBootstrapLogs() throws IOException {
    Pattern call =
        Pattern.compile(
            "(?s)(?:\\blog\\.(?:info|warn|error)|warnings\\.accept|String told)\\(.*?;\n");
    Pattern literal = Pattern.compile("(?s)\"\"\"(?:\\\\.|[^\\\\])*?\"\"\"|" + LITERAL);
    TreeSet<String> logged = new TreeSet<>();
    for (String source : sources("bootstrap/src/main/java")) {
      call.matcher(source)
          .results()
          .flatMap(found -> literal.matcher(found.group()).results())
          .forEach(found -> logged.addAll(keys(found.group())));
    }
    assertTrue(logged.size() > 30, logged::toString);
    TreeSet<String> listed = new TreeSet<>();
    Program.BOOTSTRAP.table("Log").forEach(cells -> listed.addAll(keys(cells.get(0))));
    assertEquals(String.join("\n", logged), String.join("\n", listed));
  }

  /** Each with its value, if that is a word. */
  private static List<String> keys(String text) {
    return Pattern.compile("(?<![\\w-])[a-z][a-z-]*=(?:[a-z][a-z-]*)?")
        .matcher(text)
        .results()
        .map(MatchResult::group)
        .toList();
  }

  private static List<String> sources(String folder) throws IOException {
    List<String> sources = new ArrayList<>();
    try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
        sources.add(Files.readString(file));
      }
    }
    return sources;
  }

  @Test
  void eachReasonOfARefusalIsExplained() throws IOException {
    String operate = Files.readString(ROOT.resolve("docs/operate.md"));
    List<String> reasons =
        sources("updater/src/main/java").stream()
            .flatMap(it -> Pattern.compile("new Refusal\\(\\s*\"(\\w+)\"").matcher(it).results())
            .map(reason -> reason.group(1))
            .toList();
    assertTrue(reasons.size() > 10, reasons::toString);
    assertEquals(
        List.of(), reasons.stream().filter(it -> !operate.contains("refused=" + it)).toList());
  }

  @Test
  void pageHasTheReasonsOfEvents() throws IOException {
    String reasons =
        Files.readString(
            ROOT.resolve(
                "updater/src/main/java/io/apiserverupdater/updater/events/EventReason.java"));
    List<List<String>> declared =
        Pattern.compile("\\(\"(\\w+)\", Type\\.(NORMAL|WARNING)\\)")
            .matcher(reasons)
            .results()
            .map(it -> List.of(it.group(1), it.group(2).equals("NORMAL") ? "Normal" : "Warning"))
            .toList();
    assertTrue(declared.size() > 10, declared::toString);
    assertEquals(
        declared.stream().collect(lines()),
        Program.UPDATER.table("Events").stream()
            .map(cells -> cells.subList(0, 2))
            .collect(lines()));
  }

  /** Those of the source: of some, a program that runs well has nothing to show. */
  @Test
  void pageHasTheMetrics() throws IOException {
    Pattern metric =
        Pattern.compile(
            ("(Counter|Gauge|Histogram|Info)(?:WithCallback)?\\s*\\.builder\\(\\)\\s*"
                    + "\\.name\\((%1$s)\\)\\s*\\.help\\(\\s*(%1$s)\\s*\\)"
                    + "(?:\\s*\\.labelNames\\(([^)]*)\\))?")
                .formatted(LITERAL));
    TreeSet<String> made = new TreeSet<>();
    for (String source : sources("updater/src/main/java")) {
      for (MatchResult found : metric.matcher(source).results().toList()) {
        String labels =
            Optional.ofNullable(found.group(4))
                .map(names -> "{" + names.replaceAll("[\\s\"]+", "") + "}")
                .orElse("");
        made.add(
            String.join(
                " | ",
                unquoted(found.group(2)) + labels,
                found.group(1).toLowerCase(Locale.ROOT),
                unquoted(found.group(3))));
      }
    }
    assertTrue(made.size() > 20, made::toString);
    assertEquals(
        String.join("\n", made), Program.UPDATER.table("Metrics").stream().collect(lines()));
  }

  private static final String SOURCES = "updater/src/main/java/io/apiserverupdater/updater/";

  /** The words in a text that are marked as code. */
  private static SortedSet<String> codeIn(String text) {
    return found("`([^`]+)`", text);
  }

  private static SortedSet<String> found(String regex, String text) {
    TreeSet<String> found = new TreeSet<>();
    Pattern.compile(regex).matcher(text).results().forEach(it -> found.add(it.group(1)));
    return found;
  }

  /** What the first match of an expression has in its group. */
  private static String first(String regex, String text) {
    Matcher found = Pattern.compile(regex).matcher(text);
    assertTrue(found.find(), regex);
    return found.group(1);
  }

  /** The constants of an enum, in lower case. */
  private static SortedSet<String> constants(String file, String name) throws IOException {
    String source = Files.readString(ROOT.resolve(file)).replaceAll("(?s)/\\*.*?\\*/|//[^\n]*", "");
    String body = first("(?s)\\benum " + name + " \\{(.*?)[;}]", source);
    TreeSet<String> constants = new TreeSet<>();
    found("\\b([A-Z][A-Z_]+)\\b", body)
        .forEach(constant -> constants.add(constant.toLowerCase(Locale.ROOT)));
    assertTrue(constants.size() > 1, name);
    return constants;
  }

  /** Field by field, and the values of those that have words. */
  @Test
  void pageHasTheFieldsOfTheStatus() throws IOException {
    String json = Files.readString(ROOT.resolve(SOURCES + "status/JsonStatus.java"));
    String words = Files.readString(ROOT.resolve(SOURCES + "status/Words.java"));
    Map<String, String> methods =
        Map.of(
            "lease", "lease",
            "replicas", "replica",
            "members", "member",
            "members[].probes", "probe",
            "gates", "gate",
            "transitions", "transition");
    Map<String, SortedSet<String>> values =
        Map.of(
            "replicas", constants(SOURCES + "status/StatusReport.java", "Role"),
            "members", valuesOf("Listing", words),
            "members[].probes", valuesOf("MemberHealth.State", words),
            "gates", valuesOf("GateState.Mode", words));
    TreeSet<String> top = new TreeSet<>();
    for (List<String> row : Program.UPDATER.marked("Status")) {
      SortedSet<String> names = codeIn(row.get(0));
      top.addAll(names);
      String method = methods.get(names.first());
      if (method != null) {
        SortedSet<String> expected = keys("JsonObject " + method, json);
        expected.addAll(values.getOrDefault(names.first(), new TreeSet<>()));
        assertEquals(expected, codeIn(row.get(1)), row::toString);
      }
    }
    assertTrue(top.containsAll(methods.keySet()), top::toString);
    top.remove("members[].probes");
    assertEquals(keys("String text", json), top);
  }

  /** Those that a method gives an object. */
  private static SortedSet<String> keys(String method, String source) {
    String body = first("(?s)static " + method + "\\((.*?)\n  }\n", source);
    return found("\\.add(?:Property)?\\(\\s*\"(\\w+)\"", body);
  }

  private static SortedSet<String> valuesOf(String type, String words) {
    return found("-> \"([^\"]+)\"", first("(?s)String of\\(" + type + " (.*?)\n  }\n", words));
  }

  @Test
  void pageHasTheValuesOfEachLabel() throws IOException {
    String syncs = Files.readString(ROOT.resolve(SOURCES + "metrics/SyncMetrics.java"));
    String observer = SOURCES + "kube/api/ApiObserver.java";
    SortedSet<String> evidence =
        constants(
            "apiserver/src/main/java/io/apiserverupdater/apiserver/probe/ProbeResult.java",
            "Reason");
    evidence.add("not_ready");
    Map<String, SortedSet<String>> expected =
        Map.of(
            "evidence", evidence,
            "result of a sync", constants(SOURCES + "controller/SyncObserver.java", "Result"),
            "result of a write", found("(?:return|\\?|:) \"(\\w+)\"", syncs),
            "result of a call", constants(observer, "Result"),
            "end of a watch", constants(observer, "WatchEnd"),
            "object", found("String (?:SLICE|ENDPOINTS) = \"(\\w+)\"", syncs),
            "to", found("transitions\\.labelValues\\(\"(\\w+)\"\\)", syncs));
    // Of these there is no list, or it is another table's.
    TreeSet<String> others = new TreeSet<>(List.of("address", "reason"));
    for (List<String> row : Program.UPDATER.marked("Labels of the metrics")) {
      String label = row.get(0).replace("`", "");
      if (!others.remove(label)) {
        assertEquals(expected.get(label), codeIn(row.get(1)), label);
      }
    }
    assertEquals(
        expected.size() + 2, Program.UPDATER.marked("Labels of the metrics").size(), "rows");
  }

  /** A flag of it that does not exist would be found by the one who copies it. */
  @Test
  void unitOfTheExporterHasFlagsThatExist() throws Exception {
    String unit = Files.readString(ROOT.resolve("deploy/export/apiserver-export.service"));
    String command = first("(?ms)^ExecStart=(.*?[^\\\\])$", unit).replace("\\\n", " ");
    List<String> words =
        Pattern.compile("(?:[^\\s\"]|\"[^\"]*\")+")
            .matcher(command)
            .results()
            .map(word -> word.group().replace("\"", ""))
            .toList();
    assertEquals("/opt/apiserver-updater/bin/updater", words.get(0));
    assertTrue(words.size() > 4, words::toString);
    // All that is wrong with a command line is said at once: here it is that file alone.
    UpdaterProcess.Result result =
        replicas.oneShot(words.subList(1, words.size()).toArray(new String[0])).exits(2);
    assertTrue(
        result.err().matches("\\S+ error: no such file: /etc/apiserver-updater/kubeconfig\n?"),
        result::toString);
    for (String format : found("(?m)^#   (\\w+) +/etc/", unit)) {
      String name = format.toLowerCase(Locale.ROOT);
      assertTrue(Program.UPDATER.help("export").contains(name), name);
    }
  }

  private static String unquoted(String literal) {
    return literal.substring(1, literal.length() - 1);
  }

  @Test
  void updaterShowsTheMetricsOfThePage() throws Exception {
    int port = FreePort.find();
    UpdaterProcess updater =
        replicas.single(
            "metrics", replicas.namespace(), "--health-check=readyz", "--listen=127.0.0.1:" + port);
    updater.awaitLog(" - target=", SOON);
    String metrics;
    try (var body = URI.create("http://127.0.0.1:" + port + "/metrics").toURL().openStream()) {
      metrics = new String(body.readAllBytes(), StandardCharsets.UTF_8);
    }
    // Nothing has failed, been refused or drained, and each watch may be the first one still.
    List<String> mayBeAway =
        List.of(
            "apiserver_updater_member_drained_until_timestamp_seconds",
            "apiserver_updater_probe_failures_total",
            "apiserver_updater_refusals_total",
            "apiserver_updater_refused",
            "apiserver_updater_watch_restarts_total");
    assertEquals(
        Program.UPDATER.table("Metrics").stream()
            .map(cells -> List.of(cells.get(0).replaceFirst("\\{.*", ""), cells.get(2)))
            .filter(metric -> !mayBeAway.contains(metric.get(0)))
            .collect(lines()),
        Pattern.compile("(?m)^# HELP (\\S+) (.*)$")
            .matcher(metrics)
            .results()
            .map(metric -> List.of(metric.group(1), metric.group(2)))
            .filter(metric -> !mayBeAway.contains(metric.get(0)))
            .collect(lines()));
  }

  @ParameterizedTest
  @MethodSource("flagged")
  void manualHasEachFlagWithItsDefault(Flagged flagged) throws Exception {
    List<Flag> flags = flags(flagged.help());
    assertTrue(flags.size() > (flagged.command().isEmpty() ? 20 : 1), flags::toString);
    String manual = Files.readString(ROOT.resolve(flagged.program().manual));
    String heading = flagged.under("Flags").toUpperCase(Locale.ROOT);
    String section = manual.replaceFirst("(?s).*\\.SH " + heading + "\n(.*?)\\.SH .*", "$1");
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
