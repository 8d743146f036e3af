package io.apiserverupdater.apiserver.flags;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * The flags of a program or of one of its commands, in the order in which they are declared; the
 * help text, for a terminal of 80 columns, comes from the same declarations. Not thread-safe.
 */
public final class FlagSet {
  private static final int WIDTH = 80;
  private static final int INDENT = 10;

  private final List<Flag<?>> flags = new ArrayList<>();

  /** A flag that lacks its help. */
  public final class Draft<T> {
    private final String name;
    private final FlagType<T> type;
    private final Optional<T> byDefault;
    private final String defaultText;
    private Optional<Character> letter = Optional.empty();

    private Draft(String name, FlagType<T> type, Optional<T> byDefault, String defaultText) {
      this.name = name;
      this.type = type;
      this.byDefault = byDefault;
      this.defaultText = defaultText;
    }

    /** Gives it a short form. */
    public Draft<T> letter(char shortForm) {
      letter = Optional.of(shortForm);
      return this;
    }

    /** Completes the flag. */
    public Flag<T> help(String help) {
      Flag<T> flag = new Flag<>(name, letter, type, byDefault, defaultText, help);
      flags.add(flag);
      return flag;
    }
  }

  /** Declares a flag whose default is written as a person would give it. */
  public <T> Draft<T> flag(String name, FlagType<T> type, String byDefault) {
    Optional<T> value = type.read(byDefault);
    if (value.isEmpty()) {
      throw new IllegalArgumentException("--" + name + " does not take its own default");
    }
    return new Draft<>(name, type, value, byDefault);
  }

  /**
   * Declares a flag without a fixed default.
   *
   * @param otherwise what the help says of how it is without the flag; may be empty
   */
  public <T> Draft<T> optional(String name, FlagType<T> type, String otherwise) {
    return new Draft<>(name, type, Optional.empty(), otherwise);
  }

  /** Declares a switch that is off; as usual, that is not worth a word of the help. */
  public Draft<Boolean> off(String name) {
    return new Draft<>(name, FlagType.onOrOff(), Optional.of(false), "");
  }

  /** Takes in a flag that another set has declared. */
  public void share(Flag<?> flag) {
    flags.add(flag);
  }

  public List<Flag<?>> all() {
    return Collections.unmodifiableList(flags);
  }

  /** Each flag with its letter, argument and default, and below them what it is for. */
  public String help() {
    StringBuilder text = new StringBuilder();
    for (Flag<?> flag : flags) {
      text.append(flag.letter().isPresent() ? "  -" + flag.letter().get() + ", " : "      ");
      text.append("--").append(flag.name()).append(flag.isSwitch() ? "" : "=" + flag.argument());
      text.append(flag.defaultText().isEmpty() ? "" : " (default: " + flag.defaultText() + ")");
      int column = WIDTH;
      for (String word : flag.help().split(" ", -1)) {
        boolean fits = column + 1 + word.length() <= WIDTH;
        text.append(fits ? " " : "\n" + " ".repeat(INDENT)).append(word);
        column = (fits ? column + 1 : INDENT) + word.length();
      }
      text.append('\n');
    }
    return text.toString();
  }
}
