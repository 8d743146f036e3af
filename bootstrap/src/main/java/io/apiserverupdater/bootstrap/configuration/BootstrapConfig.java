package io.apiserverupdater.bootstrap.configuration;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.flags.CommandLine;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
 * @param waitLimit how long to wait for the clusterIP; empty for ever
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

  private static final String DEFAULT_CONFIG = "/etc/apiserver-bootstrap/bootstrap.conf";
  private static final String DEFAULT_CA = "/etc/kubernetes/pki/ca.crt";

  static final List<Flag> FLAGS =
      List.of(
          Flag.of(
              "hostname",
              "NAME",
              "apiserver.cluster.local",
              "The name that kubelet and kube-proxy use for the apiserver. It must be in the"
                  + " apiservers' certificates."),
          Flag.of(
              "control-plane",
              "IP[:PORT],...",
              "",
              "The control planes. The addresses that refresh has read from the cluster are tried"
                  + " besides."),
          Flag.of("cluster-ip", "IP", "", "The cluster IP of the Service apiserver."),
          Flag.of(
              "port",
              "PORT",
              "6443",
              "The port of the Service, and of control planes that are given without one."),
          Flag.of(
              "ca-file",
              "FILE",
              DEFAULT_CA + ", if it is there",
              "The authority that signs the apiservers' certificates, in PEM."),
          Flag.of(
              "ca-cert-hash",
              "sha256:HEX,...",
              "",
              "Instead of --ca-file: the hash of the authority's public key, as kubeadm join takes"
                  + " it."),
          Flag.of(
              "insecure-skip-tls-verify",
              "",
              "",
              "Believe whoever answers at a control plane's address. Anybody in between can then"
                  + " take this node over."),
          Flag.of("hosts-file", "FILE", "/etc/hosts", "The file in which the name is kept."),
          Flag.of(
              "state-dir",
              "DIRECTORY",
              "/var/lib/apiserver-bootstrap",
              "Where the cached list of control planes and the state are kept."),
          Flag.of(
              "timeout",
              "DURATION",
              "30s",
              "How long pin looks for a control plane that is ready. It holds the kubelet for no"
                  + " longer than this."),
          Flag.of(
              "wait",
              "DURATION",
              "for ever",
              "How long handover waits for the cluster IP. 0 is for ever."),
          Flag.of(
              "rise",
              "COUNT",
              "3",
              "How many new connections in a row must find the cluster IP ready before the name"
                  + " points at it."),
          Flag.of(
              "role",
              "worker|control-plane",
              "worker",
              "On a control plane the name ends up at the node's own apiserver, and at another one"
                  + " only while the own is not ready."),
          Flag.of(
              "local-apiserver",
              "IP[:PORT]",
              "the control plane that is an address of this node, else 127.0.0.1",
              "The node's own apiserver, for --role control-plane."),
          Flag.of(
              "strategy",
              "hosts|nft",
              "hosts",
              "hosts: the name points at a control plane first and at the cluster IP later. nft:"
                  + " it points at the cluster IP from the start, and a rule in the kernel leads"
                  + " there until kube-proxy's do."),
          Flag.of(
              "remove-after-handover",
              "",
              "",
              "With --strategy nft: take the rule out at the hand-over, instead of leaving it as"
                  + " a net under kube-proxy's rules."),
          Flag.of(
              "kubeconfig",
              "FILE",
              "/etc/kubernetes/kubelet.conf",
              "The kubelet's kubeconfig, with which refresh reads the list."),
          Flag.of(
              "adopt",
              "",
              "",
              "Comment out an entry of the same name that somebody else wrote into the hosts file;"
                  + " restore brings it back."),
          Flag.of(
              "config",
              "FILE",
              DEFAULT_CONFIG + ", if it is there",
              "The configuration file: KEY = value, with the names of the flags above in capital"
                  + " letters and _ for -, such as CLUSTER_IP = 10.96.0.64. A flag goes over it."),
          Flag.of(
              "dry-run",
              "",
              "",
              "Show as a diff what would become of the hosts file; write nothing. Exit codes: 0"
                  + " nothing to change, 1 changes, 2 or more an error."),
          Flag.withLetter('o', "output", "text|json", "text", "How check and status print."),
          Flag.withLetter('h', "help", "", "", "Print this and exit."),
          Flag.of("version", "", "", "Print the version and exit."));

  private static final List<String> ONLY_FLAGS =
      List.of("config", "dry-run", "output", "help", "version");

  /** Reads the command line, and the configuration file that it names or that is there. */
  public static Parsed parse(List<String> arguments) {
    CommandLine line = CommandLine.parse(FLAGS, Command.words(), arguments);
    List<String> errors = new ArrayList<>(line.errors());
    if (line.value("help").orElse("").equals("true")) {
      return new Parsed.Help();
    }
    if (line.value("version").orElse("").equals("true")) {
      return new Parsed.Version();
    }
    Map<String, Setting> settings = fromFile(line.value("config"), errors);
    for (Flag flag : FLAGS) {
      Optional<String> value = line.value(flag.name());
      if (value.isPresent()) {
        settings.put(flag.name(), new Setting("--" + flag.name(), value.get()));
      }
    }
    Command command = Command.of(line.command());
    BootstrapConfig config = new SettingReader(settings, errors).read(command);
    return errors.isEmpty() ? new Parsed.Run(config) : new Parsed.Invalid(errors);
  }

  private static Map<String, Setting> fromFile(Optional<String> given, List<String> errors) {
    Path file = Path.of(given.orElse(DEFAULT_CONFIG));
    try {
      List<String> keys = new ArrayList<>();
      for (Flag flag : FLAGS) {
        if (!ONLY_FLAGS.contains(flag.name())) {
          keys.add(flag.name());
        }
      }
      return ConfigFile.read(file.toString(), Files.readAllBytes(file), keys, errors);
    } catch (NoSuchFileException e) {
      if (given.isPresent()) {
        errors.add("--config: there is no file " + file);
      }
    } catch (IOException e) {
      errors.add("cannot read the configuration file " + file + ": " + e);
    }
    return new LinkedHashMap<>();
  }

  /** The cluster IP with the port of the Service. */
  public Optional<ApiserverAddress> service() {
    return clusterIp.isPresent()
        ? Optional.of(new ApiserverAddress(clusterIp.get(), port))
        : Optional.empty();
  }

  /** The authority's file that is used when nothing else is said. */
  static Path defaultAuthority() {
    return Path.of(DEFAULT_CA);
  }
}
