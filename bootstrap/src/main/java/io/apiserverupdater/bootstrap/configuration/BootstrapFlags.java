package io.apiserverupdater.bootstrap.configuration;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.address.DnsName;
import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.apiserver.flags.CommandLine;
import io.apiserverupdater.apiserver.flags.Completion;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.apiserver.flags.FlagSet;
import io.apiserverupdater.apiserver.flags.FlagType;
import io.apiserverupdater.apiserver.tls.PublicKeyHash;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Output;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Parsed;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Trust;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The flags of the bootstrap: what each takes, its default and its help. */
public final class BootstrapFlags {
  static final FlagSet FLAGS = new FlagSet();

  /** The configuration file that is read when it is there and no other is named. */
  static final Path CONFIG_FILE = Path.of("/etc/apiserver-bootstrap/bootstrap.conf");

  /** The authority's file that is used when it is there and nothing else is said. */
  static final Path AUTHORITY = Path.of("/etc/kubernetes/pki/ca.crt");

  private static final FlagType<String> HOSTNAME_TYPE =
      new FlagType<>("NAME", "a DNS name in lower-case letters, such as apiserver.cluster.local") {
        @Override
        public Optional<String> read(String text) {
          return DnsName.isLowerCaseName(text) && IpAddress.parse(text).isEmpty()
              ? Optional.of(text)
              : Optional.empty();
        }
      };

  private static final FlagType<InetAddress> CLUSTER_IP_TYPE =
      new FlagType<>(
          "IP",
          "an IP address without a port, such as 10.96.0.64;"
              + " kubectl -n kube-system get service apiserver shows it") {
        @Override
        public Optional<InetAddress> read(String text) {
          Optional<InetAddress> ip = IpAddress.parse(text);
          return ip.isPresent() && isOfAHost(ip.get()) ? ip : Optional.empty();
        }
      };

  /** As text: which port is meant without one, another flag says. */
  private static final FlagType<String> ADDRESS_TYPE =
      new FlagType<>("IP[:PORT]", "IP or IP:PORT") {
        @Override
        public Optional<String> read(String text) {
          return hostAddress(text, 1).isPresent() ? Optional.of(text) : Optional.empty();
        }
      };

  private static final FlagType<List<String>> HASHES_TYPE =
      new FlagType<>("sha256:HEX,...", "sha256: and 64 hexadecimal digits") {
        @Override
        public Optional<List<String>> read(String text) {
          List<String> hashes = new ArrayList<>();
          for (String item : text.split(",", -1)) {
            String hash = item.strip();
            if (!hash.startsWith("sha256:") || PublicKeyHash.parse(hash).isEmpty()) {
              return Optional.empty();
            }
            hashes.add(hash);
          }
          return Optional.of(hashes);
        }
      };

  private static final FlagType<String> UNIT_TYPE =
      new FlagType<>("UNIT", "the name of a systemd service, such as kubelet.service") {
        @Override
        public Optional<String> read(String text) {
          return text.matches("[A-Za-z0-9_][A-Za-z0-9:_.@\\\\-]*(?<!@)\\.service")
              ? Optional.of(text)
              : Optional.empty();
        }
      };

  private static final FlagType<Duration> TIME =
      FlagType.duration(Duration.ZERO, Duration.ofHours(24));

  static final Flag<String> HOSTNAME =
      FLAGS
          .flag("hostname", HOSTNAME_TYPE, "apiserver.cluster.local")
          .help(
              "The name that the kubelet and kube-proxy use for the apiserver. The apiservers'"
                  + " certificates must contain it.");

  static final Flag<List<String>> CONTROL_PLANE =
      FLAGS
          .optional("control-plane", FlagType.list("HOST[:PORT],..."), "")
          .help(
              "The control planes: IP addresses, or names that DNS knows. The addresses that"
                  + " refresh has read from the cluster are used as well.");

  static final Flag<InetAddress> CLUSTER_IP =
      FLAGS
          .optional("cluster-ip", CLUSTER_IP_TYPE, "")
          .help("The cluster IP of the Service apiserver.");

  static final Flag<Integer> PORT =
      FLAGS
          .flag("port", FlagType.number("PORT", 1, 65_535), "" + ApiserverAddress.DEFAULT_PORT)
          .help("The port of the Service, and of control planes listed without a port.");

  static final Flag<Path> CA_FILE =
      FLAGS
          .optional("ca-file", FlagType.path("FILE"), AUTHORITY + ", if it is there")
          .help("The CA that signs the apiservers' certificates, in PEM.");

  static final Flag<List<String>> CA_CERT_HASH =
      FLAGS
          .optional("ca-cert-hash", HASHES_TYPE, "")
          .help(
              "Instead of --ca-file: the hash of the CA's public key, in the format of kubeadm"
                  + " join.");

  static final Flag<Boolean> INSECURE_SKIP_TLS_VERIFY =
      FLAGS
          .off("insecure-skip-tls-verify")
          .help(
              "Do not verify certificates. An attacker on the network can then take over this"
                  + " node.");

  static final Flag<Path> HOSTS_FILE =
      FLAGS.flag("hosts-file", FlagType.path("FILE"), "/etc/hosts").help("The hosts file.");

  static final Flag<Path> STATE_DIR =
      FLAGS
          .flag("state-dir", FlagType.path("DIRECTORY"), "/var/lib/apiserver-bootstrap")
          .help("The directory for the list of control planes and the state.");

  static final Flag<Duration> TIMEOUT =
      FLAGS
          .flag("timeout", TIME, "30s")
          .help(
              "How long pin looks for a ready control plane, on a control plane at most 5s. The"
                  + " kubelet waits meanwhile; systemd stops the unit after 45s.");

  static final Flag<Duration> WAIT =
      FLAGS
          .optional("wait", TIME, "no limit")
          .help(
              "How long handover waits for the cluster IP. 0 is no limit. At most 5m if a control"
                  + " plane is given by name, or if the local apiserver had to be guessed.");

  static final Flag<Integer> RISE =
      FLAGS
          .flag("rise", FlagType.number("COUNT", 1, 100), "3")
          .help(
              "Consecutive new connections that must find the cluster IP ready before the name"
                  + " points at it.");

  static final Flag<Role> ROLE =
      FLAGS
          .flag("role", FlagType.choice(Role.values()), "worker")
          .help(
              "What this node is. worker: the name resolves to the cluster IP. control-plane: the"
                  + " name resolves to the local apiserver, or to a peer while the local one is not"
                  + " ready.");

  static final Flag<String> LOCAL_APISERVER =
      FLAGS
          .optional(
              "local-apiserver",
              ADDRESS_TYPE,
              "the control plane that is an address of this node, else 127.0.0.1")
          .help("The local apiserver, for --role control-plane.");

  static final Flag<Strategy> STRATEGY =
      FLAGS
          .flag("strategy", FlagType.choice(Strategy.values()), "hosts")
          .help(
              "How the name reaches an apiserver. hosts: it points at a control plane first and at"
                  + " the cluster IP later. nft: it always points at the cluster IP, and a kernel"
                  + " rule sends it to a control plane until kube-proxy has its rules.");

  static final Flag<Boolean> REMOVE_AFTER_HANDOVER =
      FLAGS
          .off("remove-after-handover")
          .help(
              "With --strategy nft: remove the rule at the hand-over. By default it stays as a"
                  + " fallback for kube-proxy's rules.");

  static final Flag<Path> KUBECONFIG =
      FLAGS
          .flag("kubeconfig", FlagType.path("FILE"), "/etc/kubernetes/kubelet.conf")
          .help(
              "The kubelet's kubeconfig, with which refresh reads the list. pin and handover use"
                  + " it where anonymous clients may not read /readyz.");

  static final Flag<String> KUBELET_UNIT =
      FLAGS
          .flag("kubelet-unit", UNIT_TYPE, "kubelet.service")
          .help(
              "The kubelet's unit. Set it in the configuration file, where systemd reads it too, and"
                  + " run systemctl daemon-reload.");

  static final Flag<String> KUBE_PROXY_UNIT =
      FLAGS
          .flag("kube-proxy-unit", UNIT_TYPE, "kube-proxy.service")
          .help("kube-proxy's unit, if it runs as one; to be set in the same way.");

  static final Flag<Boolean> ADOPT =
      FLAGS
          .off("adopt")
          .help(
              "Comment out another entry of the same name in the hosts file; restore brings it"
                  + " back.");

  static final Flag<Path> CONFIG =
      FLAGS
          .optional("config", FlagType.path("FILE"), CONFIG_FILE + ", if it is there")
          .help(
              "The configuration file: KEY = value. A key is the name of a flag above in capital"
                  + " letters with _ for -, such as CLUSTER_IP = 10.96.0.64. Flags on the command"
                  + " line take precedence.");

  static final Flag<Boolean> IF_CONFIGURED =
      FLAGS
          .off("if-configured")
          .help("Do nothing and exit with 0 if CONTROL_PLANE is not set. The units use this.");

  static final Flag<Duration> RETRY =
      FLAGS
          .optional(
              "retry", FlagType.duration(Duration.ofMillis(100), Duration.ofHours(24)), "never")
          .help(
              "With handover: after exit code 1 or 4 read the configuration again and start over,"
                  + " this long after the end. The unit uses this.");

  static final Flag<Boolean> DRY_RUN =
      FLAGS
          .off("dry-run")
          .help(
              "Show as a diff what would change in the hosts file, or with refresh in the list;"
                  + " write nothing. Exit codes: 0 nothing to change, 1 changes, 2 or more an"
                  + " error.");

  static final Flag<Output> OUTPUT =
      FLAGS
          .flag("output", FlagType.choice(Output.values()), "text")
          .letter('o')
          .help("Output format of check and status.");

  static final Flag<Boolean> HELP = FLAGS.off("help").letter('h').help("Print this and exit.");

  static final Flag<Boolean> VERSION = FLAGS.off("version").help("Print the version and exit.");

  private BootstrapFlags() {}

  /** An address that one host can have; with the port, or with the one given here. */
  static Optional<ApiserverAddress> hostAddress(String text, int port) {
    Optional<ApiserverAddress> address = ApiserverAddress.parse(text, port);
    return address.isPresent() && isOfAHost(address.get().ip()) ? address : Optional.empty();
  }

  private static boolean isOfAHost(InetAddress ip) {
    return !ip.isAnyLocalAddress() && !ip.isMulticastAddress();
  }

  /** Reads the command line, and the configuration file that it names or that is there. */
  public static Parsed parse(List<String> arguments) {
    if (arguments.indexOf(Completion.COMMAND) == 0) {
      return completion(arguments.subList(1, arguments.size()));
    }
    CommandLine line = CommandLine.parse(FLAGS, Command.words(), arguments);
    if (line.get(HELP)) {
      return new Parsed.Help();
    }
    if (line.get(VERSION)) {
      return new Parsed.Version();
    }
    ConfigFile.addTo(line);
    Command given = Command.of(line.command());
    checkCommand(line, given);
    // What is wrong with the file is told all the same.
    boolean passes = line.get(IF_CONFIGURED) && !line.isGiven(CONTROL_PLANE);
    Command command = passes ? Command.UNCONFIGURED : given;
    int port = line.get(PORT);
    Optional<InetAddress> clusterIp = line.given(CLUSTER_IP);
    Optional<Duration> wait = line.given(WAIT);
    Optional<String> local = line.given(LOCAL_APISERVER);
    BootstrapConfig config =
        new BootstrapConfig(
            command,
            line.get(HOSTNAME),
            controlPlanes(line, port, clusterIp),
            names(line, port),
            clusterIp,
            port,
            trust(line, command),
            line.get(HOSTS_FILE),
            line.get(STATE_DIR),
            line.get(TIMEOUT),
            wait.isPresent() && wait.get().isZero() ? Optional.empty() : wait,
            line.given(RETRY),
            line.get(RISE),
            line.get(ROLE),
            local.isPresent() ? hostAddress(local.get(), port) : Optional.empty(),
            line.get(STRATEGY),
            line.get(KUBECONFIG),
            line.get(KUBELET_UNIT),
            line.get(KUBE_PROXY_UNIT),
            line.get(ADOPT),
            line.get(REMOVE_AFTER_HANDOVER),
            line.get(DRY_RUN),
            line.get(OUTPUT));
    checkTogether(line, config);
    return line.errors().isEmpty() ? new Parsed.Run(config) : new Parsed.Invalid(line.errors());
  }

  private static Parsed completion(List<String> shell) {
    Map<String, String> commands = new LinkedHashMap<>();
    for (Command command : Command.values()) {
      if (!command.word().isEmpty()) {
        commands.put(command.word(), command.purpose());
      }
    }
    Optional<String> script =
        new Completion("apiserver-bootstrap", commands, FLAGS, List.of()).script(shell);
    return script.isPresent()
        ? new Parsed.Completion(script.get())
        : new Parsed.Invalid(List.of(Completion.EXPECTED));
  }

  private static List<ApiserverAddress> controlPlanes(
      CommandLine line, int port, Optional<InetAddress> clusterIp) {
    List<ApiserverAddress> found = new ArrayList<>();
    String origin = line.origin(CONTROL_PLANE);
    for (String item : line.given(CONTROL_PLANE).orElse(List.of())) {
      Optional<ApiserverAddress> address = hostAddress(item, port);
      if (address.isEmpty() && named(item, port).isPresent()) {
        continue;
      }
      if (address.isEmpty()) {
        line.error(
            """
            %s holds "%s", expected IP or IP:PORT, separated by commas, such as \
            10.0.0.1,10.0.0.2:6444,[fd00::1]:6443, or a DNS name in the place of an IP"""
                .formatted(origin, item));
      } else if (clusterIp.equals(Optional.of(address.get().ip()))) {
        line.error(
            """
            %s holds %s, which is the cluster IP, expected the control planes' own addresses: the \
            cluster IP does not work while a node boots"""
                .formatted(origin, item));
      } else if (!found.contains(address.get())) {
        found.add(address.get());
      }
    }
    return found;
  }

  /** The control planes that are given by name. */
  private static List<String> names(CommandLine line, int port) {
    List<String> names = new ArrayList<>();
    for (String item : line.given(CONTROL_PLANE).orElse(List.of())) {
      named(item, port).filter(name -> !names.contains(name)).ifPresent(names::add);
    }
    return names;
  }

  /** {@code HOST:PORT}; a name whose last label has no letter is an address with a typo. */
  private static Optional<String> named(String item, int port) {
    int colon = item.indexOf(':');
    String host = colon < 0 ? item : item.substring(0, colon);
    String digits = colon < 0 ? "" + port : item.substring(colon + 1);
    return DnsName.isName(host)
            && host.matches(".*[A-Za-z][A-Za-z0-9-]*")
            && ApiserverAddress.parse("0.0.0.0:" + digits, port).isPresent()
        ? Optional.of(host + ":" + digits)
        : Optional.empty();
  }

  private static Optional<Trust> trust(CommandLine line, Command command) {
    List<String> given = new ArrayList<>();
    boolean insecure = line.get(INSECURE_SKIP_TLS_VERIFY);
    for (Flag<?> flag : List.of(CA_FILE, CA_CERT_HASH)) {
      if (line.isGiven(flag)) {
        given.add(line.origin(flag));
      }
    }
    if (insecure) {
      given.add(line.origin(INSECURE_SKIP_TLS_VERIFY));
    }
    if (given.size() > 1) {
      line.error(String.join(" and ", given) + " exclude each other: use one of them");
    }
    if (insecure) {
      return Optional.of(new Trust.Anybody());
    }
    Optional<List<String>> hashes = line.given(CA_CERT_HASH);
    if (hashes.isPresent()) {
      return Optional.of(new Trust.AuthorityHashes(hashes.get()));
    }
    Optional<Path> authority = line.given(CA_FILE);
    if (authority.isPresent()) {
      if (command.probes()
          && (Files.isDirectory(authority.get()) || !Files.isReadable(authority.get()))) {
        line.wrong(CA_FILE, "a PEM file that can be read");
      }
      return Optional.of(new Trust.Authority(authority.get()));
    }
    if (Files.isReadable(AUTHORITY)) {
      return Optional.of(new Trust.Authority(AUTHORITY));
    }
    if (command.probes() && given.isEmpty()) {
      line.error(
          """
          no CA is configured, and %s cannot be read: use --ca-file, or --ca-cert-hash (openssl \
          x509 -pubkey -in ca.crt | openssl pkey -pubin -outform der | sha256sum, on a control \
          plane)"""
              .formatted(AUTHORITY));
    }
    return Optional.empty();
  }

  private static void checkTogether(CommandLine line, BootstrapConfig config) {
    Command command = config.command();
    if (config.hostname().equals("localhost") || config.hostname().endsWith(".localhost")) {
      line.wrong(HOSTNAME, "another name: this one is the node's own");
    }
    for (String name : config.controlPlaneNames()) {
      if (name.startsWith(config.hostname() + ":")) {
        line.wrong(CONTROL_PLANE, "the control planes themselves: this name is what they are for");
      }
      if (config.strategy() == Strategy.HOSTS && !name.endsWith(":" + config.port())) {
        line.wrong(CONTROL_PLANE, "port " + config.port() + ", or strategy nft");
      }
    }
    if (config.timeout().isZero()) {
      line.wrong(TIMEOUT, "more than 0");
    }
    if (command.probes() || command == Command.REFRESH) {
      need(line, CONTROL_PLANE, "the addresses of the control planes, such as 10.0.0.1,10.0.0.2");
    }
    boolean handsOver =
        config.role() == Role.WORKER && (command == Command.RUN || command == Command.HANDOVER);
    if (handsOver || (command.probes() && config.strategy() == Strategy.NFT)) {
      need(line, CLUSTER_IP, "the cluster IP of the Service apiserver, such as 10.96.0.64");
    }
    if (config.localApiserver().isPresent() && config.role() == Role.WORKER) {
      line.error(
          line.origin(LOCAL_APISERVER) + " needs role control-plane; remove it, or set that role");
    }
    if (config.strategy() == Strategy.NFT && config.role() == Role.CONTROL_PLANE) {
      line.error(
          line.origin(STRATEGY)
              + " is nft, which is for workers only; expected hosts with role control-plane");
    }
    if (config.strategy() == Strategy.HOSTS) {
      for (ApiserverAddress address : config.controlPlanes()) {
        checkPort(line, CONTROL_PLANE, address, config.port());
      }
      if (config.localApiserver().isPresent()) {
        checkPort(line, LOCAL_APISERVER, config.localApiserver().get(), config.port());
      }
    }
    if (config.removeAfterHandover() && config.strategy() == Strategy.HOSTS) {
      line.error(
          line.origin(REMOVE_AFTER_HANDOVER)
              + " needs strategy nft: hosts has no rule to remove; remove it, or choose nft");
    }
  }

  private static void checkCommand(CommandLine line, Command command) {
    if (line.get(DRY_RUN) && !command.writes()) {
      line.error("--dry-run: " + command.word() + " writes nothing; remove --dry-run");
    }
    if (line.isGiven(OUTPUT) && command != Command.CHECK && command != Command.STATUS) {
      line.error("--output is for check and status only; remove --output");
    }
    if (line.get(IF_CONFIGURED)
        && command != Command.PIN
        && command != Command.HANDOVER
        && command != Command.REFRESH) {
      line.error("--if-configured is for pin, handover and refresh only; remove --if-configured");
    }
    if (line.isGiven(RETRY) && (command != Command.HANDOVER || line.get(DRY_RUN))) {
      line.error("--retry is for handover only, without --dry-run; remove --retry");
    }
  }

  private static void checkPort(
      CommandLine line, Flag<?> flag, ApiserverAddress address, int port) {
    if (address.port() != port) {
      line.error(
          """
          %s holds %s, expected port %d: with strategy hosts all programs dial the port of --port; \
          remove this port, or choose strategy nft"""
              .formatted(line.origin(flag), address, port));
    }
  }

  private static void need(CommandLine line, Flag<?> flag, String what) {
    if (!line.isGiven(flag)) {
      line.error(
          "--%s is missing, expected %s; use the flag, or %s in the configuration file"
              .formatted(flag.name(), what, ConfigFile.keyOf(flag.name())));
    }
  }
}
