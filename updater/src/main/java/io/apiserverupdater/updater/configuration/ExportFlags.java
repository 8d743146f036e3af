package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.apiserver.flags.CommandLine;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.apiserver.flags.FlagSet;
import io.apiserverupdater.apiserver.flags.FlagType;
import io.apiserverupdater.apiserver.flags.Subcommand;
import io.apiserverupdater.updater.configuration.UpdaterConfig.Parsed;
import io.apiserverupdater.updater.endpoints.AddressFamily;
import io.apiserverupdater.updater.endpoints.SourceName;
import io.apiserverupdater.updater.export.ExportRule;
import io.apiserverupdater.updater.export.Format;
import io.apiserverupdater.updater.export.HostCommand;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The flags of {@code updater export}. */
final class ExportFlags {
  private static final FlagSet FLAGS = new FlagSet();

  /** In words between spaces: no shell reads it. */
  private static final FlagType<HostCommand> COMMAND_TYPE =
      new FlagType<>("COMMAND", "a program and its arguments, between spaces") {
        @Override
        public Optional<HostCommand> read(String text) {
          return text.isBlank() ? Optional.empty() : Optional.of(command(text));
        }
      };

  private static final Flag<Format> FORMAT =
      FLAGS
          .optional("format", FlagType.choice(Format.values()), "")
          .help("The format of the file. list: one address and port per line.");

  private static final Flag<Path> OUTPUT =
      FLAGS
          .optional("output", FlagType.path("FILE"), "")
          .help("The file to write. All of it is overwritten.");

  private static final Flag<HostCommand> ON_CHANGE =
      FLAGS
          .optional("on-change", COMMAND_TYPE, "")
          .help(
              "Run after a change of the file, such as \"systemctl reload haproxy\": split at"
                  + " spaces, without a shell, 30s at most. Repeated until it exits with 0.");

  private static final Flag<HostCommand> CHECK_COMMAND =
      FLAGS
          .optional("check-command", COMMAND_TYPE, "by --format")
          .help(
              "Run before a new file replaces the old one, which stays unless this exits with 0."
                  + " Every {} stands for the new file; with nginx and keepalived, for a"
                  + " configuration that includes it. {others} stands for -f and each other *.cfg"
                  + " in the folder of --output. \"true\" checks nothing.");

  private static final Flag<UpdaterFlags.ServiceName> SOURCE =
      FLAGS
          .flag("source", UpdaterFlags.SERVICE_TYPE, "default/kubernetes")
          .help(
              "The Service whose members are listed, ready or not. Their addresses must be"
                  + " reachable from here: the control planes, or pods in their host's network.");

  private static final Flag<String> NODES =
      FLAGS
          .optional("nodes", FlagType.text("SELECTOR"), "")
          .help(
              "Instead of --source, list the internal addresses of the nodes with these labels,"
                  + " with the NodePort in --port.");

  private static final Flag<String> PORT =
      FLAGS
          .optional("port", FlagType.text("NAME|NUMBER"), "the only one, or the one named https")
          .help("Which port of the source's slices is listed.");

  private static final Flag<AddressFamily> IP_FAMILY =
      FLAGS
          .optional("ip-family", FlagType.choice(AddressFamily.values()), "both")
          .help("List addresses of this family only. keepalived takes one.");

  private static final Flag<String> NAME =
      FLAGS
          .flag("name", UpdaterFlags.NAME_TYPE, "apiserver")
          .help("The HAProxy backend, the nginx upstream or the Envoy cluster.");

  private static final Flag<Format.HealthCheck> HEALTH_CHECK =
      FLAGS
          .optional(
              "health-check",
              FlagType.choice(Format.HealthCheck.values()),
              "readyz or tcp, by the source")
          .help(
              "How HAProxy and keepalived check the servers. readyz, the default for"
                  + " default/kubernetes: GET /readyz over TLS, not verified. tcp: connect to the"
                  + " port.");

  private static final Flag<Boolean> APISERVER_FAILOVER =
      FLAGS
          .optional("apiserver-failover", FlagType.onOrOff(), "true for default/kubernetes")
          .help(
              "Connect to the listed control planes first, with the TLS name"
                  + " kubernetes.default.svc, and to the configured address last.");

  private static final Flag<Boolean> ONCE =
      FLAGS
          .off("once")
          .help(
              "Update the file once and exit. Exit codes: 0 done or nothing to do, 1 refused, 2"
                  + " error.");

  static {
    FLAGS.share(UpdaterFlags.DRY_RUN);
    FLAGS.share(UpdaterFlags.KUBECONFIG);
    FLAGS.share(UpdaterFlags.CONTEXT);
    FLAGS.share(UpdaterFlags.VERBOSE);
    FLAGS.share(UpdaterFlags.LOG_FORMAT);
    FLAGS.share(UpdaterFlags.HELP);
  }

  private ExportFlags() {}

  static Command command() {
    return new Command(
        new Subcommand("export", "", "keep a load balancer's file up to date", FLAGS),
        """
        Keeps the members of a Service, or nodes, in a file of a load balancer on this
        host. The balancer's own checks find which servers are ready. An empty list is
        refused: the file stays.
        """,
        """
          running      0 stopped by SIGTERM or SIGINT, 2 wrong flags or configuration,
                       or a thread ended on an error, 3 out of memory
          --dry-run    0 nothing to change, 1 changes, 2 error, 3 refused
          --once       0 done or nothing to do, 1 refused, 2 error
        """,
        ExportFlags::read);
  }

  private static HostCommand command(String text) {
    return new HostCommand(List.of(text.strip().split("\\s+", -1)));
  }

  private static Optional<Parsed> read(CommandLine line) {
    Optional<Format> format = line.needed(FORMAT);
    Optional<Path> output = line.needed(OUTPUT);
    ExportConfig.Source source = source(line);
    boolean apiservers =
        source instanceof ExportConfig.Source.Service service && service.name().isApiservers();
    UpdaterConfig.Mode mode = UpdaterFlags.mode(line, ONCE);
    Optional<HostCommand> onChange = line.given(ON_CHANGE);
    Optional<HostCommand> check = line.given(CHECK_COMMAND);
    Optional<AddressFamily> family = line.given(IP_FAMILY);
    String name = line.get(NAME);
    Format.HealthCheck healthCheck =
        line.given(HEALTH_CHECK)
            .orElse(apiservers ? Format.HealthCheck.READYZ : Format.HealthCheck.TCP);
    boolean failover = line.given(APISERVER_FAILOVER).orElse(apiservers);
    if (failover && !apiservers) {
      line.error("--apiserver-failover needs --source=default/kubernetes, which lists apiservers");
    }
    Optional<Path> kubeconfig = line.given(UpdaterFlags.KUBECONFIG);
    Optional<String> context = line.given(UpdaterFlags.CONTEXT);
    boolean verbose = line.get(UpdaterFlags.VERBOSE);
    UpdaterConfig.LogFormat logFormat = line.get(UpdaterFlags.LOG_FORMAT);
    return format.flatMap(
        as ->
            output.map(
                file ->
                    new Parsed.Export(
                        new ExportConfig(
                            mode,
                            kubeconfig,
                            context,
                            failover,
                            source,
                            new ExportRule(
                                describe(source),
                                source instanceof ExportConfig.Source.Nodes
                                    ? Optional.empty()
                                    : line.given(PORT),
                                family,
                                as,
                                name,
                                healthCheck),
                            file,
                            check.or(
                                () ->
                                    Optional.of(as.checkCommand())
                                        .filter(text -> !text.isEmpty())
                                        .map(ExportFlags::command)),
                            onChange,
                            verbose,
                            logFormat))));
  }

  private static ExportConfig.Source source(CommandLine line) {
    UpdaterFlags.ServiceName service = line.get(SOURCE);
    Optional<String> nodes = line.given(NODES);
    if (nodes.isEmpty()) {
      return new ExportConfig.Source.Service(new SourceName(service.namespace(), service.name()));
    }
    if (line.isGiven(SOURCE)) {
      line.error("--source and --nodes exclude each other: use one of them");
    }
    Optional<Integer> port =
        line.given(PORT).flatMap(text -> FlagType.number("", 1, 65_535).read(text));
    if (port.isEmpty()) {
      line.error("--nodes needs --port, a number from 1 to 65535");
    }
    return new ExportConfig.Source.Nodes(nodes.get(), port.orElse(0));
  }

  private static String describe(ExportConfig.Source source) {
    return source instanceof ExportConfig.Source.Nodes nodes
        ? "nodes " + nodes.selector()
        : ((ExportConfig.Source.Service) source).name().toString();
  }
}
