package io.apiserverupdater.updater.configuration;

/** What {@code --help} prints. */
public final class Help {
  private Help() {}

  public static String text() {
    return """
        Publishes the apiservers, each as ready or not ready, as endpoints of a Service
        without a selector, so that every node reaches a ready apiserver through it.

        Usage:
          updater [flags]              run as a controller until SIGTERM
          updater --dry-run [flags]    print what would change; write nothing
          updater --once [flags]       update the target once
          updater completion bash|zsh|fish
                                       print a script that completes flags and values

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
}
