package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.apiserver.address.DnsName;
import io.apiserverupdater.apiserver.flags.CommandLine;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.apiserver.flags.FlagSet;
import io.apiserverupdater.apiserver.flags.FlagType;
import io.apiserverupdater.apiserver.flags.GoDuration;
import io.apiserverupdater.updater.configuration.UpdaterConfig.Election;
import io.apiserverupdater.updater.configuration.UpdaterConfig.LogFormat;
import io.apiserverupdater.updater.configuration.UpdaterConfig.Mode;
import io.apiserverupdater.updater.configuration.UpdaterConfig.Parsed;
import io.apiserverupdater.updater.configuration.UpdaterConfig.Probing;
import io.apiserverupdater.updater.dryrun.Output;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.endpoints.TargetSettings;
import io.apiserverupdater.updater.leaderelection.ElectionSettings;
import io.apiserverupdater.updater.leaderelection.LeaseName;
import io.apiserverupdater.updater.readiness.ProbePolicy;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The flags of the updater: what each takes, its default and its help. */
public final class UpdaterFlags {
  static final FlagSet FLAGS = new FlagSet();

  /** How members are probed. */
  enum HealthCheck {
    READYZ,
    TCP,
    OFF
  }

  /** A Service, as {@code NAMESPACE/NAME}. */
  record ServiceName(String namespace, String name) {}

  static final FlagType<String> NAME_TYPE =
      new FlagType<>("NAME", "a Kubernetes name: lower-case letters, digits, - and .") {
        @Override
        public Optional<String> read(String text) {
          return DnsName.isLowerCaseName(text) ? Optional.of(text) : Optional.empty();
        }
      };

  static final FlagType<ServiceName> SERVICE_TYPE =
      new FlagType<>("NAMESPACE/NAME", "NAMESPACE/NAME") {
        @Override
        public Optional<ServiceName> read(String text) {
          int slash = text.indexOf('/');
          String namespace = text.substring(0, Math.max(0, slash));
          String name = text.substring(slash + 1);
          return DnsName.isLowerCaseName(namespace) && DnsName.isLowerCaseName(name)
              ? Optional.of(new ServiceName(namespace, name))
              : Optional.empty();
        }
      };

  /** Empty for nowhere. */
  private static final FlagType<Optional<InetSocketAddress>> LISTEN_TYPE =
      new FlagType<>(
          "[ADDRESS]:PORT", "[ADDRESS]:PORT, such as :8080, 127.0.0.1:8080 or [::1]:8080, or 0") {
        @Override
        public Optional<Optional<InetSocketAddress>> read(String text) {
          if (text.equals("0")) {
            return Optional.of(Optional.empty());
          }
          Matcher form =
              Pattern.compile("([0-9a-zA-Z.-]*|\\[[0-9a-fA-F:.]+]):([0-9]{1,5})").matcher(text);
          if (!form.matches() || Integer.parseInt(form.group(2)) > 65_535) {
            return Optional.empty();
          }
          String host = form.group(1);
          int port = Integer.parseInt(form.group(2));
          InetSocketAddress address =
              host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
          return Optional.of(Optional.of(address));
        }
      };

  private static final FlagType<Duration> TIME =
      FlagType.duration(Duration.ofMillis(1), Duration.ofHours(24));

  static final Flag<Boolean> DRY_RUN =
      FLAGS
          .off("dry-run")
          .help(
              "Compare once, print what would change, write nothing."
                  + " Exit codes: 0 nothing to change, 1 changes, 2 error, 3 refused.");

  static final Flag<Output> OUTPUT =
      FLAGS
          .flag("output", FlagType.choice(Output.values()), "diff")
          .letter('o')
          .help("What --dry-run prints on stdout.");

  static final Flag<List<String>> FILENAME =
      FLAGS
          .optional("filename", FlagType.texts("FILE|-"), "")
          .letter('f')
          .help(
              "Let --dry-run read the source's EndpointSlices from a file or stdin; may be given"
                  + " several times. Without a kubeconfig the cluster counts as empty.");

  static final Flag<Boolean> ONCE =
      FLAGS
          .off("once")
          .help(
              "Update the target once and exit, without leader election."
                  + " Exit codes: 0 done or nothing to do, 1 refused, 2 error.");

  static final Flag<Path> KUBECONFIG =
      FLAGS
          .optional("kubeconfig", FlagType.path("FILE"), "")
          .help(
              "The kubeconfig to use. Without this flag: the files in KUBECONFIG, or"
                  + " ~/.kube/config, or the pod's service account.");

  static final Flag<String> CONTEXT =
      FLAGS
          .optional("context", FlagType.text("NAME"), "")
          .help("The kubeconfig context to use instead of the current one.");

  static final Flag<Boolean> APISERVER_FAILOVER =
      FLAGS
          .optional("apiserver-failover", FlagType.onOrOff(), "true in a pod, else false")
          .help(
              "Connect to the control planes' own addresses first, with the TLS name"
                  + " kubernetes.default.svc, and to the configured address last.");

  static final Flag<ServiceName> SOURCE =
      FLAGS
          .flag("source", SERVICE_TYPE, "default/kubernetes")
          .help("The Service whose EndpointSlices are mirrored.");

  static final Flag<String> NAMESPACE =
      FLAGS
          .flag("namespace", NAME_TYPE, "kube-system")
          .help("The namespace of the target Service.");

  static final Flag<String> SERVICE =
      FLAGS
          .flag("service", NAME_TYPE, "apiserver")
          .help(
              "The target Service. It must have no selector. Its slices are NAME-ipv4 and"
                  + " NAME-ipv6.");

  static final Flag<Boolean> WRITE_ENDPOINTS =
      FLAGS
          .flag("write-endpoints", FlagType.onOrOff(), "true")
          .help("Also write the v1 Endpoints object of the target, for people and old tools.");

  static final Flag<Boolean> EVENTS =
      FLAGS
          .flag("events", FlagType.onOrOff(), "true")
          .help("Publish Events about the target Service, which kubectl describe service shows.");

  static final Flag<HealthCheck> HEALTH_CHECK =
      FLAGS
          .flag("health-check", FlagType.choice(HealthCheck.values()), "readyz")
          .help(
              "How to probe members. readyz: GET /readyz over TLS, verified for the name"
                  + " kubernetes.default.svc. tcp: connect to the port. off: no probes. Unready"
                  + " members stay listed with ready: false.");

  // Two replicas ask each apiserver about seven times a second in all.
  static final Flag<Duration> PROBE_INTERVAL =
      FLAGS
          .flag("probe-interval", TIME, "300ms")
          .help("Maximum time between probes of a member (jittered down by up to 5 %).");

  private static final Duration CONTROLLERS_TIMEOUT = Duration.ofMillis(350);

  /** What looks only once cannot correct itself, and its first handshakes are its slowest. */
  private static final Duration COMMANDS_TIMEOUT = Duration.ofSeconds(1);

  static final Flag<Duration> PROBE_TIMEOUT =
      FLAGS
          .optional("probe-timeout", TIME, "350ms; 1s with --once and --dry-run")
          .help(
              "Limit for connecting, and for the answer. Two round trips to the member are added"
                  + " to each.");

  static final Flag<Integer> RISE =
      FLAGS
          .flag("rise", FlagType.number("NUMBER", 1, 99), "2")
          .help(
              "Consecutive successes before a silent member counts as ready again. After an"
                  + " explicit not-ready answer, one success is enough.");

  static final Flag<Integer> FALL =
      FLAGS
          .flag("fall", FlagType.number("NUMBER", 1, 99), "2")
          .help(
              "Consecutive failures before a member counts as unready; retries are immediate. A"
                  + " refused connection or an explicit not-ready answer counts at once.");

  static final Flag<Boolean> LEADER_ELECT =
      FLAGS
          .flag("leader-elect", FlagType.onOrOff(), "true")
          .help("Write only while holding the Lease. Set to false for a single replica.");

  static final Flag<String> LEASE_NAME =
      FLAGS.flag("lease-name", NAME_TYPE, LeaseName.DEFAULT).help("The Lease for leader election.");

  static final Flag<String> LEASE_NAMESPACE =
      FLAGS
          .optional("lease-namespace", NAME_TYPE, "the value of --namespace")
          .help("The namespace of the Lease.");

  static final Flag<Duration> LEASE_DURATION =
      FLAGS
          .flag(
              "lease-duration",
              FlagType.duration(Duration.ofSeconds(1), ElectionSettings.LONGEST_LEASE),
              "4s")
          .help("How long a standby waits for a silent leader, in whole seconds; at most 1m.");

  static final Flag<Duration> RENEW_DEADLINE =
      FLAGS
          .flag("renew-deadline", TIME, "3s")
          .help(
              "How long a leader keeps writing after its last renewal. Must be less than"
                  + " --lease-duration.");

  static final Flag<Duration> RETRY_PERIOD =
      FLAGS
          .flag("retry-period", TIME, "1s")
          .help("Time between two renewals. Must be less than --renew-deadline.");

  static final Flag<String> IDENTITY =
      FLAGS
          .optional("identity", FlagType.text("NAME"), "POD_NAME, else the host name")
          .help(
              "The holder name in the Lease. A random part is appended, so that a restarted"
                  + " replica does not mistake itself for its predecessor.");

  static final Flag<Optional<InetSocketAddress>> LISTEN =
      FLAGS
          .flag("listen", LISTEN_TYPE, ":8080")
          .help(
              "Address of /livez, /readyz, /metrics and the status page (plain HTTP). 0 turns them"
                  + " off.");

  static final Flag<Boolean> STATUS_PAGE =
      FLAGS
          .flag("status-page", FlagType.onOrOff(), "true")
          .help("Serve the status at / as a page and at /status.json, which updater status reads.");

  static final Flag<Boolean> VERBOSE = FLAGS.off("verbose").letter('v').help("Log more.");

  static final Flag<LogFormat> LOG_FORMAT =
      FLAGS
          .flag("log-format", FlagType.choice(LogFormat.values()), "text")
          .help(
              "The format of the log. json: one object per line, with ts, level, logger, msg and"
                  + " each key=value of the message as a string.");

  static final Flag<Boolean> HELP = FLAGS.off("help").letter('h').help("Print this and exit.");

  static final Flag<Boolean> VERSION = FLAGS.off("version").help("Print the version and exit.");

  private UpdaterFlags() {}

  /**
   * Reads the command line.
   *
   * @param hostName asked for only when nothing else names this replica
   * @param randomPart makes the identity unique
   */
  public static Parsed parse(
      List<String> arguments,
      Map<String, String> environment,
      Supplier<String> hostName,
      Supplier<String> randomPart) {
    Optional<Command> command = Command.of(arguments);
    if (command.isPresent()) {
      return command.get().parse(arguments.subList(1, arguments.size()));
    }
    CommandLine line = CommandLine.parse(FLAGS, Command.names(), arguments);
    if (line.get(HELP)) {
      return new Parsed.Help(Help.text());
    }
    if (line.get(VERSION)) {
      return new Parsed.Version();
    }
    Mode mode = mode(line, ONCE);
    Election election = election(line, identity(line, environment, hostName, randomPart));
    UpdaterConfig config =
        new UpdaterConfig(
            mode,
            line.given(KUBECONFIG),
            line.given(CONTEXT),
            line.given(APISERVER_FAILOVER),
            target(line, line.get(WRITE_ENDPOINTS)),
            line.get(LEADER_ELECT) ? Optional.of(election) : Optional.empty(),
            line.get(EVENTS),
            probing(line, mode),
            line.get(LISTEN),
            line.get(STATUS_PAGE),
            line.get(OUTPUT),
            line.given(FILENAME).orElse(List.of()),
            line.get(VERBOSE),
            line.get(LOG_FORMAT));
    if (mode != Mode.DRY_RUN) {
      for (Flag<?> flag : List.of(OUTPUT, FILENAME)) {
        if (line.isGiven(flag)) {
          String name = "--" + flag.name();
          line.error(name + " belongs to --dry-run: add --dry-run, or leave " + name + " out");
        }
      }
    }
    line.command()
        .ifPresent(
            late -> line.error("the command %1$s comes first: updater %1$s".formatted(late)));
    return line.errors().isEmpty()
        ? new Parsed.Run(config)
        : new Parsed.Invalid(line.errors(), "updater");
  }

  static Mode mode(CommandLine line, Flag<Boolean> onceFlag) {
    boolean dryRun = line.get(DRY_RUN);
    boolean once = line.get(onceFlag);
    if (dryRun && once) {
      line.error("--dry-run and --once exclude each other: use one of them");
    }
    return dryRun ? Mode.DRY_RUN : once ? Mode.ONCE : Mode.RUN;
  }

  static TargetSettings target(CommandLine line, boolean writeEndpoints) {
    ServiceName source = line.get(SOURCE);
    TargetName target = new TargetName(line.get(NAMESPACE), line.get(SERVICE));
    if (source.namespace().equals(target.namespace()) && source.name().equals(target.service())) {
      line.error("--source is the target Service itself, " + target + ": expected another one");
    }
    return new TargetSettings(source.namespace(), source.name(), target, writeEndpoints);
  }

  static LeaseName lease(CommandLine line) {
    return new LeaseName(
        line.given(LEASE_NAMESPACE).orElse(line.get(NAMESPACE)), line.get(LEASE_NAME));
  }

  private static String identity(
      CommandLine line,
      Map<String, String> environment,
      Supplier<String> hostName,
      Supplier<String> randomPart) {
    String name =
        line.given(IDENTITY)
            .or(() -> Optional.ofNullable(environment.get("POD_NAME")))
            .filter(given -> !given.isEmpty())
            .orElseGet(hostName);
    return name + "_" + randomPart.get();
  }

  private static Election election(CommandLine line, String identity) {
    Duration lease = line.get(LEASE_DURATION);
    Duration renew = line.get(RENEW_DEADLINE);
    Duration retry = line.get(RETRY_PERIOD);
    if (lease.toNanosPart() != 0) {
      line.error(
          "--lease-duration is %s, expected whole seconds".formatted(GoDuration.format(lease)));
    }
    mustBeLess(line, RENEW_DEADLINE, LEASE_DURATION);
    mustBeLess(line, RETRY_PERIOD, RENEW_DEADLINE);
    return new Election(lease(line), new ElectionSettings(identity, lease, renew, retry));
  }

  private static void mustBeLess(CommandLine line, Flag<Duration> shorter, Flag<Duration> longer) {
    if (line.get(shorter).compareTo(line.get(longer)) >= 0) {
      line.error(
          "--%s is %s, expected less than --%s, which is %s"
              .formatted(
                  shorter.name(),
                  GoDuration.format(line.get(shorter)),
                  longer.name(),
                  GoDuration.format(line.get(longer))));
    }
  }

  private static Optional<Probing> probing(CommandLine line, Mode mode) {
    Duration timeout =
        line.given(PROBE_TIMEOUT).orElse(mode == Mode.RUN ? CONTROLLERS_TIMEOUT : COMMANDS_TIMEOUT);
    ProbePolicy policy =
        new ProbePolicy(line.get(PROBE_INTERVAL), timeout, line.get(RISE), line.get(FALL));
    return switch (line.get(HEALTH_CHECK)) {
      case READYZ -> Optional.of(new Probing(Probing.Question.READYZ, policy));
      case TCP -> Optional.of(new Probing(Probing.Question.TCP, policy));
      case OFF -> Optional.empty();
    };
  }
}
