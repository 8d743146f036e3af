package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.bootstrap.api.ClientFiles;
import io.apiserverupdater.bootstrap.api.ClientFiles.Dialled;
import io.apiserverupdater.bootstrap.check.Facts.CloudInit;
import io.apiserverupdater.bootstrap.check.Facts.HostsSnapshot;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Facts from files of the kubelet, kube-proxy and the kernel, below the root of a file system. */
public record NodeFiles(Path root) {
  private static final int MAX_BYTES = 1024 * 1024;
  private static final String PODS = "var/lib/kubelet/pods";
  private static final String POD_LOGS = "var/log/pods";
  private static final Pattern POD_CGROUP = Pattern.compile("[/-]pod([^/.]+)");
  private static final String KUBELET_CONFIG = "var/lib/kubelet/config.yaml";
  private static final String CONNTRACK_TIMEOUTS =
      "proc/sys/net/netfilter/nf_conntrack_tcp_timeout_";

  private static final Pattern MANAGE_ETC_HOSTS =
      Pattern.compile("^manage_etc_hosts:[ \\t]*[\"']?(\\w+)", Pattern.MULTILINE);

  /** The first line of the copy that kubelet makes for a pod with host network. */
  private static final String HOST_NETWORK = "# Kubernetes-managed hosts file (host network)";

  /** Where it is when kube-proxy runs as a unit: by hand and kubeasz, and some installers. */
  private static final List<String> PROXY_KUBECONFIGS =
      List.of(
          "etc/kubernetes/kube-proxy.kubeconfig",
          "etc/kubernetes/kube-proxy.conf",
          "var/lib/kube-proxy/kubeconfig",
          "var/lib/kube-proxy/kubeconfig.conf");

  /** Where it is within a pod's folder, when kubeadm runs it. */
  private static final String PROXY_VOLUME =
      "volumes/kubernetes.io~configmap/kube-proxy/kubeconfig.conf";

  private static String read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8);
    }
  }

  private static Reading<String> reading(Path file) {
    try {
      return new Reading.Known<>(read(file));
    } catch (IOException e) {
      return unknown(file, e);
    }
  }

  private static <T> Reading<T> unknown(Path file, IOException e) {
    if (e instanceof NoSuchFileException) {
      return new Reading.Unknown<>("there is no " + file);
    }
    return new Reading.Unknown<>(
        e instanceof AccessDeniedException
            ? file + " may not be read; run this as root"
            : file + " cannot be read: " + e);
  }

  /** What can be read only if the file is there and may be read, by a reader that says why not. */
  private interface Reader<T> {
    Reading<T> read() throws IOException;
  }

  private static <T> Reading<T> parsed(Path file, Reader<T> reader) {
    return reading(file)
        .then(
            text -> {
              try {
                return reader.read();
              } catch (IOException e) {
                return new Reading.Unknown<>(String.valueOf(e.getMessage()).replace('\n', ' '));
              }
            });
  }

  /**
   * Where a program with this kubeconfig dials.
   *
   * @param environment of that program
   */
  public Reading<Dialled> dialled(Path kubeconfig, Map<String, String> environment) {
    return parsed(
        kubeconfig, () -> new Reading.Known<>(ClientFiles.dialled(kubeconfig, environment)));
  }

  /** The kubeconfig of kube-proxy: of its unit, or of its pod on this node. */
  public Reading<Path> proxyKubeconfig() {
    for (String place : PROXY_KUBECONFIGS) {
      if (Files.exists(root.resolve(place))) {
        return new Reading.Known<>(root.resolve(place));
      }
    }
    try {
      Map<String, String> names = podNames();
      for (Path pod : folders(root.resolve(PODS))) {
        Path kubeconfig = pod.resolve(PROXY_VOLUME);
        // Any pod may have a volume of that name.
        if (isKubeProxy(names.getOrDefault(pod.getFileName().toString(), ""))
            && Files.exists(kubeconfig)) {
          return new Reading.Known<>(kubeconfig);
        }
      }
    } catch (NoSuchFileException e) {
      // No kubelet has run here yet.
    } catch (IOException e) {
      return unknown(root.resolve(PODS), e);
    }
    return new Reading.Unknown<>("its kubeconfig is in none of the usual places");
  }

  /**
   * Whether a pod is one of kube-proxy's.
   *
   * @param pod namespace and name
   */
  static boolean isKubeProxy(String pod) {
    return pod.startsWith("kube-system/kube-proxy-");
  }

  /** From the kubelet's configuration. */
  public Reading<List<InetAddress>> clusterDns() {
    Path file = root.resolve(KUBELET_CONFIG);
    return parsed(
        file,
        () -> {
          List<InetAddress> addresses = ClientFiles.clusterDns(file);
          return addresses.isEmpty()
              ? new Reading.Unknown<>(file + " has no clusterDNS")
              : new Reading.Known<>(addresses);
        });
  }

  /** As it is written. */
  public Reading<String> machineId() {
    return reading(root.resolve("etc/machine-id")).then(text -> new Reading.Known<>(text.strip()));
  }

  /**
   * How long conntrack keeps an entry in this state, in this network namespace.
   *
   * @param state as sysctl spells it: {@code syn_sent}, {@code close}
   */
  public Reading<Duration> conntrackTimeout(String state) {
    return number(CONNTRACK_TIMEOUTS + state)
        .then(seconds -> new Reading.Known<>(Duration.ofSeconds(seconds)));
  }

  /** A setting of IPVS in this network namespace. */
  public Reading<Long> ipvsSetting(String name) {
    return number("proc/sys/net/ipv4/vs/" + name);
  }

  private Reading<Long> number(String place) {
    Path file = root.resolve(place);
    try {
      return new Reading.Known<>(Long.parseLong(read(file).strip()));
    } catch (NumberFormatException e) {
      return new Reading.Unknown<>(file + " is not a number");
    } catch (IOException e) {
      return unknown(file, e);
    }
  }

  /**
   * Whether cloud-init rewrites the hosts file. The last file that has the setting decides; {@code
   * localhost} adds one line only. See cc_update_etc_hosts in cloud-init's documentation.
   */
  public Optional<CloudInit> cloudInit(String hostname) {
    Optional<CloudInit> found = Optional.empty();
    for (Path file : cloudConfigs()) {
      Matcher setting = MANAGE_ETC_HOSTS.matcher(textOf(file));
      while (setting.find()) {
        String value = setting.group(1).toLowerCase(Locale.ROOT);
        found =
            List.of("true", "yes", "on", "template").contains(value)
                ? Optional.of(new CloudInit(file, claimingTemplate(hostname)))
                : Optional.empty();
      }
    }
    return found;
  }

  private List<Path> cloudConfigs() {
    List<Path> files = new ArrayList<>();
    files.add(root.resolve("etc/cloud/cloud.cfg"));
    files.addAll(filesIn("etc/cloud/cloud.cfg.d", ".cfg"));
    // What the user's data said at the first boot.
    files.add(root.resolve("var/lib/cloud/instance/cloud-config.txt"));
    return files;
  }

  private Optional<Path> claimingTemplate(String hostname) {
    return filesIn("etc/cloud/templates", ".tmpl").stream()
        .filter(file -> file.getFileName().toString().startsWith("hosts."))
        .filter(file -> !addresses(textOf(file), hostname).isEmpty())
        .findFirst();
  }

  /** In the order of their names; none where there is no such folder. */
  private List<Path> filesIn(String folder, String ending) {
    try (Stream<Path> files = Files.list(root.resolve(folder))) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** Empty where it cannot be read. */
  private static String textOf(Path file) {
    try {
      return read(file);
    } catch (IOException e) {
      return "";
    }
  }

  /** The copies of the hosts file that pods with host network were given. */
  public Reading<List<HostsSnapshot>> snapshots(String hostname) {
    Path pods = root.resolve(PODS);
    Map<String, String> names = podNames();
    List<HostsSnapshot> snapshots = new ArrayList<>();
    try {
      Set<String> running = runningPods();
      for (Path pod : folders(pods)) {
        Path copy = pod.resolve("etc-hosts");
        String uid = pod.getFileName().toString();
        // The kubelet keeps the folder of a pod for a while after its end.
        if (!Files.exists(copy) || !running.contains(uid)) {
          continue;
        }
        String text = read(copy);
        if (text.startsWith(HOST_NETWORK)) {
          snapshots.add(new HostsSnapshot(names.getOrDefault(uid, uid), addresses(text, hostname)));
        }
      }
      return new Reading.Known<>(snapshots);
    } catch (IOException e) {
      return unknown(pods, e);
    }
  }

  /** The uids of the pods in whose cgroups processes are. */
  private Set<String> runningPods() throws IOException {
    Set<String> uids = new HashSet<>();
    for (Path process : folders(root.resolve("proc"))) {
      if (Character.isDigit(process.getFileName().toString().charAt(0))) {
        podOf(process).ifPresent(uids::add);
      }
    }
    return uids;
  }

  private static Optional<String> podOf(Path process) {
    try {
      Matcher pod = POD_CGROUP.matcher(read(process.resolve("cgroup")));
      // With systemd as the driver a dash would separate slices.
      return pod.find() ? Optional.of(pod.group(1).replace('_', '-')) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // It has just ended.
    }
  }

  /** By their uids. The kubelet names the folders of logs NAMESPACE_NAME_UID. */
  private Map<String, String> podNames() {
    Map<String, String> names = new HashMap<>();
    try {
      for (Path logs : folders(root.resolve(POD_LOGS))) {
        String[] parts = logs.getFileName().toString().split("_", -1);
        if (parts.length == 3) {
          names.put(parts[2], parts[0] + "/" + parts[1]);
        }
      }
    } catch (IOException e) {
      // Then they are named by their uids.
    }
    return names;
  }

  /** To which addresses the text of a hosts file leads a name. */
  static List<InetAddress> addresses(String hosts, String hostname) {
    List<InetAddress> addresses = new ArrayList<>();
    for (String line : hosts.split("\n", -1)) {
      String[] fields = line.split("#", 2)[0].strip().split("[ \t]+", -1);
      for (int i = 1; i < fields.length; i++) {
        if (fields[i].equalsIgnoreCase(hostname)) {
          IpAddress.parse(fields[0]).ifPresent(addresses::add);
        }
      }
    }
    return addresses;
  }

  private static List<Path> folders(Path parent) throws IOException {
    try (Stream<Path> entries = Files.list(parent)) {
      return entries.filter(Files::isDirectory).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
