package io.apiserverupdater.updater.configuration;

import io.apiserverupdater.apiserver.flags.CommandLine;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.apiserver.probe.ProbePolicy;
import io.apiserverupdater.updater.dryrun.Output;
import io.apiserverupdater.updater.endpoints.TargetName;
import io.apiserverupdater.updater.kube.KubeCluster.LeaseName;
import io.apiserverupdater.updater.kube.TargetSettings;
import io.apiserverupdater.updater.leaderelection.ElectionSettings;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the command line and the environment ask for.
 *
 * @param kubeconfig the file to use instead of kubectl's own choice
 * @param context the context to use instead of the current one
 * @param failover whether the control planes are asked by their own addresses; decided by where we
 *     run when empty
 * @param election how to take part in the election; empty for a single replica
 * @param probing how the members are probed; empty when they are not
 * @param listen where to answer health checks; empty for nowhere
 * @param sourceFile where a dry run takes the source from; {@code -} is the standard input
 */
public record UpdaterConfig(
    Mode mode,
    Optional<Path> kubeconfig,
    Optional<String> context,
    Optional<Boolean> failover,
    TargetSettings target,
    Optional<Election> election,
    Optional<Probing> probing,
    Optional<InetSocketAddress> listen,
    Output output,
    Optional<String> sourceFile,
    boolean verbose) {

  public enum Mode {
    RUN,
    ONCE,
    DRY_RUN
  }

  /** The Lease and the times of the election. */
  public record Election(LeaseName lease, ElectionSettings settings) {}

  /** What is asked of the members, and what follows from the answers. */
  public record Probing(Question question, ProbePolicy policy) {

    /** What a member is asked. */
    public enum Question {
      /** {@code /readyz}, over TLS. */
      READYZ,
      /** Whether its host accepts a connection. */
      TCP
    }

    /** The kernel accepts connections for a process that hangs. */
    public boolean findsHangingServers() {
      return question == Question.READYZ;
    }
  }

  /** What a command line amounts to. */
  public sealed interface Parsed {
    record Run(UpdaterConfig config) implements Parsed {}

    record Help() implements Parsed {}

    record Version() implements Parsed {}

    /** All that is wrong with it. */
    record Invalid(List<String> errors) implements Parsed {}
  }

  static final List<Flag> FLAGS =
      List.of(
          Flag.of(
              "dry-run",
              "",
              "",
              "Compare once, print what would change, write nothing."
                  + " Exit codes: 0 nothing to change, 1 changes, 2 error, 3 refused."),
          Flag.withLetter(
              'o', "output", "diff|yaml|json", "diff", "What --dry-run prints on stdout."),
          Flag.withLetter(
              'f',
              "filename",
              "FILE|-",
              "",
              "Let --dry-run take the source's EndpointSlices from a file or stdin. Without any"
                  + " kubeconfig the cluster counts as empty."),
          Flag.of(
              "once",
              "",
              "",
              "Bring the target in step once and exit, without an election."
                  + " Exit codes: 0 done or nothing to do, 1 refused, 2 error."),
          Flag.of(
              "kubeconfig",
              "FILE",
              "",
              "The kubeconfig to use. Else the files in KUBECONFIG, else ~/.kube/config, else the"
                  + " pod's service account."),
          Flag.of(
              "context", "NAME", "", "The kubeconfig context to use instead of the current one."),
          Flag.of(
              "apiserver-failover",
              "",
              "true in a pod, else false",
              "Reach the API at the control planes' own addresses first, under the TLS name"
                  + " kubernetes.default.svc, and at the configured address last."),
          Flag.of(
              "source",
              "NAMESPACE/NAME",
              "default/kubernetes",
              "The Service whose EndpointSlices are mirrored."),
          Flag.of("namespace", "NAME", "kube-system", "The namespace of the target Service."),
          Flag.of(
              "service",
              "NAME",
              "apiserver",
              "The target Service. It must have no selector. Its slices are NAME-ipv4 and"
                  + " NAME-ipv6."),
          Flag.of(
              "write-endpoints",
              "",
              "true",
              "Write the v1 Endpoints object of the target as well, for people and old tools."),
          Flag.of(
              "health-check",
              "readyz|tcp|off",
              "readyz",
              "How members are probed: /readyz over verified TLS under the name"
                  + " kubernetes.default.svc; that their hosts accept connections; or not at all."
                  + " Unready members stay listed with ready: false."),
          Flag.of(
              "probe-interval",
              "DURATION",
              "300ms",
              "The longest pause between two rounds of probes; each is 95 % to all of it."),
          Flag.of("probe-timeout", "DURATION", "350ms", "How long one probe may take in all."),
          Flag.of(
              "rise",
              "NUMBER",
              "2",
              "How many good probes in a row make a member ready that had been silent. After an"
                  + " honest answer of not ready, one does."),
          Flag.of(
              "fall",
              "NUMBER",
              "2",
              "How many bad probes in a row make a member unready, the next at once after the one"
                  + " before. For a refused connection or an honest answer of not ready, one"
                  + " does."),
          Flag.of(
              "leader-elect",
              "",
              "true",
              "Write only while holding the Lease. Turn it off for a single replica."),
          Flag.of("lease-name", "NAME", "apiserver-updater", "The Lease of the election."),
          Flag.of("lease-namespace", "NAME", "the value of --namespace", "The Lease's namespace."),
          Flag.of(
              "lease-duration",
              "DURATION",
              "4s",
              "How long the others wait for a silent leader. Whole seconds."),
          Flag.of(
              "renew-deadline",
              "DURATION",
              "3s",
              "How long a leader goes on after its last renewal. Shorter than --lease-duration."),
          Flag.of(
              "retry-period",
              "DURATION",
              "1s",
              "The time between two renewals. Shorter than --renew-deadline."),
          Flag.of(
              "identity",
              "NAME",
              "POD_NAME, else the host name",
              "Who holds the Lease. A random part is added, so that a restarted replica does not"
                  + " take itself for its predecessor."),
          Flag.of(
              "listen",
              "[ADDRESS]:PORT",
              ":8080",
              "Where /livez, /readyz and /metrics answer, in plain HTTP. 0 turns them off."),
          Flag.withLetter('v', "verbose", "", "", "Log more."),
          Flag.withLetter('h', "help", "", "", "Print this and exit."),
          Flag.of("version", "", "", "Print the version and exit."));

  private static final Pattern DNS_LABELS =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");

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
    CommandLine line = CommandLine.parse(FLAGS, arguments);
    Reader in = new Reader(line, new ArrayList<>(line.errors()));
    if (in.flag("help", false)) {
      return new Parsed.Help();
    }
    if (in.flag("version", false)) {
      return new Parsed.Version();
    }
    Mode mode = in.mode();
    String namespace = in.name("namespace", "kube-system");
    TargetSettings target =
        in.target(namespace, in.name("service", "apiserver"), in.flag("write-endpoints", true));
    boolean elect = in.flag("leader-elect", true);
    Election election = in.election(namespace, environment, hostName, randomPart);
    UpdaterConfig config =
        new UpdaterConfig(
            mode,
            in.text("kubeconfig").map(Path::of),
            in.text("context"),
            line.value("apiserver-failover").map(value -> in.flag("apiserver-failover", false)),
            target,
            elect ? Optional.of(election) : Optional.empty(),
            in.probing(),
            in.listen(":8080"),
            in.output(mode),
            in.sourceFile(mode),
            in.flag("verbose", false));
    return in.errors.isEmpty() ? new Parsed.Run(config) : new Parsed.Invalid(in.errors);
  }

  /** The values of the flags, each checked; what is wrong is added to the errors. */
  private record Reader(CommandLine line, List<String> errors) {

    private void error(String flag, String expected) {
      errors.add("--" + flag + " is \"" + line.value(flag).orElse("") + "\", expected " + expected);
    }

    Optional<String> text(String flag) {
      Optional<String> value = line.value(flag);
      if (value.isPresent() && value.get().isEmpty()) {
        error(flag, "a value");
      }
      return value;
    }

    boolean flag(String flag, boolean byDefault) {
      String value = line.value(flag).orElse(Boolean.toString(byDefault));
      if (!value.equals("true") && !value.equals("false")) {
        error(flag, "true or false");
      }
      return value.equals("true");
    }

    String name(String flag, String byDefault) {
      // Only what was given: a default may be another flag's value, which is judged there.
      if (!line.value(flag).map(Reader::isName).orElse(true)) {
        error(flag, "a Kubernetes name: lower-case letters, digits, - and .");
      }
      return line.value(flag).orElse(byDefault);
    }

    private static boolean isName(String value) {
      return value.length() <= 253 && DNS_LABELS.matcher(value).matches();
    }

    Mode mode() {
      boolean dryRun = flag("dry-run", false);
      boolean once = flag("once", false);
      if (dryRun && once) {
        errors.add("--dry-run and --once exclude each other: give one of them");
      }
      return dryRun ? Mode.DRY_RUN : once ? Mode.ONCE : Mode.RUN;
    }

    TargetSettings target(String namespace, String service, boolean writeEndpoints) {
      String[] source = line.value("source").orElse("default/kubernetes").split("/", -1);
      if (source.length != 2 || !isName(source[0]) || !isName(source[1])) {
        error("source", "NAMESPACE/NAME");
        return target(namespace, service, writeEndpoints, "default", "kubernetes");
      }
      if (source[0].equals(namespace) && source[1].equals(service)) {
        errors.add(
            "--source is the target Service itself, "
                + namespace
                + "/"
                + service
                + ": expected another one");
      }
      return target(namespace, service, writeEndpoints, source[0], source[1]);
    }

    private static TargetSettings target(
        String namespace,
        String service,
        boolean writeEndpoints,
        String sourceNamespace,
        String sourceName) {
      return new TargetSettings(
          sourceNamespace, sourceName, new TargetName(namespace, service), writeEndpoints);
    }

    Election election(
        String namespace,
        Map<String, String> environment,
        Supplier<String> hostName,
        Supplier<String> randomPart) {
      Duration lease = duration("lease-duration", Duration.ofSeconds(4));
      Duration renew = duration("renew-deadline", Duration.ofSeconds(3));
      Duration retry = duration("retry-period", Duration.ofSeconds(1));
      if (lease.compareTo(Duration.ofSeconds(1)) < 0 || lease.toNanosPart() != 0) {
        errors.add("--lease-duration is " + show(lease) + ", expected whole seconds, 1s or more");
      }
      if (renew.compareTo(lease) >= 0) {
        errors.add(
            "--renew-deadline is "
                + show(renew)
                + ", expected less than --lease-duration, which is "
                + show(lease));
      }
      if (retry.compareTo(renew) >= 0) {
        errors.add(
            "--retry-period is "
                + show(retry)
                + ", expected less than --renew-deadline, which is "
                + show(renew));
      }
      String name = line.value("identity").or(() -> podName(environment)).orElseGet(hostName);
      if (name.isEmpty()) {
        error("identity", "a value");
      }
      return new Election(
          new LeaseName(
              name("lease-namespace", namespace), name("lease-name", "apiserver-updater")),
          new ElectionSettings(name + "_" + randomPart.get(), lease, renew, retry));
    }

    Optional<Probing> probing() {
      ProbePolicy byDefault = ProbePolicy.DEFAULT;
      ProbePolicy policy =
          new ProbePolicy(
              duration("probe-interval", byDefault.interval()),
              duration("probe-timeout", byDefault.timeout()),
              number("rise", byDefault.rise()),
              number("fall", byDefault.fall()));
      return switch (line.value("health-check").orElse("readyz")) {
        case "readyz" -> Optional.of(new Probing(Probing.Question.READYZ, policy));
        case "tcp" -> Optional.of(new Probing(Probing.Question.TCP, policy));
        case "off" -> Optional.empty();
        default -> {
          error("health-check", "readyz, tcp or off");
          yield Optional.empty();
        }
      };
    }

    int number(String flag, int byDefault) {
      String value = line.value(flag).orElse(Integer.toString(byDefault));
      if (!value.matches("[0-9]{1,2}") || value.matches("0+")) {
        error(flag, "a whole number from 1 to 99");
        return byDefault;
      }
      return Integer.parseInt(value);
    }

    private static Optional<String> podName(Map<String, String> environment) {
      return Optional.ofNullable(environment.get("POD_NAME")).filter(name -> !name.isEmpty());
    }

    private static final Pattern DURATION = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ms|s|m|h)");

    /** A duration as Go writes it: {@code 500ms}, {@code 4s}, {@code 1m30s}. */
    Duration duration(String flag, Duration byDefault) {
      String value = line.value(flag).orElse("");
      if (line.value(flag).isEmpty()) {
        return byDefault;
      }
      Matcher part = DURATION.matcher(value);
      double seconds = 0;
      int end = 0;
      while (part.find() && part.start() == end) {
        seconds += Double.parseDouble(part.group(1)) * secondsOf(part.group(2));
        end = part.end();
      }
      if (value.isEmpty() || end != value.length() || seconds <= 0 || seconds > 86_400) {
        error(flag, "a duration from 1ms to 24h, such as 500ms, 4s or 1m30s");
        return byDefault;
      }
      return Duration.ofMillis(Math.round(seconds * 1000));
    }

    private static double secondsOf(String unit) {
      return switch (unit) {
        case "ms" -> 0.001;
        case "s" -> 1;
        case "m" -> 60;
        default -> 3600;
      };
    }

    private static String show(Duration duration) {
      return duration.toMillis() % 1000 == 0
          ? duration.toSeconds() + "s"
          : duration.toMillis() + "ms";
    }

    private static final Pattern LISTEN =
        Pattern.compile("(?:([0-9a-zA-Z.-]+)|\\[([0-9a-fA-F:.]+)])?:([0-9]{1,5})");

    Optional<InetSocketAddress> listen(String byDefault) {
      String value = line.value("listen").orElse(byDefault);
      if (value.equals("0")) {
        return Optional.empty();
      }
      Matcher matcher = LISTEN.matcher(value);
      if (!matcher.matches() || Integer.parseInt(matcher.group(3)) > 65_535) {
        error("listen", "[ADDRESS]:PORT, such as :8080, 127.0.0.1:8080 or [::1]:8080, or 0");
        return Optional.empty();
      }
      int port = Integer.parseInt(matcher.group(3));
      String host =
          Optional.ofNullable(matcher.group(1))
              .or(() -> Optional.ofNullable(matcher.group(2)))
              .orElse("");
      return Optional.of(
          host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port));
    }

    Output output(Mode mode) {
      Optional<String> value = line.value("output");
      if (value.isPresent() && mode != Mode.DRY_RUN) {
        errors.add("--output belongs to --dry-run: add --dry-run, or leave --output out");
      }
      Optional<Output> output = Output.of(value.orElse(Output.DIFF.flag()));
      if (output.isEmpty()) {
        error("output", "diff, yaml or json");
      }
      return output.orElse(Output.DIFF);
    }

    Optional<String> sourceFile(Mode mode) {
      Optional<String> value = text("filename");
      if (value.isPresent() && mode != Mode.DRY_RUN) {
        errors.add("--filename belongs to --dry-run: add --dry-run, or leave --filename out");
      }
      return value;
    }
  }
}
