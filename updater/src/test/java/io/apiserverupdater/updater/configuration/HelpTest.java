package io.apiserverupdater.updater.configuration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.apiserver.flags.Flag;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class HelpTest {
  static final List<Flag<?>> FLAGS = UpdaterFlags.FLAGS.all();

  @ParameterizedTest
  @FieldSource("FLAGS")
  void mentionsEveryFlagWithItsDefault(Flag<?> flag) {
    List<String> lines = Help.text().lines().toList();
    String head = "--" + flag.name() + (flag.isSwitch() ? "" : "=" + flag.argument());
    String byDefault = flag.defaultText().isEmpty() ? "" : " (default: " + flag.defaultText() + ")";
    List<String> found = lines.stream().filter(line -> line.endsWith(head + byDefault)).toList();
    assertEquals(1, found.size(), head + byDefault);
    flag.letter()
        .ifPresent(
            letter -> assertTrue(found.get(0).contains("-" + letter + ", --"), found.get(0)));
    String text = Help.text().replaceAll("\\s+", " ");
    assertTrue(text.contains(flag.help()), flag.help());
  }

  @Test
  void fitsTerminalOfEightyColumns() {
    Help.text().lines().forEach(line -> assertTrue(line.length() <= 80, line));
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
        FLAGS.stream()
            .filter(flag -> flag.type().read("/x").filter(Path.class::isInstance).isPresent())
            .map(Flag::argument)
            .toList();
    assertFalse(paths.isEmpty());
    assertTrue(List.of("FILE", "DIRECTORY").containsAll(paths), paths::toString);
  }

  @Test
  void noFlagIsThereTwice() {
    List<String> names = FLAGS.stream().map(Flag::name).toList();
    assertEquals(names.stream().distinct().toList(), names);
    List<Character> letters = FLAGS.stream().flatMap(flag -> flag.letter().stream()).toList();
    assertEquals(letters.stream().distinct().toList(), letters);
  }
}
