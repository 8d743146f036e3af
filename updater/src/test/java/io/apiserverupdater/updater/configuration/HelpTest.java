package io.apiserverupdater.updater.configuration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.apiserver.flags.Subcommand;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HelpTest {
  /** The help of the program, or of one of its commands, and the flags that it is to list. */
  private record Page(String name, String text, List<Flag<?>> flags) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Page> pages() {
    List<Page> pages = new ArrayList<>();
    pages.add(new Page("updater", Help.text(), UpdaterFlags.FLAGS.all()));
    for (Command command : Command.ALL) {
      Subcommand syntax = command.syntax();
      pages.add(new Page(syntax.name(), Help.of(command), syntax.flags().all()));
    }
    return pages;
  }

  @ParameterizedTest
  @MethodSource("pages")
  void mentionsEveryFlagWithItsDefault(Page page) {
    assertFalse(page.flags().isEmpty());
    page.flags().forEach(flag -> mentions(page.text(), flag));
  }

  private static void mentions(String help, Flag<?> flag) {
    List<String> lines = help.lines().toList();
    String head = "--" + flag.name() + (flag.isSwitch() ? "" : "=" + flag.argument());
    String byDefault = flag.defaultText().isEmpty() ? "" : " (default: " + flag.defaultText() + ")";
    List<String> found = lines.stream().filter(line -> line.endsWith(head + byDefault)).toList();
    assertEquals(1, found.size(), head + byDefault);
    flag.letter()
        .ifPresent(
            letter -> assertTrue(found.get(0).contains("-" + letter + ", --"), found.get(0)));
    String text = help.replaceAll("\\s+", " ");
    assertTrue(text.contains(flag.help()), flag.help());
  }

  @Test
  void listsEachCommandWithItsPurpose() {
    for (Command command : Command.ALL) {
      Subcommand syntax = command.syntax();
      String called = (syntax.name() + " " + syntax.argument()).strip();
      List<String> lines =
          Help.text().lines().filter(line -> line.startsWith("  " + called + "  ")).toList();
      assertEquals(1, lines.size(), called);
      assertTrue(lines.get(0).endsWith("  " + syntax.purpose()), lines.get(0));
      assertTrue(Help.of(command).contains("\n  updater " + called + " [flags]\n"), called);
    }
  }

  @ParameterizedTest
  @MethodSource("pages")
  void fitsTerminalOfEightyColumns(Page page) {
    page.text().lines().forEach(line -> assertTrue(line.length() <= 80, line));
  }

  @Test
  void namesTheExitCodesOfEachMode() {
    String codes = Help.text().substring(Help.text().indexOf("Exit codes:"));
    for (String mode : List.of("running", "--dry-run", "--once")) {
      assertTrue(codes.contains(mode), mode);
    }
    String line = codes.replaceAll("\\s+", " ");
    assertTrue(
        line.contains(
            "2 wrong flags or configuration, or a thread ended on an error, 3 out of memory"),
        line);
  }

  /** A shell offers files where one of these words stands for the value. */
  @Test
  void eachPathIsAFileOrADirectory() {
    List<String> paths =
        pages().stream()
            .flatMap(page -> page.flags().stream())
            .filter(flag -> flag.type().read("/x").filter(Path.class::isInstance).isPresent())
            .map(Flag::argument)
            .toList();
    assertFalse(paths.isEmpty());
    assertTrue(List.of("FILE", "DIRECTORY").containsAll(paths), paths::toString);
  }

  @ParameterizedTest
  @MethodSource("pages")
  void noFlagIsThereTwice(Page page) {
    List<String> names = page.flags().stream().map(Flag::name).toList();
    assertEquals(names.stream().distinct().toList(), names);
    List<Character> letters =
        page.flags().stream().flatMap(flag -> flag.letter().stream()).toList();
    assertEquals(letters.stream().distinct().toList(), letters);
  }
}
