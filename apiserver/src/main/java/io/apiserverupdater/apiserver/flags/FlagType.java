package io.apiserverupdater.apiserver.flags;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a flag takes. Classes, not lambda expressions: the first of those costs a starting program
 * milliseconds.
 */
public interface FlagType<T> {
  /** What stands for the value in the help; empty for a switch. */
  String argument();

  /** What a value should be, to go behind the word "expected". */
  String expected();

  /** The value that a text means; empty when it is not as expected. */
  Optional<T> read(String text);

  /** Any text but none. */
  record Text(String argument) implements FlagType<String> {
    @Override
    public String expected() {
      return "a value";
    }

    @Override
    public Optional<String> read(String text) {
      return text.isEmpty() ? Optional.empty() : Optional.of(text);
    }
  }

  /** Texts between commas, without the spaces around them; each is for the program to judge. */
  record Items(String argument) implements FlagType<List<String>> {
    @Override
    public String expected() {
      return "values between commas";
    }

    @Override
    public Optional<List<String>> read(String text) {
      return Optional.of(split(text));
    }

    public static List<String> split(String text) {
      List<String> items = new ArrayList<>();
      for (String item : text.split(",", -1)) {
        items.add(item.strip());
      }
      return items;
    }
  }

  /** On or off. */
  record Switch() implements FlagType<Boolean> {
    @Override
    public String argument() {
      return "";
    }

    @Override
    public String expected() {
      return "true or false";
    }

    @Override
    public Optional<Boolean> read(String text) {
      return switch (text) {
        case "true" -> Optional.of(true);
        case "false" -> Optional.of(false);
        default -> Optional.empty();
      };
    }
  }

  /** A whole number within bounds, both included. */
  record Number(String argument, int least, int most) implements FlagType<Integer> {
    @Override
    public String expected() {
      return "a number from " + least + " to " + most;
    }

    @Override
    public Optional<Integer> read(String text) {
      long number = GoDuration.digits(text, 0, text.length());
      return number >= least && number <= most ? Optional.of((int) number) : Optional.empty();
    }
  }

  /** A duration as Go writes it, within bounds, both included. */
  record Time(Duration least, Duration most) implements FlagType<Duration> {
    @Override
    public String argument() {
      return "DURATION";
    }

    @Override
    public String expected() {
      return "a duration "
          + (least.isZero() ? "" : "from " + GoDuration.format(least) + " ")
          + (least.isZero() ? "up to " : "to ")
          + GoDuration.format(most)
          + ", such as 500ms, 30s or 1m30s";
    }

    @Override
    public Optional<Duration> read(String text) {
      Optional<Duration> read = GoDuration.parse(text);
      return read.isPresent() && read.get().compareTo(least) >= 0 && read.get().compareTo(most) <= 0
          ? read
          : Optional.empty();
    }
  }

  /** A file or a directory, there or not. */
  record File(String argument) implements FlagType<Path> {
    @Override
    public String expected() {
      return "a path";
    }

    @Override
    public Optional<Path> read(String text) {
      try {
        return text.isEmpty() ? Optional.empty() : Optional.of(Path.of(text));
      } catch (InvalidPathException e) {
        return Optional.empty();
      }
    }
  }

  /** One of the constants of an enumeration, in lower case and with {@code -} for {@code _}. */
  final class Choice<E extends Enum<E>> implements FlagType<E> {
    private final E[] constants;

    @SafeVarargs
    public Choice(E... constants) {
      this.constants = constants.clone();
    }

    @Override
    public String argument() {
      return joined("|", "|");
    }

    @Override
    public String expected() {
      return joined(", ", " or ");
    }

    @Override
    public Optional<E> read(String text) {
      for (E constant : constants) {
        if (word(constant).equals(text)) {
          return Optional.of(constant);
        }
      }
      return Optional.empty();
    }

    private static String word(Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private String joined(String separator, String last) {
      StringBuilder words = new StringBuilder(word(constants[0]));
      for (int i = 1; i < constants.length; i++) {
        words.append(i == constants.length - 1 ? last : separator).append(word(constants[i]));
      }
      return words.toString();
    }
  }
}
