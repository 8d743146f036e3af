package io.apiserverupdater.bootstrap.configuration;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What the program can be asked to do. */
public enum Command {
  RUN("", true, "pin, then handover: the whole boot in one call"),
  PIN("pin", true, "point the name at a control plane that is ready"),
  HANDOVER("handover", true, "wait until the cluster IP works, then point the name at it"),
  REFRESH("refresh", true, "read the control planes from the cluster into the cached list"),
  UNCONFIGURED("unconfigured", false, "exit with 0 if CONTROL_PLANE is not set; the units ask"),
  CHECK("check", false, "examine this node and say what to do about each problem"),
  STATUS("status", false, "show where the name points, since when, and how old the list is"),
  RESTORE("restore", true, "remove this program's block from the hosts file, and its kernel rule");

  private final String word;
  private final boolean writes;
  private final String purpose;

  Command(String word, boolean writes, String purpose) {
    this.word = word;
    this.writes = writes;
    this.purpose = purpose;
  }

  /** As given on the command line; empty for the one that is meant when none is given. */
  String word() {
    return word;
  }

  /** Whether it changes files, so that {@code --dry-run} has a meaning. */
  boolean writes() {
    return writes;
  }

  /** Whether it asks apiservers under the name, and so must know whom to trust. */
  boolean probes() {
    return this == RUN || this == PIN || this == HANDOVER;
  }

  String purpose() {
    return purpose;
  }

  static Command of(Optional<String> word) {
    for (Command command : values()) {
      if (command.word.equals(word.orElse(""))) {
        return command;
      }
    }
    throw new IllegalArgumentException(word + " is no command");
  }

  static List<String> words() {
    return Stream.of(values()).map(it -> it.word).filter(word -> !word.isEmpty()).toList();
  }
}
