package io.apiserverupdater.apiserver.flags;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {
  private static final FlagType<Integer> COUNT = FlagType.number("COUNT", 1, 99);
  private static final FlagSet FLAGS = new FlagSet();

  static {
    FLAGS.optional("namespace", FlagType.text("NAME"), "").help("");
    FLAGS.optional("filename", FlagType.texts("FILE"), "").letter('f').help("");
    FLAGS.optional("zones", FlagType.list("ZONE,..."), "").help("");
    FLAGS.off("dry-run").help("");
    FLAGS.off("verbose").letter('v').help("");
  }

  private final FlagSet counts = new FlagSet();
  private final Flag<Integer> rise = counts.flag("rise", COUNT, "3").help("");

  private static Optional<String> text(CommandLine parsed, String name) {
    Flag<?> flag =
        FLAGS.all().stream().filter(one -> one.name().equals(name)).findAny().orElseThrow();
    return parsed.text(flag);
  }

  private static CommandLine parse(String... arguments) {
    return CommandLine.parse(FLAGS, List.of(), List.of(arguments));
  }

  static List<Arguments> accepted() {
    return List.of(
        Arguments.of("--namespace=a", "namespace", "a"),
        Arguments.of("--namespace a", "namespace", "a"),
        Arguments.of("--namespace=", "namespace", ""),
        Arguments.of("--namespace=-a", "namespace", "-a"),
        Arguments.of("--namespace=a=b", "namespace", "a=b"),
        Arguments.of("--namespace=a --namespace a", "namespace", "a"),
        Arguments.of("-v --verbose", "verbose", "true"),
        Arguments.of("-f a -f b --filename=a", "filename", "a\nb\na"),
        Arguments.of("--zones=a,b --zones c", "zones", "a,b,c"),
        Arguments.of("--filename -", "filename", "-"),
        Arguments.of("-f x", "filename", "x"),
        Arguments.of("-fx", "filename", "x"),
        Arguments.of("-f=x", "filename", "x"),
        Arguments.of("-f -", "filename", "-"),
        Arguments.of("-f-", "filename", "-"),
        Arguments.of("--dry-run", "dry-run", "true"),
        Arguments.of("--dry-run=true", "dry-run", "true"),
        Arguments.of("--dry-run=false", "dry-run", "false"),
        Arguments.of("-v", "verbose", "true"),
        Arguments.of("-v=false", "verbose", "false"),
        Arguments.of("--dry-run -v -f x", "filename", "x"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void accepted(String line, String flag, String value) {
    CommandLine parsed = parse(line.split(" ", -1));
    assertEquals(List.of(), parsed.errors());
    assertEquals(Optional.of(value), text(parsed, flag));
  }

  @Test
  void flagThatIsNotGivenHasNoValue() {
    assertEquals(Optional.empty(), text(parse("--dry-run"), "namespace"));
  }

  @Test
  void flagThatIsGivenTwiceAndTakesOneValueIsRefused() {
    assertEquals(
        "--namespace is given as \"a\" and as \"b\", expected once",
        onlyError("--namespace=a --namespace=b"));
    assertEquals(
        "--verbose is given as \"true\" and as \"false\", expected once", onlyError("-v -v=false"));
  }

  private static String onlyError(String line) {
    List<String> errors = parse(line.split(" ", -1)).errors();
    assertEquals(1, errors.size());
    return errors.get(0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"word", "-", "--dry-run true"})
  void refusesWhatIsNoFlag(String line) {
    String error = onlyError(line);
    assertTrue(error.startsWith("unexpected argument"), error);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--namespace", "-f", "--namespace --dry-run", "-f -v"})
  void refusesFlagWithoutItsValue(String line) {
    String error = onlyError(line);
    assertTrue(error.contains("needs a value"), error);
  }

  @ParameterizedTest
  @CsvSource({
    "--namspace=a, --namspace; did you mean --namespace?",
    "--dryrun, --dryrun; did you mean --dry-run?",
    "-namespace=a, -namespace; did you mean --namespace?",
    "--something-else, --something-else; see --help",
    "-x, -x; see --help",
    "-vx, -vx; see --help",
    "--, --; see --help",
  })
  void unknownFlagIsToldWithTheNearestOne(String argument, String expected) {
    assertEquals(List.of("unknown flag " + expected), parse(argument).errors());
  }

  @Test
  void valueOfAnUnknownFlagIsNoErrorOfItsOwn() {
    assertEquals(1, parse("--namspace", "a").errors().size());
  }

  @Test
  void allErrorsAreTold() {
    CommandLine parsed = parse("word", "--nope=1", "--dry-run", "--namespace");
    assertEquals(3, parsed.errors().size(), parsed.errors().toString());
    assertEquals(Optional.of("true"), text(parsed, "dry-run"));
  }

  private static CommandLine parseWithCommands(String line) {
    return CommandLine.parse(
        FLAGS,
        List.of("pin", "handover", "status"),
        line.isEmpty() ? List.of() : List.of(line.split(" ", -1)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"pin --namespace a -v", "--namespace a pin -v", "-v --namespace=a pin"})
  void commandMayStandAnywhereAmongTheFlags(String line) {
    CommandLine parsed = parseWithCommands(line);
    assertEquals(List.of(), parsed.errors());
    assertEquals(Optional.of("pin"), parsed.command());
    assertEquals(Optional.of("a"), text(parsed, "namespace"));
    assertEquals(Optional.of("true"), text(parsed, "verbose"));
  }

  @Test
  void commandMayBeLeftOut() {
    CommandLine parsed = parseWithCommands("");
    assertEquals(List.of(), parsed.errors());
    assertEquals(Optional.empty(), parsed.command());
  }

  @Test
  void wordBehindItsFlagIsNoCommand() {
    CommandLine parsed = parseWithCommands("--namespace pin");
    assertEquals(Optional.empty(), parsed.command());
    assertEquals(Optional.of("pin"), text(parsed, "namespace"));
  }

  @ParameterizedTest
  @CsvSource({
    "hand-over, 'unknown command \"hand-over\"; did you mean handover?'",
    "uninstall, 'unknown command \"uninstall\"; see --help'",
    "pin status, 'unexpected argument \"status\": the command is pin, expected only flags besides'",
  })
  void refusesWhatIsNoCommandOrOneTooMany(String line, String expected) {
    assertEquals(List.of(expected), parseWithCommands(line).errors());
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.11 --rise=7", "--rise 7 10.0.0.11", "10.0.0.11"})
  void commandWithFlagsOfItsOwnTakesAnArgument(String line) {
    CommandLine parsed = parseArgument("ADDRESS", line);
    assertEquals(List.of(), parsed.errors());
    assertEquals(Optional.of("10.0.0.11"), parsed.argument());
    assertEquals(line.contains("rise") ? 7 : 3, parsed.get(rise));
  }

  /** The command says itself what it means that its argument is not there. */
  @ParameterizedTest
  @CsvSource({
    "ADDRESS, a b, 'unexpected argument \"b\": expected only flags'",
    "'', a, 'unexpected argument \"a\": expected only flags'",
    "ADDRESS, --namespace=a, unknown flag --namespace; see --help",
  })
  void commandWithFlagsOfItsOwnRefuses(String argument, String line, String expected) {
    assertEquals(List.of(expected), parseArgument(argument, line).errors());
  }

  private CommandLine parseArgument(String argument, String line) {
    return CommandLine.parse(
        new Subcommand("drain", argument, "", counts), List.of(line.split(" ", -1)));
  }

  @Test
  void flagThatIsNeededIsMissed() {
    CommandLine parsed = CommandLine.parse(counts, List.of(), List.of());
    assertEquals(Optional.empty(), parsed.needed(rise));
    assertEquals(List.of("--rise is missing, expected a number from 1 to 99"), parsed.errors());
  }

  @Test
  void valueIsTypedAndItsDefaultIsTheOneOfTheHelp() {
    assertEquals(3, CommandLine.parse(counts, List.of(), List.of()).get(rise));
    assertEquals(7, CommandLine.parse(counts, List.of(), List.of("--rise=7")).get(rise));
  }

  @Test
  void wrongValueIsToldOnceAndCountsAsNotGiven() {
    CommandLine parsed = CommandLine.parse(counts, List.of(), List.of("--rise=100"));
    assertEquals(3, parsed.get(rise));
    assertEquals(Optional.empty(), parsed.given(rise));
    assertEquals(List.of("--rise is \"100\", expected a number from 1 to 99"), parsed.errors());
  }

  @Test
  void flagThatDoesNotTakeItsOwnDefaultIsAMistakeOfOurs() {
    assertThrows(IllegalArgumentException.class, () -> new FlagSet().flag("rise", COUNT, "0"));
  }

  @Test
  void commandLineGoesOverOtherSettingsWhichAreToldWithTheirPlace() {
    Flag<Integer> fall = counts.flag("fall", COUNT, "3").help("");
    CommandLine parsed = CommandLine.parse(counts, List.of(), List.of("--rise=7"));
    parsed.addDefaults(
        Map.of("rise", new Setting("file:1: RISE", "x"), "fall", new Setting("file:2: FALL", "y")));
    assertEquals(7, parsed.get(rise));
    assertEquals(3, parsed.get(fall));
    assertEquals(List.of("file:2: FALL is \"y\", expected a number from 1 to 99"), parsed.errors());
  }
}
