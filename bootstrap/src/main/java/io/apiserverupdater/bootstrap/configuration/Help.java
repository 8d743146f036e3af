package io.apiserverupdater.bootstrap.configuration;

/** What {@code --help} prints. */
public final class Help {
  private Help() {}

  public static String text() {
    StringBuilder commands = new StringBuilder();
    for (Command command : Command.values()) {
      String word = command.word().isEmpty() ? "(none)" : command.word();
      commands.append("  ").append(word).append(" ".repeat(14 - word.length()));
      commands.append(command.purpose()).append('\n');
    }
    return """
        Points the apiserver's name in this node's hosts file at a control plane while
        the node boots, and at the cluster IP of the Service apiserver as soon as
        kube-proxy makes that IP work.

        Usage:
          apiserver-bootstrap [command] [flags]
          apiserver-bootstrap completion bash|zsh|fish    print a completion script

        Commands:
        """
        + commands
        + """

        Flags:
        """
        + BootstrapFlags.FLAGS.help()
        + """

        Exit codes:
          0  done
          1  error; the hosts file is unchanged, unless restore could remove its block
             but not the kernel rule
          2  wrong flags or configuration
          3  pin: no control plane is ready; the name points at one that proved its
             identity
          4  pin: no control plane proved its identity; the entry is unchanged, or has
             the first control plane of the list if there was none
             handover: the cluster IP did not work within --wait
          check      0 everything is ok, 1 warnings, 2 failures or an error
          --dry-run  0 nothing to change, 1 changes, 2 or more an error
        """;
  }
}
