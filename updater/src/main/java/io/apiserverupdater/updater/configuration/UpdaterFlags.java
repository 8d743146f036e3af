package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.apiserver.address.DnsName;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.apiserver.flags.FlagType;
import io.apiserverupdater.updater.dryrun.Output;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The flags of the updater: what each takes, its default and its help. */
final class UpdaterFlags {
  /** How members are probed. */
  enum HealthCheck {
    READYZ,
    TCP,
    OFF
  }

  /** A Service, as {@code NAMESPACE/NAME}. */
  record ServiceName(String namespace, String name) {}

  private static final FlagType<Duration> TIME =
      new FlagType.Time(Duration.ofMillis(1), Duration.ofHours(24));

  static final Flag<Boolean> DRY_RUN =
      Flag.off(
          "dry-run",
          "Compare once, print what would change, write nothing."
              + " Exit codes: 0 nothing to change, 1 changes, 2 error, 3 refused.");

  static final Flag<Output> OUTPUT =
      Flag.of(
              "output",
              new FlagType.Choice<>(Output.values()),
              "diff",
              "What --dry-run prints on stdout.")
          .withLetter('o');

  static final Flag<String> FILENAME =
      Flag.optional(
              "filename",
              new FlagType.Text("FILE|-"),
              "",
              "Let --dry-run read the source's EndpointSlices from a file or stdin. Without a"
                  + " kubeconfig the cluster counts as empty.")
          .withLetter('f');

  static final Flag<Boolean> ONCE =
      Flag.off(
          "once",
          "Update the target once and exit, without leader election."
              + " Exit codes: 0 done or nothing to do, 1 refused, 2 error.");

  static final Flag<String> KUBECONFIG =
      Flag.optional(
          "kubeconfig",
          new FlagType.Text("FILE"),
          "",
          "The kubeconfig to use. Without this flag: the files in KUBECONFIG, or ~/.kube/config, or"
              + " the pod's service account.");

  static final Flag<String> CONTEXT =
      Flag.optional(
          "context",
          new FlagType.Text("NAME"),
          "",
          "The kubeconfig context to use instead of the current one.");

  static final Flag<Boolean> APISERVER_FAILOVER =
      Flag.optional(
          "apiserver-failover",
          new FlagType.Switch(),
          "true in a pod, else false",
          "Connect to the control planes' own addresses first, with the TLS name"
              + " kubernetes.default.svc, and to the configured address last.");

  static final Flag<ServiceName> SOURCE =
      Flag.of(
          "source",
          new ServiceNameType(),
          "default/kubernetes",
          "The Service whose EndpointSlices are mirrored.");

  static final Flag<String> NAMESPACE =
      Flag.of(
          "namespace", new KubernetesName(), "kube-system", "The namespace of the target Service.");

  static final Flag<String> SERVICE =
      Flag.of(
          "service",
          new KubernetesName(),
          "apiserver",
          "The target Service. It must have no selector. Its slices are NAME-ipv4 and"
              + " NAME-ipv6.");

  static final Flag<Boolean> WRITE_ENDPOINTS =
      Flag.of(
          "write-endpoints",
          new FlagType.Switch(),
          "true",
          "Also write the v1 Endpoints object of the target, for people and old tools.");

  static final Flag<HealthCheck> HEALTH_CHECK =
      Flag.of(
          "health-check",
          new FlagType.Choice<>(HealthCheck.values()),
          "readyz",
          "How to probe members. readyz: GET /readyz over TLS, verified for the name"
              + " kubernetes.default.svc. tcp: connect to the port. off: no probes. Unready members"
              + " stay listed with ready: false.");

  // Two replicas ask each apiserver about seven times a second in all.
  static final Flag<Duration> PROBE_INTERVAL =
      Flag.of(
          "probe-interval",
          TIME,
          "300ms",
          "Maximum time between probes of a member (jittered down by up to 5 %).");

  static final Flag<Duration> PROBE_TIMEOUT =
      Flag.of("probe-timeout", TIME, "350ms", "Limit for one probe in total.");

  static final Flag<Integer> RISE =
      Flag.of(
          "rise",
          new FlagType.Number("NUMBER", 1, 99),
          "2",
          "Consecutive successes before a silent member counts as ready again. After an explicit"
              + " not-ready answer, one success is enough.");

  static final Flag<Integer> FALL =
      Flag.of(
          "fall",
          new FlagType.Number("NUMBER", 1, 99),
          "2",
          "Consecutive failures before a member counts as unready; retries are immediate. A refused"
              + " connection or an explicit not-ready answer counts at once.");

  static final Flag<Boolean> LEADER_ELECT =
      Flag.of(
          "leader-elect",
          new FlagType.Switch(),
          "true",
          "Write only while holding the Lease. Set to false for a single replica.");

  static final Flag<String> LEASE_NAME =
      Flag.of(
          "lease-name",
          new KubernetesName(),
          "apiserver-updater",
          "The Lease for leader election.");

  static final Flag<String> LEASE_NAMESPACE =
      Flag.optional(
          "lease-namespace",
          new KubernetesName(),
          "the value of --namespace",
          "The namespace of the Lease.");

  static final Flag<Duration> LEASE_DURATION =
      Flag.of(
          "lease-duration",
          TIME,
          "4s",
          "How long a standby waits for a silent leader, in whole seconds.");

  static final Flag<Duration> RENEW_DEADLINE =
      Flag.of(
          "renew-deadline",
          TIME,
          "3s",
          "How long a leader keeps writing after its last renewal. Must be less than"
              + " --lease-duration.");

  static final Flag<Duration> RETRY_PERIOD =
      Flag.of(
          "retry-period",
          TIME,
          "1s",
          "Time between two renewals. Must be less than --renew-deadline.");

  static final Flag<String> IDENTITY =
      Flag.optional(
          "identity",
          new FlagType.Text("NAME"),
          "POD_NAME, else the host name",
          "The holder name in the Lease. A random part is appended, so that a restarted replica does"
              + " not mistake itself for its predecessor.");

  static final Flag<Optional<InetSocketAddress>> LISTEN =
      Flag.of(
          "listen",
          new ListenAddress(),
          ":8080",
          "Address of /livez, /readyz and /metrics (plain HTTP). 0 turns them off.");

  static final Flag<Boolean> VERBOSE = Flag.off("verbose", "Log more.").withLetter('v');

  static final Flag<Boolean> HELP = Flag.off("help", "Print this and exit.").withLetter('h');

  static final Flag<Boolean> VERSION = Flag.off("version", "Print the version and exit.");

  /** All of them, in the order of the help. */
  static final List<Flag<?>> ALL =
      List.of(
          DRY_RUN,
          OUTPUT,
          FILENAME,
          ONCE,
          KUBECONFIG,
          CONTEXT,
          APISERVER_FAILOVER,
          SOURCE,
          NAMESPACE,
          SERVICE,
          WRITE_ENDPOINTS,
          HEALTH_CHECK,
          PROBE_INTERVAL,
          PROBE_TIMEOUT,
          RISE,
          FALL,
          LEADER_ELECT,
          LEASE_NAME,
          LEASE_NAMESPACE,
          LEASE_DURATION,
          RENEW_DEADLINE,
          RETRY_PERIOD,
          IDENTITY,
          LISTEN,
          VERBOSE,
          HELP,
          VERSION);

  private UpdaterFlags() {}

  private record KubernetesName() implements FlagType<String> {
    @Override
    public String argument() {
      return "NAME";
    }

    @Override
    public String expected() {
      return "a Kubernetes name: lower-case letters, digits, - and .";
    }

    @Override
    public Optional<String> read(String text) {
      return DnsName.isLowerCaseName(text) ? Optional.of(text) : Optional.empty();
    }
  }

  private record ServiceNameType() implements FlagType<ServiceName> {
    @Override
    public String argument() {
      return "NAMESPACE/NAME";
    }

    @Override
    public String expected() {
      return argument();
    }

    @Override
    public Optional<ServiceName> read(String text) {
      int slash = text.indexOf('/');
      String namespace = text.substring(0, Math.max(0, slash));
      String name = text.substring(slash + 1);
      return DnsName.isLowerCaseName(namespace) && DnsName.isLowerCaseName(name)
          ? Optional.of(new ServiceName(namespace, name))
          : Optional.empty();
    }
  }

  /** Empty for nowhere. */
  private record ListenAddress() implements FlagType<Optional<InetSocketAddress>> {
    private static final Pattern FORM =
        Pattern.compile("([0-9a-zA-Z.-]*|\\[([0-9a-fA-F:.]+)]):([0-9]{1,5})");

    @Override
    public String argument() {
      return "[ADDRESS]:PORT";
    }

    @Override
    public String expected() {
      return "[ADDRESS]:PORT, such as :8080, 127.0.0.1:8080 or [::1]:8080, or 0";
    }

    @Override
    public Optional<Optional<InetSocketAddress>> read(String text) {
      if (text.equals("0")) {
        return Optional.of(Optional.empty());
      }
      Matcher matcher = FORM.matcher(text);
      if (!matcher.matches() || Integer.parseInt(matcher.group(3)) > 65_535) {
        return Optional.empty();
      }
      String host = matcher.group(1);
      int port = Integer.parseInt(matcher.group(3));
      return Optional.of(
          Optional.of(
              host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port)));
    }
  }
}
