package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.apiserver.flags.CommandLine;
import io.apiserverupdater.apiserver.flags.Completion;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.apiserver.flags.FlagSet;
import io.apiserverupdater.apiserver.flags.FlagType;
import io.apiserverupdater.apiserver.flags.Subcommand;
import io.apiserverupdater.updater.configuration.UpdaterConfig.Parsed;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.endpoints.TargetSettings;
import java.time.Duration;
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
  static final List<Command> ALL =
      List.of(status(), ExportFlags.command(), drain(), undrain(), completion());

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

  private static Command drain() {
    FlagSet flags = new FlagSet();
    Flag<Duration> time =
        flags
            .flag("for", FlagType.duration(Duration.ofSeconds(1), Duration.ofHours(24)), "30m")
            .help("How long the drain lasts.");
    shareThoseOfTheService(flags);
    return new Command(
        new Subcommand("drain", "ADDRESS", "drain an apiserver for a while", flags),
        """
        Publishes the apiserver with this IP address with ready: false for a while, so
        that nodes open no new connections to it. Refuses if no other one is ready.
        Needs a running updater, and the right to patch the Service.
        """,
        """
          0 done, 1 refused, 2 error
        """,
        line -> drain(line, Optional.of(line.get(time))));
  }

  private static Command undrain() {
    FlagSet flags = new FlagSet();
    shareThoseOfTheService(flags);
    return new Command(
        new Subcommand("undrain", "ADDRESS", "end a drain early", flags),
        """
        Ends a drain early: the updater's probes decide again whether the apiserver is
        ready.
        """,
        """
          0 done or nothing to do, 1 refused, 2 error
        """,
        line -> drain(line, Optional.empty()));
  }

  private static void shareThoseOfTheService(FlagSet flags) {
    List.of(
            UpdaterFlags.KUBECONFIG,
            UpdaterFlags.CONTEXT,
            UpdaterFlags.NAMESPACE,
            UpdaterFlags.SERVICE,
            UpdaterFlags.VERBOSE,
            UpdaterFlags.HELP)
        .forEach(flags::share);
  }

  private static Optional<Parsed> drain(CommandLine line, Optional<Duration> time) {
    Optional<String> address = line.argument().filter(it -> IpAddress.parse(it).isPresent());
    if (address.isEmpty()) {
      line.error(
          line.argument()
              .map(it -> "\"" + it + "\" is not an IP address")
              .orElse("expected the IP address of an apiserver"));
    }
    TargetName target =
        new TargetName(line.get(UpdaterFlags.NAMESPACE), line.get(UpdaterFlags.SERVICE));
    return address.map(
        it ->
            new Parsed.Drain(
                new DrainConfig(
                    line.given(UpdaterFlags.KUBECONFIG),
                    line.given(UpdaterFlags.CONTEXT),
                    new TargetSettings("default", "kubernetes", target, false),
                    it,
                    time,
                    line.get(UpdaterFlags.VERBOSE))));
  }

  private static Command status() {
    FlagSet flags = new FlagSet();
    Flag<StatusConfig.Format> output =
        flags
            .flag("output", FlagType.choice(StatusConfig.Format.values()), "text")
            .letter('o')
            .help("Output format.");
    List.of(
            UpdaterFlags.KUBECONFIG,
            UpdaterFlags.CONTEXT,
            UpdaterFlags.SOURCE,
            UpdaterFlags.NAMESPACE,
            UpdaterFlags.SERVICE,
            UpdaterFlags.LEASE_NAME,
            UpdaterFlags.LEASE_NAMESPACE,
            UpdaterFlags.VERBOSE,
            UpdaterFlags.HELP)
        .forEach(flags::share);
    return new Command(
        new Subcommand("status", "", "show the replicas, the members and the target", flags),
        """
        Shows the leader, the state of each member, whether the target matches the
        source, and the last events. Asks the API server and, through it, the updater's
        pods in the target's namespace. What it may not read is listed as a finding.
        """,
        """
          0 all is well, 1 something to look at, 2 error
        """,
        line ->
            Optional.of(
                new Parsed.Status(
                    new StatusConfig(
                        line.given(UpdaterFlags.KUBECONFIG),
                        line.given(UpdaterFlags.CONTEXT),
                        UpdaterFlags.target(line, false),
                        UpdaterFlags.lease(line),
                        line.get(output),
                        line.get(UpdaterFlags.VERBOSE)))));
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
