package io.apiserverupdater.apiserver.flags;

import java.util.Optional;

/**
 * One flag of the command line.
 *
 * @param name without the leading dashes
 * @param letter its short form
 * @param argument what stands for the value in the help; empty for a switch, which may still be
 *     given as {@code --name=true} or {@code --name=false}
 * @param defaultText the default as the help shows it; empty when there is none
 * @param help one or more sentences
 */
public record Flag(
    String name, Optional<Character> letter, String argument, String defaultText, String help) {

  public static Flag of(String name, String argument, String defaultText, String help) {
    return new Flag(name, Optional.empty(), argument, defaultText, help);
  }

  public static Flag withLetter(
      char letter, String name, String argument, String defaultText, String help) {
    return new Flag(name, Optional.of(letter), argument, defaultText, help);
  }

  public boolean isSwitch() {
    return argument.isEmpty();
  }
}
