package io.apiserverupdater.apiserver.flags;

import java.util.Optional;

/**
 * One flag: everything that is known of it, said once.
 *
 * @param name without the leading dashes
 * @param letter its short form
 * @param type what it takes, and how that is read
 * @param byDefault what holds when it is not given; empty when that is no fixed value
 * @param defaultText the default as the help shows it; empty when there is nothing to show
 * @param help one or more sentences
 */
public record Flag<T>(
    String name,
    Optional<Character> letter,
    FlagType<T> type,
    Optional<T> byDefault,
    String defaultText,
    String help) {

  /** A flag whose default is written as a person would give it. */
  public static <T> Flag<T> of(String name, FlagType<T> type, String byDefault, String help) {
    Optional<T> value = type.read(byDefault);
    if (value.isEmpty()) {
      throw new IllegalArgumentException("--" + name + " does not take its own default");
    }
    return new Flag<>(name, Optional.empty(), type, value, byDefault, help);
  }

  /**
   * A flag without a fixed default.
   *
   * @param otherwise what the help says of how it is without the flag; may be empty
   */
  public static <T> Flag<T> optional(String name, FlagType<T> type, String otherwise, String help) {
    return new Flag<>(name, Optional.empty(), type, Optional.empty(), otherwise, help);
  }

  /** A switch that is off; as usual, that is not worth a word of the help. */
  public static Flag<Boolean> off(String name, String help) {
    return new Flag<>(name, Optional.empty(), new FlagType.Switch(), Optional.of(false), "", help);
  }

  public Flag<T> withLetter(char given) {
    return new Flag<>(name, Optional.of(given), type, byDefault, defaultText, help);
  }

  /** What stands for the value in the help; empty for a switch. */
  public String argument() {
    return type.argument();
  }

  /** Whether it may stand alone; {@code --name=true} or {@code --name=false} may be given too. */
  public boolean isSwitch() {
    return type.argument().isEmpty();
  }
}
