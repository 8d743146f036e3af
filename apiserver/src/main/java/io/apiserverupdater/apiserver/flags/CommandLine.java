package io.apiserverupdater.apiserver.flags;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A command line taken apart, as Kubernetes' own programs read theirs: {@code --name=value}, {@code
 * --name value}, {@code -n value}, {@code -nvalue}; a switch may stand alone. A flag that takes a
 * list may be given several times; any other one may not, unless it says the same. A program with
 * commands takes one of them, before, between or after the flags; where each has flags of its own
 * it is the first word, and what follows is read by itself. Every fault is collected, none ends the
 * reading.
 *
 * <p>A value is judged when it is asked for: one that is not as its flag expects is added to the
 * errors, and counts as not given.
 */
public final class CommandLine {
  private final Map<String, Setting> settings = new LinkedHashMap<>();
  private final List<String> errors = new ArrayList<>();
  private Optional<String> command = Optional.empty();
  private Optional<String> argument = Optional.empty();

  private CommandLine() {}

  /**
   * Reads a command line.
   *
   * @param commands the names of those that the program has; at most one of them may be given
   */
  public static CommandLine parse(FlagSet flags, List<String> commands, List<String> arguments) {
    return parse(flags, commands, false, arguments);
  }

  /** Reads what follows the name of a command with flags of its own. */
  public static CommandLine parse(Subcommand command, List<String> arguments) {
    return parse(command.flags(), List.of(), !command.argument().isEmpty(), arguments);
  }

  private static CommandLine parse(
      FlagSet flags, List<String> commands, boolean takesArgument, List<String> arguments) {
    CommandLine line = new CommandLine();
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (!argument.startsWith("-") || argument.equals("-")) {
        if (takesArgument && line.argument.isEmpty()) {
          line.argument = Optional.of(argument);
        } else {
          line.word(commands, argument);
        }
        continue;
      }
      Optional<Flag<?>> found = find(flags, argument);
      if (found.isEmpty()) {
        line.errors.add("unknown flag " + nameOf(argument) + nearestFlag(flags, argument));
        // Its value, if it has one, is not an error of its own.
        if (!argument.contains("=")
            && i + 1 < arguments.size()
            && !arguments.get(i + 1).startsWith("-")) {
          i++;
        }
        continue;
      }
      Flag<?> flag = found.get();
      Optional<String> attached = attachedValue(argument);
      if (attached.isPresent()) {
        line.put(flag, attached.get());
      } else if (flag.isSwitch()) {
        line.put(flag, "true");
      } else if (i + 1 < arguments.size()
          && (!arguments.get(i + 1).startsWith("-") || arguments.get(i + 1).equals("-"))) {
        line.put(flag, arguments.get(++i));
      } else {
        line.errors.add("flag --" + flag.name() + " needs a value: " + flag.argument());
      }
    }
    return line;
  }

  private void word(List<String> commands, String word) {
    if (commands.isEmpty()) {
      errors.add("unexpected argument \"" + word + "\": expected only flags");
    } else if (command.isPresent()) {
      errors.add(
          "unexpected argument \"%s\": the command is %s, expected only flags besides"
              .formatted(word, command.get()));
    } else if (commands.contains(word)) {
      command = Optional.of(word);
    } else {
      errors.add("unknown command \"" + word + "\"" + suggestion("", commands, word));
    }
  }

  /** The command that was given. */
  public Optional<String> command() {
    return command;
  }

  /** The word besides the flags of a {@link Subcommand} that takes one. */
  public Optional<String> argument() {
    return argument;
  }

  /** What was given for a flag; that it is not given is added to the errors. */
  public <T> Optional<T> needed(Flag<T> flag) {
    if (!isGiven(flag)) {
      error("--" + flag.name() + " is missing, expected " + flag.type().expected());
    }
    return given(flag);
  }

  /** Adds settings from elsewhere, by the flags' names; what is on the command line goes first. */
  public void addDefaults(Map<String, Setting> others) {
    for (Map.Entry<String, Setting> other : others.entrySet()) {
      settings.putIfAbsent(other.getKey(), other.getValue());
    }
  }

  /** What was given for a flag, else its default; only for a flag that has one. */
  public <T> T get(Flag<T> flag) {
    Optional<T> value = given(flag);
    return value.isPresent() ? value.get() : flag.byDefault().orElseThrow();
  }

  /** What was given for a flag; empty also when it is not as the flag expects. */
  public <T> Optional<T> given(Flag<T> flag) {
    Optional<String> text = text(flag);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    Optional<T> value = flag.type().read(text.get());
    if (value.isEmpty()) {
      wrong(flag, flag.type().expected());
    }
    return value;
  }

  /** What was given for a flag, as it was given. */
  public Optional<String> text(Flag<?> flag) {
    Setting setting = settings.get(flag.name());
    return setting == null ? Optional.empty() : Optional.of(setting.text());
  }

  public boolean isGiven(Flag<?> flag) {
    return settings.containsKey(flag.name());
  }

  /** Where a flag was given, to begin a message with. */
  public String origin(Flag<?> flag) {
    Setting setting = settings.get(flag.name());
    return setting == null ? "--" + flag.name() : setting.origin();
  }

  /** Adds to the errors that a flag's value is not as expected. */
  public void wrong(Flag<?> flag, String expected) {
    error(origin(flag) + " is \"" + text(flag).orElse("") + "\", expected " + expected);
  }

  /** Adds to the errors, once. */
  public void error(String message) {
    if (!errors.contains(message)) {
      errors.add(message);
    }
  }

  /** All that is wrong, as far as it was asked for. */
  public List<String> errors() {
    return errors;
  }

  private void put(Flag<?> flag, String text) {
    String name = "--" + flag.name();
    Setting earlier = settings.get(flag.name());
    Optional<String> separator = flag.type().separator();
    if (earlier == null || earlier.text().equals(text)) {
      settings.put(flag.name(), new Setting(name, text));
    } else if (separator.isPresent()) {
      settings.put(flag.name(), new Setting(name, earlier.text() + separator.get() + text));
    } else {
      error(
          name + " is given as \"" + earlier.text() + "\" and as \"" + text + "\", expected once");
    }
  }

  private static String nameOf(String argument) {
    int equals = argument.indexOf('=');
    return equals < 0 ? argument : argument.substring(0, equals);
  }

  private static Optional<Flag<?>> find(FlagSet flags, String argument) {
    for (Flag<?> flag : flags.all()) {
      if (argument.startsWith("--") ? isNamed(flag, argument) : isLettered(flag, argument)) {
        return Optional.of(flag);
      }
    }
    return Optional.empty();
  }

  private static boolean isNamed(Flag<?> flag, String argument) {
    return flag.name().equals(nameOf(argument).substring(2));
  }

  private static boolean isLettered(Flag<?> flag, String argument) {
    return flag.letter().equals(Optional.of(argument.charAt(1)))
        // A switch takes no attached value: -vx is a mistake.
        && (!flag.isSwitch() || argument.length() == 2 || argument.charAt(2) == '=');
  }

  private static Optional<String> attachedValue(String argument) {
    if (argument.startsWith("--")) {
      int equals = argument.indexOf('=');
      return equals < 0 ? Optional.empty() : Optional.of(argument.substring(equals + 1));
    }
    if (argument.length() == 2) {
      return Optional.empty();
    }
    return Optional.of(argument.substring(argument.charAt(2) == '=' ? 3 : 2));
  }

  private static String nearestFlag(FlagSet flags, String argument) {
    List<String> names = new ArrayList<>();
    flags.all().forEach(flag -> names.add(flag.name()));
    return suggestion("--", names, nameOf(argument).replaceAll("^-+", ""));
  }

  /**
   * What to say behind a word that nobody knows: the known one that is nearest, when one is near.
   *
   * @param prefix stands before each known word
   */
  public static String suggestion(String prefix, Collection<String> known, String word) {
    return known.stream()
        .min(Comparator.comparingInt(candidate -> distance(candidate, word)))
        .filter(nearest -> distance(nearest, word) <= 3)
        .map(nearest -> "; did you mean " + prefix + nearest + "?")
        .orElse("; see --help");
  }

  /** Levenshtein's distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int above = row[j];
        int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(change, Math.min(above, row[j - 1]) + 1);
        diagonal = above;
      }
    }
    return row[b.length()];
  }
}
