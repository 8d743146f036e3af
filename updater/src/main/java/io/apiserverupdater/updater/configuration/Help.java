package io.apiserverupdater.updater.configuration;

/** What {@code --help} prints. */
public final class Help {
  private Help() {}

  public static String text() {
    return """
        Keeps the endpoints of a Service without a selector equal to the ready
        apiservers, so that every node reaches a live apiserver through that Service.

        Usage:
          updater [flags]              run as a controller until SIGTERM
          updater --dry-run [flags]    print what would change; write nothing
          updater --once [flags]       update the target once

        Flags:
        """
        + UpdaterFlags.FLAGS.help()
        + """

        Exit codes:
          running      0 stopped by SIGTERM or SIGINT, 2 wrong flags or configuration
          --dry-run    0 nothing to change, 1 changes, 2 error, 3 refused
          --once       0 done or nothing to do, 1 refused, 2 error
        """;
  }
}
