package io.apiserverupdater.bootstrap.configuration;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.flags.CommandLine;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the command line and the configuration file ask for.
 *
 * @param hostname the name that all components of the node use
 * @param controlPlanes the configured ones, without repetition
 * @param clusterIp of the Service; empty where the command can do without
 * @param port of the Service, and of control planes that are given without one
 * @param trust whom to believe that it is an apiserver; empty where nothing was given or found
 * @param timeout how long to look for a control plane that is ready
 * @param waitLimit how long to wait for the clusterIP; empty for no limit
 * @param rise how many answers in a row count as working
 * @param localApiserver on a control plane, the apiserver of this node; found out when empty
 */
public record BootstrapConfig(
    Command command,
    String hostname,
    List<ApiserverAddress> controlPlanes,
    Optional<InetAddress> clusterIp,
    int port,
    Optional<Trust> trust,
    Path hostsFile,
    Path stateDir,
    Duration timeout,
    Optional<Duration> waitLimit,
    int rise,
    Role role,
    Optional<ApiserverAddress> localApiserver,
    Strategy strategy,
    Path kubeconfig,
    boolean adopt,
    boolean removeAfterHandover,
    boolean dryRun,
    Output output) {

  /** How {@code status} and {@code check} print. */
  public enum Output {
    TEXT,
    JSON
  }

  /** By what an apiserver proves who it is. */
  public sealed interface Trust {
    /** Its certificate is signed by an authority in this PEM file. */
    record Authority(Path file) implements Trust {}

    /** Its certificate is signed by an authority with one of these {@code sha256:HEX}. */
    record AuthorityHashes(List<String> hashes) implements Trust {}

    /** Nothing: whoever answers is believed. */
    record Anybody() implements Trust {}
  }

  /** What a command line amounts to. */
  public sealed interface Parsed {
    record Run(BootstrapConfig config) implements Parsed {}

    record Help() implements Parsed {}

    record Version() implements Parsed {}

    /** All that is wrong with it. */
    record Invalid(List<String> errors) implements Parsed {}
  }

  /** Reads the command line, and the configuration file that it names or that is there. */
  public static Parsed parse(List<String> arguments) {
    CommandLine line = CommandLine.parse(BootstrapFlags.ALL, Command.words(), arguments);
    if (line.get(BootstrapFlags.HELP)) {
      return new Parsed.Help();
    }
    if (line.get(BootstrapFlags.VERSION)) {
      return new Parsed.Version();
    }
    ConfigFile.addTo(line);
    Command command = Command.of(line.command());
    int port = line.get(BootstrapFlags.PORT);
    Optional<InetAddress> clusterIp = line.given(BootstrapFlags.CLUSTER_IP);
    Optional<Duration> wait = line.given(BootstrapFlags.WAIT);
    Optional<String> local = line.given(BootstrapFlags.LOCAL_APISERVER);
    BootstrapConfig config =
        new BootstrapConfig(
            command,
            line.get(BootstrapFlags.HOSTNAME),
            controlPlanes(line, port, clusterIp),
            clusterIp,
            port,
            trust(line, command),
            line.get(BootstrapFlags.HOSTS_FILE),
            line.get(BootstrapFlags.STATE_DIR),
            line.get(BootstrapFlags.TIMEOUT),
            wait.isPresent() && wait.get().isZero() ? Optional.empty() : wait,
            line.get(BootstrapFlags.RISE),
            line.get(BootstrapFlags.ROLE),
            local.isPresent() ? BootstrapFlags.hostAddress(local.get(), port) : Optional.empty(),
            line.get(BootstrapFlags.STRATEGY),
            line.get(BootstrapFlags.KUBECONFIG),
            line.get(BootstrapFlags.ADOPT),
            line.get(BootstrapFlags.REMOVE_AFTER_HANDOVER),
            line.get(BootstrapFlags.DRY_RUN),
            line.get(BootstrapFlags.OUTPUT));
    config.checkTogether(line);
    return line.errors().isEmpty() ? new Parsed.Run(config) : new Parsed.Invalid(line.errors());
  }

  private static List<ApiserverAddress> controlPlanes(
      CommandLine line, int port, Optional<InetAddress> clusterIp) {
    List<ApiserverAddress> found = new ArrayList<>();
    Optional<List<String>> items = line.given(BootstrapFlags.CONTROL_PLANE);
    if (items.isEmpty()) {
      return found;
    }
    String origin = line.origin(BootstrapFlags.CONTROL_PLANE);
    for (String item : items.get()) {
      Optional<ApiserverAddress> address = BootstrapFlags.hostAddress(item, port);
      if (address.isEmpty()) {
        line.error(
            origin
                + " holds \""
                + item
                + "\", expected IP or IP:PORT, separated by commas, such as"
                + " 10.0.0.1,10.0.0.2:6444,[fd00::1]:6443");
      } else if (clusterIp.equals(Optional.of(address.get().ip()))) {
        line.error(
            origin
                + " holds "
                + item
                + ", which is the cluster IP, expected the control planes' own addresses: the"
                + " cluster IP does not work while a node boots");
      } else if (!found.contains(address.get())) {
        found.add(address.get());
      }
    }
    return found;
  }

  private static Optional<Trust> trust(CommandLine line, Command command) {
    List<String> given = new ArrayList<>();
    boolean insecure = line.get(BootstrapFlags.INSECURE_SKIP_TLS_VERIFY);
    for (Flag<?> flag : List.of(BootstrapFlags.CA_FILE, BootstrapFlags.CA_CERT_HASH)) {
      if (line.isGiven(flag)) {
        given.add(line.origin(flag));
      }
    }
    if (insecure) {
      given.add(line.origin(BootstrapFlags.INSECURE_SKIP_TLS_VERIFY));
    }
    if (given.size() > 1) {
      line.error(String.join(" and ", given) + " exclude each other: use one of them");
    }
    if (insecure) {
      return Optional.of(new Trust.Anybody());
    }
    Optional<List<String>> hashes = line.given(BootstrapFlags.CA_CERT_HASH);
    if (hashes.isPresent()) {
      return Optional.of(new Trust.AuthorityHashes(hashes.get()));
    }
    Optional<Path> authority = line.given(BootstrapFlags.CA_FILE);
    if (authority.isPresent()) {
      if (command.probes() && !Files.isReadable(authority.get())) {
        line.wrong(BootstrapFlags.CA_FILE, "a PEM file that can be read");
      }
      return Optional.of(new Trust.Authority(authority.get()));
    }
    if (Files.isReadable(BootstrapFlags.AUTHORITY)) {
      return Optional.of(new Trust.Authority(BootstrapFlags.AUTHORITY));
    }
    if (command.probes() && given.isEmpty()) {
      line.error(
          "no CA is configured, and "
              + BootstrapFlags.AUTHORITY
              + " cannot be read: use --ca-file, or --ca-cert-hash (openssl x509 -pubkey -in"
              + " ca.crt | openssl pkey -pubin -outform der | sha256sum, on a control plane)");
    }
    return Optional.empty();
  }

  private void checkTogether(CommandLine line) {
    if (hostname.equals("localhost") || hostname.endsWith(".localhost")) {
      line.wrong(BootstrapFlags.HOSTNAME, "another name: this one is the node's own");
    }
    if (timeout.isZero()) {
      line.wrong(BootstrapFlags.TIMEOUT, "more than 0");
    }
    if (command.probes() || command == Command.REFRESH) {
      need(
          line,
          BootstrapFlags.CONTROL_PLANE,
          "the addresses of the control planes, such as 10.0.0.1,10.0.0.2");
    }
    boolean handsOver =
        role == Role.WORKER && (command == Command.RUN || command == Command.HANDOVER);
    if (handsOver || (command.probes() && strategy == Strategy.NFT)) {
      need(
          line,
          BootstrapFlags.CLUSTER_IP,
          "the cluster IP of the Service apiserver, such as 10.96.0.64");
    }
    if (localApiserver.isPresent() && role == Role.WORKER) {
      line.error(
          line.origin(BootstrapFlags.LOCAL_APISERVER)
              + " needs role control-plane; remove it, or set that role");
    }
    if (strategy == Strategy.NFT && role == Role.CONTROL_PLANE) {
      line.error(
          line.origin(BootstrapFlags.STRATEGY)
              + " is nft, which is for workers only; expected hosts with role control-plane");
    }
    if (strategy == Strategy.HOSTS) {
      for (ApiserverAddress address : controlPlanes) {
        checkPort(line, BootstrapFlags.CONTROL_PLANE, address);
      }
      if (localApiserver.isPresent()) {
        checkPort(line, BootstrapFlags.LOCAL_APISERVER, localApiserver.get());
      }
    }
    if (removeAfterHandover && strategy == Strategy.HOSTS) {
      line.error(
          line.origin(BootstrapFlags.REMOVE_AFTER_HANDOVER)
              + " needs strategy nft: hosts has no rule to remove; remove it, or choose nft");
    }
    if (dryRun && !command.writes()) {
      line.error("--dry-run: " + command.word() + " writes nothing; remove --dry-run");
    }
    if (line.isGiven(BootstrapFlags.OUTPUT)
        && command != Command.CHECK
        && command != Command.STATUS) {
      line.error("--output is for check and status only; remove --output");
    }
  }

  private void checkPort(CommandLine line, Flag<?> flag, ApiserverAddress address) {
    if (address.port() != port) {
      line.error(
          line.origin(flag)
              + " holds "
              + address
              + ", expected port "
              + port
              + ": with strategy hosts all programs dial the port of --port; remove this port,"
              + " or choose strategy nft");
    }
  }

  private static void need(CommandLine line, Flag<?> flag, String what) {
    if (!line.isGiven(flag)) {
      line.error(
          "--"
              + flag.name()
              + " is missing, expected "
              + what
              + "; use the flag, or "
              + ConfigFile.keyOf(flag.name())
              + " in the configuration file");
    }
  }

  /** The cluster IP with the port of the Service. */
  public Optional<ApiserverAddress> service() {
    return clusterIp.isPresent()
        ? Optional.of(new ApiserverAddress(clusterIp.get(), port))
        : Optional.empty();
  }
}
