package io.apiserverupdater.bootstrap.configuration;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.tls.PublicKeyHash;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Output;
import io.apiserverupdater.bootstrap.configuration.BootstrapConfig.Trust;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The values of the settings, each checked; what is wrong is added to the errors. */
record SettingReader(Map<String, Setting> settings, List<String> errors) {
  private static final int PORT = 6443;
  private static final int MOST_IN_A_ROW = 100;

  /** Reads everything; the result counts only when there is no error. */
  BootstrapConfig read(Command command) {
    int port = number("port", PORT, 1, 65_535);
    Optional<InetAddress> clusterIp = clusterIp();
    List<ApiserverAddress> controlPlanes = controlPlanes(port, clusterIp);
    Role role = choice("role", "worker", "control-plane") == 0 ? Role.WORKER : Role.CONTROL_PLANE;
    Strategy strategy = choice("strategy", "hosts", "nft") == 0 ? Strategy.HOSTS : Strategy.NFT;
    BootstrapConfig config =
        new BootstrapConfig(
            command,
            hostname(),
            controlPlanes,
            clusterIp,
            port,
            trust(command),
            file("hosts-file", "/etc/hosts"),
            file("state-dir", "/var/lib/apiserver-bootstrap"),
            duration("timeout").orElse(Duration.ofSeconds(30)),
            waitLimit(),
            number("rise", 3, 1, MOST_IN_A_ROW),
            role,
            localApiserver(port, role),
            strategy,
            file("kubeconfig", "/etc/kubernetes/kubelet.conf"),
            flag("adopt"),
            flag("remove-after-handover"),
            flag("dry-run"),
            choice("output", "text", "json") == 0 ? Output.TEXT : Output.JSON);
    checkTogether(config);
    return config;
  }

  private void checkTogether(BootstrapConfig config) {
    Command command = config.command();
    if ((command.probes() || command == Command.REFRESH)
        && !settings.containsKey("control-plane")) {
      missing("control-plane", "the addresses of the control planes, such as 10.0.0.1,10.0.0.2");
    }
    boolean needsClusterIp =
        config.role() == Role.WORKER && (command == Command.RUN || command == Command.HANDOVER);
    if ((needsClusterIp || (command.probes() && config.strategy() == Strategy.NFT))
        && !settings.containsKey("cluster-ip")) {
      missing("cluster-ip", "the cluster IP of the Service apiserver, such as 10.96.0.64");
    }
    if (config.timeout().isZero()) {
      error("timeout", "more than 0");
    }
    if (config.strategy() == Strategy.NFT && config.role() == Role.CONTROL_PLANE) {
      errors.add(
          origin("strategy")
              + " is nft, which is for workers: a control plane's name points at its own"
              + " apiserver, not at the cluster IP; expected hosts with role control-plane");
    }
    if (config.strategy() == Strategy.HOSTS) {
      checkPorts("control-plane", config.controlPlanes(), config.port());
      if (config.localApiserver().isPresent()) {
        checkPorts("local-apiserver", List.of(config.localApiserver().get()), config.port());
      }
    }
    if (config.removeAfterHandover() && config.strategy() == Strategy.HOSTS) {
      errors.add(
          origin("remove-after-handover")
              + " belongs to strategy nft: hosts has no rule to remove; leave it out, or choose nft");
    }
    if (config.dryRun() && !command.writes()) {
      errors.add("--dry-run: " + command.word() + " writes nothing; leave --dry-run out");
    }
    if (settings.containsKey("output") && command != Command.CHECK && command != Command.STATUS) {
      errors.add("--output belongs to check and status; leave --output out");
    }
  }

  private void checkPorts(String name, List<ApiserverAddress> addresses, int port) {
    for (ApiserverAddress address : addresses) {
      if (address.port() != port) {
        errors.add(
            origin(name)
                + " holds "
                + address
                + ", expected port "
                + port
                + ": with strategy hosts the programs of this node dial the port of --port; leave"
                + " the port out, or choose strategy nft");
      }
    }
  }

  private void missing(String name, String what) {
    errors.add(
        "--"
            + name
            + " is missing, expected "
            + what
            + "; give the flag, or "
            + key(name)
            + " in the configuration file");
  }

  private void error(String name, String expected) {
    errors.add(origin(name) + " is \"" + value(name).orElse("") + "\", expected " + expected);
  }

  private String origin(String name) {
    Setting setting = settings.get(name);
    return setting == null ? "--" + name : setting.origin();
  }

  private static String key(String name) {
    return name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  private Optional<String> value(String name) {
    Setting setting = settings.get(name);
    return setting == null ? Optional.empty() : Optional.of(setting.value());
  }

  private boolean flag(String name) {
    String value = value(name).orElse("false");
    if (!value.equals("true") && !value.equals("false")) {
      error(name, "true or false");
    }
    return value.equals("true");
  }

  /** Which of two words: 0 for the first, which is also the default. */
  private int choice(String name, String first, String second) {
    String value = value(name).orElse(first);
    if (!value.equals(first) && !value.equals(second)) {
      error(name, first + " or " + second);
    }
    return value.equals(second) ? 1 : 0;
  }

  private int number(String name, int byDefault, int least, int most) {
    Optional<String> value = value(name);
    if (value.isEmpty()) {
      return byDefault;
    }
    String digits = value.get();
    int number = 0;
    boolean valid = !digits.isEmpty() && digits.length() <= 9;
    for (int i = 0; valid && i < digits.length(); i++) {
      char digit = digits.charAt(i);
      valid = digit >= '0' && digit <= '9';
      number = number * 10 + digit - '0';
    }
    if (!valid || number < least || number > most) {
      error(name, "a number from " + least + " to " + most);
      return byDefault;
    }
    return number;
  }

  private Path file(String name, String byDefault) {
    String value = value(name).orElse(byDefault);
    try {
      if (!value.isEmpty()) {
        return Path.of(value);
      }
    } catch (InvalidPathException e) {
      // Told below.
    }
    error(name, "a path");
    return Path.of(byDefault);
  }

  private String hostname() {
    String name = value("hostname").orElse("apiserver.cluster.local");
    if (!isHostname(name) || ApiserverAddress.parse(name, 1).isPresent()) {
      error("hostname", "a DNS name in lower-case letters, such as apiserver.cluster.local");
    } else if (name.equals("localhost") || name.endsWith(".localhost")) {
      error("hostname", "another name: this one belongs to the node itself");
    }
    return name;
  }

  /** RFC 1123: labels of letters, digits and hyphens, which do not begin or end with a hyphen. */
  private static boolean isHostname(String name) {
    if (name.isEmpty() || name.length() > 253) {
      return false;
    }
    int label = 0;
    for (int i = 0; i <= name.length(); i++) {
      char c = i < name.length() ? name.charAt(i) : '.';
      if (c == '.') {
        if (label == 0 || label > 63 || name.charAt(i - 1) == '-') {
          return false;
        }
        label = 0;
      } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && label > 0)) {
        label++;
      } else {
        return false;
      }
    }
    return true;
  }

  private Optional<InetAddress> clusterIp() {
    Optional<String> value = value("cluster-ip");
    if (value.isEmpty()) {
      return Optional.empty();
    }
    // With any port: a port here is a mistake that parse would take.
    Optional<ApiserverAddress> address =
        value.get().startsWith("[") || hasPort(value.get())
            ? Optional.empty()
            : ApiserverAddress.parse(value.get(), 1);
    if (address.isEmpty() || !isOfAHost(address.get().ip())) {
      error(
          "cluster-ip",
          "an IP address without a port, such as 10.96.0.64;"
              + " kubectl -n kube-system get service apiserver shows it");
      return Optional.empty();
    }
    return Optional.of(address.get().ip());
  }

  private static boolean hasPort(String address) {
    return address.indexOf(':') >= 0 && address.indexOf(':') == address.lastIndexOf(':');
  }

  private static boolean isOfAHost(InetAddress ip) {
    return !ip.isAnyLocalAddress() && !ip.isMulticastAddress();
  }

  private List<ApiserverAddress> controlPlanes(int port, Optional<InetAddress> clusterIp) {
    List<ApiserverAddress> found = new ArrayList<>();
    Optional<String> value = value("control-plane");
    if (value.isEmpty()) {
      return found;
    }
    for (String item : value.get().split(",", -1)) {
      Optional<ApiserverAddress> address = ApiserverAddress.parse(item.strip(), port);
      if (address.isEmpty() || !isOfAHost(address.get().ip())) {
        errors.add(
            origin("control-plane")
                + " holds \""
                + item.strip()
                + "\", expected IP or IP:PORT, separated by commas, such as"
                + " 10.0.0.1,10.0.0.2:6444,[fd00::1]:6443");
      } else if (clusterIp.equals(Optional.of(address.get().ip()))) {
        errors.add(
            origin("control-plane")
                + " holds "
                + item.strip()
                + ", which is the cluster IP, expected the control planes' own addresses: the"
                + " cluster IP leads nowhere while a node boots");
      } else if (!found.contains(address.get())) {
        found.add(address.get());
      }
    }
    return found;
  }

  private Optional<ApiserverAddress> localApiserver(int port, Role role) {
    Optional<String> value = value("local-apiserver");
    if (value.isEmpty()) {
      return Optional.empty();
    }
    Optional<ApiserverAddress> address = ApiserverAddress.parse(value.get(), port);
    if (address.isEmpty() || !isOfAHost(address.get().ip())) {
      error("local-apiserver", "IP or IP:PORT");
    } else if (role == Role.WORKER) {
      errors.add(
          origin("local-apiserver") + " belongs to role control-plane; leave it out, or set that");
    }
    return address;
  }

  private Optional<Trust> trust(Command command) {
    List<String> given = new ArrayList<>();
    for (String name : List.of("ca-file", "ca-cert-hash")) {
      if (settings.containsKey(name)) {
        given.add(origin(name));
      }
    }
    boolean insecure = flag("insecure-skip-tls-verify");
    if (insecure) {
      given.add(origin("insecure-skip-tls-verify"));
    }
    if (given.size() > 1) {
      errors.add(String.join(" and ", given) + " exclude each other: give one of them");
    }
    if (insecure) {
      return Optional.of(new Trust.Anybody());
    }
    if (settings.containsKey("ca-cert-hash")) {
      return Optional.of(new Trust.AuthorityHashes(hashes()));
    }
    if (settings.containsKey("ca-file")) {
      Path file = file("ca-file", "");
      if (command.probes() && !Files.isReadable(file)) {
        error("ca-file", "a PEM file that can be read");
      }
      return Optional.of(new Trust.Authority(file));
    }
    Path byDefault = BootstrapConfig.defaultAuthority();
    if (Files.isReadable(byDefault)) {
      return Optional.of(new Trust.Authority(byDefault));
    }
    if (command.probes()) {
      errors.add(
          "nothing says whom to trust, and "
              + byDefault
              + " cannot be read: give --ca-file, or --ca-cert-hash (openssl x509 -pubkey -in"
              + " ca.crt | openssl pkey -pubin -outform der | sha256sum, on a control plane)");
    }
    return Optional.empty();
  }

  private List<String> hashes() {
    List<String> hashes = new ArrayList<>();
    for (String item : value("ca-cert-hash").orElse("").split(",", -1)) {
      String hash = item.strip();
      if (!hash.startsWith("sha256:") || PublicKeyHash.parse(hash).isEmpty()) {
        error("ca-cert-hash", "sha256: and 64 hexadecimal digits");
      }
      hashes.add(hash);
    }
    return hashes;
  }

  /** Empty for ever. */
  private Optional<Duration> waitLimit() {
    Optional<Duration> wait = duration("wait");
    return wait.isPresent() && wait.get().isZero() ? Optional.empty() : wait;
  }

  /** A duration as Go writes it: {@code 500ms}, {@code 4s}, {@code 1m30s}, {@code 0}. */
  private Optional<Duration> duration(String name) {
    Optional<String> value = value(name);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    Optional<Duration> duration = Durations.parse(value.get());
    if (duration.isEmpty()) {
      error(name, "a duration up to 24h, such as 500ms, 30s or 1m30s");
    }
    return duration;
  }
}
