package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.apiserver.flags.Subcommand;
import java.util.stream.Collectors;

/** What {@code --help} prints. */
final class Help {
  private Help() {}

  static String text() {
    return """
        Publishes the apiservers, each as ready or not ready, as endpoints of a Service
        without a selector, so that every node reaches a ready apiserver through it.

        Usage:
          updater [flags]              run as a controller until SIGTERM
          updater --dry-run [flags]    print what would change; write nothing
          updater --once [flags]       update the target once
          updater COMMAND [flags]      run a command
          updater COMMAND --help       what the command does, and its flags

        Commands:
        """
        + Command.ALL.stream().map(Command::syntax).map(Help::line).collect(Collectors.joining())
        + """

        Flags:
        """
        + UpdaterFlags.FLAGS.help()
        + """

        Exit codes:
          running      0 stopped by SIGTERM or SIGINT, 2 wrong flags or configuration,
                       or a thread ended on an error, 3 out of memory
          --dry-run    0 nothing to change, 1 changes, 2 error, 3 refused
          --once       0 done or nothing to do, 1 refused, 2 error
        """;
  }

  /** Of one of the commands. */
  static String of(Command command) {
    return command.description()
        + "\nUsage:\n  updater "
        + called(command.syntax())
        + " [flags]\n\nFlags:\n"
        + command.syntax().flags().help()
        + "\nExit codes:\n"
        + command.exitCodes();
  }

  private static String line(Subcommand command) {
    return "  %-28s %s\n".formatted(called(command), command.purpose());
  }

  private static String called(Subcommand command) {
    return (command.name() + " " + command.argument()).strip();
  }
}
