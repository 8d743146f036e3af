package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.apiserver.flags.CommandLine;
import io.apiserverupdater.apiserver.flags.Completion;
import io.apiserverupdater.apiserver.flags.FlagSet;
import io.apiserverupdater.apiserver.flags.Subcommand;
import io.apiserverupdater.updater.configuration.UpdaterConfig.Parsed;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What the updater does when the first word is the command's name: with flags of its own.
 *
 * @param description what the help says first; lines of at most 80 columns
 * @param exitCodes what each means; likewise
 * @param reader what the rest of the line asks for; adds to the line's errors what is wrong, and is
 *     empty then
 */
record Command(
    Subcommand syntax,
    String description,
    String exitCodes,
    Function<CommandLine, Optional<? extends Parsed>> reader) {

  /** In the order in which the help has them. */
  static final List<Command> ALL = List.of(completion());

  static Optional<Command> of(List<String> arguments) {
    return ALL.stream()
        .filter(command -> arguments.indexOf(command.syntax().name()) == 0)
        .findFirst();
  }

  static List<String> names() {
    return ALL.stream().map(command -> command.syntax().name()).toList();
  }

  /** Reads what follows the command's name. */
  Parsed parse(List<String> arguments) {
    CommandLine line = CommandLine.parse(syntax, arguments);
    if (line.get(UpdaterFlags.HELP)) {
      return new Parsed.Help(Help.of(this));
    }
    Optional<? extends Parsed> asked = reader.apply(line);
    return line.errors().isEmpty() && asked.isPresent()
        ? asked.get()
        : new Parsed.Invalid(line.errors(), "updater " + syntax.name());
  }

  private static Command completion() {
    FlagSet flags = new FlagSet();
    flags.share(UpdaterFlags.HELP);
    return new Command(
        new Subcommand(
            Completion.COMMAND, "bash|zsh|fish", "print a completion script for a shell", flags),
        """
        Prints a script that completes commands, flags and values in a shell:
        source <(updater completion bash)
        """,
        """
          0 done, 2 unknown shell
        """,
        Command::script);
  }

  private static Optional<Parsed> script(CommandLine line) {
    Optional<String> script =
        new Completion(
                "updater", Map.of(), UpdaterFlags.FLAGS, ALL.stream().map(Command::syntax).toList())
            .script(line.argument().stream().toList());
    if (script.isEmpty()) {
      line.error(Completion.EXPECTED);
    }
    return script.map(Parsed.Completion::new);
  }
}
