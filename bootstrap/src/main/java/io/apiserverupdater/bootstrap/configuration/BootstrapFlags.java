package io.apiserverupdater.bootstrap.configuration;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.address.ApiserverPort;
import io.apiserverupdater.apiserver.address.DnsName;
import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.apiserver.flags.Flag;
import io.apiserverupdater.apiserver.flags.FlagType;
import io.apiserverupdater.apiserver.tls.PublicKeyHash;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Output;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The flags of the bootstrap: what each takes, its default and its help. */
final class BootstrapFlags {
  /** The configuration file that is read when it is there and no other is named. */
  static final Path CONFIG_FILE = Path.of("/etc/apiserver-bootstrap/bootstrap.conf");

  /** The authority's file that is used when it is there and nothing else is said. */
  static final Path AUTHORITY = Path.of("/etc/kubernetes/pki/ca.crt");

  private static final FlagType<Duration> TIME =
      new FlagType.Time(Duration.ZERO, Duration.ofHours(24));

  static final Flag<String> HOSTNAME =
      Flag.of(
          "hostname",
          new Hostname(),
          "apiserver.cluster.local",
          "The name that the kubelet and kube-proxy use for the apiserver. The apiservers'"
              + " certificates must contain it.");

  static final Flag<List<String>> CONTROL_PLANE =
      Flag.optional(
          "control-plane",
          new FlagType.Items("IP[:PORT],..."),
          "",
          "The control planes. The addresses that refresh has read from the cluster are used"
              + " as well.");

  static final Flag<InetAddress> CLUSTER_IP =
      Flag.optional("cluster-ip", new ClusterIp(), "", "The cluster IP of the Service apiserver.");

  static final Flag<Integer> PORT =
      Flag.of(
          "port",
          new FlagType.Number("PORT", 1, 65_535),
          String.valueOf(ApiserverPort.DEFAULT),
          "The port of the Service, and of control planes listed without a port.");

  static final Flag<Path> CA_FILE =
      Flag.optional(
          "ca-file",
          new FlagType.File("FILE"),
          AUTHORITY + ", if it is there",
          "The CA that signs the apiservers' certificates, in PEM.");

  static final Flag<List<String>> CA_CERT_HASH =
      Flag.optional(
          "ca-cert-hash",
          new Hashes(),
          "",
          "Instead of --ca-file: the hash of the CA's public key, in the format of kubeadm join.");

  static final Flag<Boolean> INSECURE_SKIP_TLS_VERIFY =
      Flag.off(
          "insecure-skip-tls-verify",
          "Do not verify certificates. An attacker on the network can then take over this node.");

  static final Flag<Path> HOSTS_FILE =
      Flag.of("hosts-file", new FlagType.File("FILE"), "/etc/hosts", "The hosts file.");

  static final Flag<Path> STATE_DIR =
      Flag.of(
          "state-dir",
          new FlagType.File("DIRECTORY"),
          "/var/lib/apiserver-bootstrap",
          "The directory for the list of control planes and the state.");

  static final Flag<Duration> TIMEOUT =
      Flag.of(
          "timeout",
          TIME,
          "30s",
          "How long pin looks for a ready control plane. The kubelet is delayed no longer than"
              + " this.");

  static final Flag<Duration> WAIT =
      Flag.optional(
          "wait", TIME, "no limit", "How long handover waits for the cluster IP. 0 is no limit.");

  static final Flag<Integer> RISE =
      Flag.of(
          "rise",
          new FlagType.Number("COUNT", 1, 100),
          "3",
          "Consecutive new connections that must find the cluster IP ready before the name points"
              + " at it.");

  static final Flag<Role> ROLE =
      Flag.of(
          "role",
          new FlagType.Choice<>(Role.values()),
          "worker",
          "worker: the name resolves to the cluster IP. control-plane: the name resolves to the"
              + " local apiserver, or to a peer while the local one is not ready.");

  static final Flag<String> LOCAL_APISERVER =
      Flag.optional(
          "local-apiserver",
          new HostAddress(),
          "the control plane that is an address of this node, else 127.0.0.1",
          "The local apiserver, for --role control-plane.");

  static final Flag<Strategy> STRATEGY =
      Flag.of(
          "strategy",
          new FlagType.Choice<>(Strategy.values()),
          "hosts",
          "hosts: the name points at a control plane first and at the cluster IP later. nft: the"
              + " name always points at the cluster IP, and a kernel rule leads it to a control"
              + " plane until kube-proxy has its rules.");

  static final Flag<Boolean> REMOVE_AFTER_HANDOVER =
      Flag.off(
          "remove-after-handover",
          "With --strategy nft: remove the rule at the hand-over. By default it stays as a"
              + " fallback for kube-proxy's rules.");

  static final Flag<Path> KUBECONFIG =
      Flag.of(
          "kubeconfig",
          new FlagType.File("FILE"),
          "/etc/kubernetes/kubelet.conf",
          "The kubelet's kubeconfig, with which refresh reads the list.");

  static final Flag<Boolean> ADOPT =
      Flag.off(
          "adopt",
          "Comment out another entry of the same name in the hosts file; restore brings it back.");

  static final Flag<Path> CONFIG =
      Flag.optional(
          "config",
          new FlagType.File("FILE"),
          CONFIG_FILE + ", if it is there",
          "The configuration file: KEY = value. A key is the name of a flag above in capital"
              + " letters with _ for -, such as CLUSTER_IP = 10.96.0.64. Flags on the command line"
              + " take precedence.");

  static final Flag<Boolean> DRY_RUN =
      Flag.off(
          "dry-run",
          "Show as a diff what would change in the hosts file; write nothing. Exit codes: 0"
              + " nothing to change, 1 changes, 2 or more an error.");

  static final Flag<Output> OUTPUT =
      Flag.of(
              "output",
              new FlagType.Choice<>(Output.values()),
              "text",
              "Output format of check and status.")
          .withLetter('o');

  static final Flag<Boolean> HELP = Flag.off("help", "Print this and exit.").withLetter('h');

  static final Flag<Boolean> VERSION = Flag.off("version", "Print the version and exit.");

  /** All of them, in the order of the help. */
  static final List<Flag<?>> ALL =
      List.of(
          HOSTNAME,
          CONTROL_PLANE,
          CLUSTER_IP,
          PORT,
          CA_FILE,
          CA_CERT_HASH,
          INSECURE_SKIP_TLS_VERIFY,
          HOSTS_FILE,
          STATE_DIR,
          TIMEOUT,
          WAIT,
          RISE,
          ROLE,
          LOCAL_APISERVER,
          STRATEGY,
          REMOVE_AFTER_HANDOVER,
          KUBECONFIG,
          ADOPT,
          CONFIG,
          DRY_RUN,
          OUTPUT,
          HELP,
          VERSION);

  private BootstrapFlags() {}

  /** Those that the configuration file takes as well. */
  static List<Flag<?>> ofTheFile() {
    List<Flag<?>> flags = new ArrayList<>(ALL);
    flags.removeAll(List.of(CONFIG, DRY_RUN, OUTPUT, HELP, VERSION));
    return flags;
  }

  /** An address that one host can have; with the port, or with the one given here. */
  static Optional<ApiserverAddress> hostAddress(String text, int port) {
    Optional<ApiserverAddress> address = ApiserverAddress.parse(text, port);
    return address.isPresent() && isOfAHost(address.get().ip()) ? address : Optional.empty();
  }

  private static boolean isOfAHost(InetAddress ip) {
    return !ip.isAnyLocalAddress() && !ip.isMulticastAddress();
  }

  private record Hostname() implements FlagType<String> {
    @Override
    public String argument() {
      return "NAME";
    }

    @Override
    public String expected() {
      return "a DNS name in lower-case letters, such as apiserver.cluster.local";
    }

    @Override
    public Optional<String> read(String text) {
      return DnsName.isLowerCaseName(text) && IpAddress.parse(text).isEmpty()
          ? Optional.of(text)
          : Optional.empty();
    }
  }

  private record ClusterIp() implements FlagType<InetAddress> {
    @Override
    public String argument() {
      return "IP";
    }

    @Override
    public String expected() {
      return "an IP address without a port, such as 10.96.0.64;"
          + " kubectl -n kube-system get service apiserver shows it";
    }

    @Override
    public Optional<InetAddress> read(String text) {
      Optional<InetAddress> ip = IpAddress.parse(text);
      return ip.isPresent() && isOfAHost(ip.get()) ? ip : Optional.empty();
    }
  }

  /** As text: which port is meant without one, another flag says. */
  private record HostAddress() implements FlagType<String> {
    @Override
    public String argument() {
      return "IP[:PORT]";
    }

    @Override
    public String expected() {
      return "IP or IP:PORT";
    }

    @Override
    public Optional<String> read(String text) {
      return hostAddress(text, 1).isPresent() ? Optional.of(text) : Optional.empty();
    }
  }

  private record Hashes() implements FlagType<List<String>> {
    @Override
    public String argument() {
      return "sha256:HEX,...";
    }

    @Override
    public String expected() {
      return "sha256: and 64 hexadecimal digits";
    }

    @Override
    public Optional<List<String>> read(String text) {
      List<String> hashes = FlagType.Items.split(text);
      for (String hash : hashes) {
        if (!hash.startsWith("sha256:") || PublicKeyHash.parse(hash).isEmpty()) {
          return Optional.empty();
        }
      }
      return Optional.of(hashes);
    }
  }
}
