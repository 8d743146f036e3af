package io.apiserverupdater.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A machine of the lab: a network namespace with its own address on the bridge, its own name, hosts
 * file and netfilter rules. Thread-safe.
 */
public final class LabHost {
  private static final Duration QUICK = Duration.ofSeconds(10);
  // Gives the process the host's name, by which apiservers tell their identity Leases apart, and
  // binds the host's own hosts file in a mount namespace of the process's own ("ip netns exec" has
  // just made one). The file is kept out of /etc/netns, which belongs to the real machine.
  private static final String ENTER =
      "hostname \"$1\" && mount --bind \"$2\" /etc/hosts && shift 2 && exec \"$@\"";
  private static final String BLACK_HOLE =
      """
      chain input { type filter hook input priority -300; policy drop; iif lo accept; }
      chain output { type filter hook output priority -300; policy drop; oif lo accept; }
      """;

  private final String name;
  private final String address;
  private final Path hostsFile;
  private final Path logFolder;
  private final String gateway;
  private final Map<String, String> names = new LinkedHashMap<>();
  private volatile boolean unplugged;

  private LabHost(String name, String address, Path hostsFile, Path logFolder, String gateway) {
    this.name = name;
    this.address = address;
    this.hostsFile = hostsFile;
    this.logFolder = logFolder;
    this.gateway = gateway;
  }

  /** Makes the namespace and plugs it into {@code bridge}, whose address is its gateway. */
  static LabHost create(
      String name, String address, String bridge, String gateway, Path folder, Path logFolder) {
    // The default route is needed although nothing is behind it: the kernel wants a route to a
    // cluster IP before kube-proxy's rules get to see the packet.
    String script =
        """
        ip netns add "$1"
        ip link add "lab-$1" type veth peer name eth0 netns "$1"
        ip link set "lab-$1" master "$3" up
        ip -n "$1" link set lo up
        ip -n "$1" addr add "$2/16" dev eth0
        ip -n "$1" link set eth0 up
        ip -n "$1" route add default via "$4"
        """;
    Execution made =
        Execution.run(QUICK, "sh", "-ec", script, "sh", name, address, bridge, gateway);
    if (made.exitCode() != 0) {
      removeNamespace(name);
      made.orThrow();
    }
    LabHost host = new LabHost(name, address, folder.resolve(name + ".hosts"), logFolder, gateway);
    host.mapName(name, address);
    return host;
  }

  public String name() {
    return name;
  }

  /** Its IPv4 address. */
  public String address() {
    return address;
  }

  /**
   * Sets an entry of this host's hosts file, in place: running processes see it at their next
   * look-up (programs in Go within 5 s).
   */
  public void mapName(String hostName, String toAddress) {
    synchronized (names) {
      names.put(hostName, toAddress);
      StringBuilder text = new StringBuilder("127.0.0.1 localhost\n");
      names.forEach((key, value) -> text.append(value).append(' ').append(key).append('\n'));
      LabException.wrap("cannot write " + hostsFile, () -> Files.writeString(hostsFile, text));
    }
  }

  /** A command that will run on this host, with only this environment besides a PATH. */
  ProcessBuilder command(List<String> command, Map<String, String> environment) {
    List<String> line =
        new ArrayList<>(
            List.of("ip", "netns", "exec", name, "unshare", "--uts", "sh", "-c", ENTER, "sh"));
    line.add(name);
    line.add(hostsFile.toString());
    line.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.environment().clear();
    builder
        .environment()
        .put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    builder.environment().putAll(environment);
    return builder;
  }

  /** Starts a program on this host; it logs to {@code LOGFOLDER/HOST-PROGRAM.log}. */
  public LabProcess start(String program, List<String> command, Map<String, String> environment) {
    return LabProcess.start(
        program + " on " + name,
        command(command, environment),
        logFolder.resolve(name + "-" + program + ".log"));
  }

  /** Runs a short command (10 s) on this host to its end. */
  public Execution run(String... command) {
    return run(QUICK, Map.of(), command);
  }

  /** Runs a command on this host to its end, with only this environment besides a PATH. */
  public Execution run(Duration limit, Map<String, String> environment, String... command) {
    return Execution.run(command(List.of(command), environment), limit);
  }

  /** Every packet from and to other hosts vanishes without an answer, as with a cut cable. */
  public void unplug() {
    filter("black_hole", BLACK_HOLE);
    unplugged = true;
  }

  /** Takes {@link #unplug} back. */
  public void plug() {
    unfilter("black_hole");
    unplugged = false;
  }

  public boolean unplugged() {
    return unplugged;
  }

  /**
   * Gives packets from and to this host further rules.
   *
   * @param filterName what {@link #unfilter} takes back
   * @param chains in nftables' language
   */
  public void filter(String filterName, String chains) {
    String table = "table inet lab_" + filterName + " {\n" + chains + "}\n";
    Execution.run(command(List.of("nft", "-f", "-"), Map.of()), table, QUICK).orThrow();
  }

  /** Removes the rules of that name. */
  public void unfilter(String filterName) {
    run("nft", "delete", "table", "inet", "lab_" + filterName).orThrow();
  }

  /** Takes the link down: the kernel knows that nothing can be sent or received. */
  public void linkDown() {
    run("ip", "link", "set", "eth0", "down").orThrow();
    unplugged = true;
  }

  /** The link is up again, with the route that it had. */
  public void linkUp() {
    run("ip", "link", "set", "eth0", "up").orThrow();
    run("ip", "route", "replace", "default", "via", gateway).orThrow();
    unplugged = false;
  }

  /** Removes the namespace; its processes must be gone. */
  void remove() {
    removeNamespace(name).orThrow();
  }

  private static Execution removeNamespace(String name) {
    // The link first: the kernel takes a namespace's links down some time after the namespace.
    return Execution.run(
        QUICK, "sh", "-c", "ip link del \"lab-$1\"; ip netns del \"$1\"", "sh", name);
  }
}
