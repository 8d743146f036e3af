package io.apiserverupdater.apiserver.flags;

import java.util.Optional;

/**
 * One flag: all that is known of it. A {@link FlagSet} makes it.
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

  /** What stands for the value in the help; empty for a switch. */
  public String argument() {
    return type.argument();
  }

  /** Whether it may stand alone; {@code --name=true} or {@code --name=false} may be given too. */
  public boolean isSwitch() {
    return type.argument().isEmpty();
  }
}
