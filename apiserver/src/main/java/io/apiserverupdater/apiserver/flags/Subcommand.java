package io.apiserverupdater.apiserver.flags;

import java.util.List;

/**
 * A command with flags of its own; its name is the first word of the command line.
 *
 * @param argument what stands in the help for the word that it takes besides its flags, such as
 *     {@code ADDRESS}, or {@code bash|zsh|fish} for one of these; empty when it takes none
 * @param purpose what it does, without a full stop
 */
public record Subcommand(String name, String argument, String purpose, FlagSet flags) {

  /** All arguments that there are; empty when they cannot be listed. */
  List<String> words() {
    return argument.contains("|") ? List.of(argument.split("\\|", -1)) : List.of();
  }
}
