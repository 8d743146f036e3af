package io.apiserverupdater.apiserver.flags;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a flag takes. Classes, not lambda expressions, which cost time when a program starts:
 * docs/adr/0011.
 */
public abstract class FlagType<T> {
  private final String argument;
  private final String expected;

  /**
   * Makes one.
   *
   * @param argument what stands for the value in the help; empty for a switch
   * @param expected what a value should be, to go behind that word
   */
  protected FlagType(String argument, String expected) {
    this.argument = argument;
    this.expected = expected;
  }

  /** The value that a text means; empty when it is not as expected. */
  public abstract Optional<T> read(String text);

  /** What stands between the values when it is given more than once; empty when it may not be. */
  Optional<String> separator() {
    return Optional.empty();
  }

  /** All values that there are; empty when they cannot be listed. */
  List<String> words() {
    return List.of();
  }

  final String argument() {
    return argument;
  }

  final String expected() {
    return expected;
  }

  /** Any text but none. */
  public static FlagType<String> text(String argument) {
    return new FlagType<>(argument, "a value") {
      @Override
      public Optional<String> read(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(text);
      }
    };
  }

  /** A file or a directory, there or not. */
  public static FlagType<Path> path(String argument) {
    return new FlagType<>(argument, "a path") {
      @Override
      public Optional<Path> read(String text) {
        try {
          return text.isEmpty() ? Optional.empty() : Optional.of(Path.of(text));
        } catch (InvalidPathException e) {
          return Optional.empty();
        }
      }
    };
  }

  /** Any texts but none, each given by itself: {@code -f a -f b}. */
  public static FlagType<List<String>> texts(String argument) {
    return new FlagType<>(argument, "a value") {
      @Override
      public Optional<List<String>> read(String text) {
        List<String> texts = List.of(text.split("\n", -1));
        return texts.contains("") ? Optional.empty() : Optional.of(texts);
      }

      @Override
      Optional<String> separator() {
        return Optional.of("\n");
      }
    };
  }

  /** Texts between commas, without the spaces around them; each is for the program to judge. */
  public static FlagType<List<String>> list(String argument) {
    return new FlagType<>(argument, "values between commas") {
      @Override
      public Optional<List<String>> read(String text) {
        List<String> items = new ArrayList<>();
        for (String item : text.split(",", -1)) {
          items.add(item.strip());
        }
        return Optional.of(items);
      }

      @Override
      Optional<String> separator() {
        return Optional.of(",");
      }
    };
  }

  /** A switch. */
  public static FlagType<Boolean> onOrOff() {
    return new FlagType<>("", "true or false") {
      @Override
      public Optional<Boolean> read(String text) {
        boolean on = text.equals("true");
        return on || text.equals("false") ? Optional.of(on) : Optional.empty();
      }

      @Override
      List<String> words() {
        return List.of("true", "false");
      }
    };
  }

  /** A whole number within bounds, both included. */
  public static FlagType<Integer> number(String argument, int least, int most) {
    return new FlagType<>(argument, "a number from " + least + " to " + most) {
      @Override
      public Optional<Integer> read(String text) {
        int number = text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
        return number >= least && number <= most ? Optional.of(number) : Optional.empty();
      }
    };
  }

  /** A duration as Go writes it, within bounds, both included. */
  public static FlagType<Duration> duration(Duration least, Duration most) {
    String from = least.isZero() ? "up to " : "from " + GoDuration.format(least) + " to ";
    String expected = "a duration " + from + GoDuration.format(most);
    return new FlagType<>("DURATION", expected + ", such as 500ms, 30s or 1m30s") {
      @Override
      public Optional<Duration> read(String text) {
        Optional<Duration> read = GoDuration.parse(text);
        boolean within =
            read.isPresent() && read.get().compareTo(least) >= 0 && read.get().compareTo(most) <= 0;
        return within ? read : Optional.empty();
      }
    };
  }

  /** One of these constants, in lower case and with {@code -} for {@code _}. */
  @SafeVarargs
  public static <E extends Enum<E>> FlagType<E> choice(E... constants) {
    List<String> words = new ArrayList<>();
    for (E constant : constants) {
      words.add(constant.name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }
    int last = words.size() - 1;
    String expected = String.join(", ", words.subList(0, last)) + " or " + words.get(last);
    return new FlagType<>(String.join("|", words), expected) {
      @Override
      public Optional<E> read(String text) {
        int at = words.indexOf(text);
        return at < 0 ? Optional.empty() : Optional.of(constants[at]);
      }

      @Override
      List<String> words() {
        return Collections.unmodifiableList(words);
      }
    };
  }
}
