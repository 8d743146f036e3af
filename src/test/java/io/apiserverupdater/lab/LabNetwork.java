package io.apiserverupdater.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The hosts of a lab and the bridge that joins them. Used by one thread at a time. */
final class LabNetwork {
  private static final String BRIDGE = "lab-bridge";
  private static final String GATEWAY = "172.30.0.1";
  // By namespace, not by record: what a test forgot to stop goes as well.
  private static final String KILL_ALL =
      """
      while pids=$(ip netns pids "$1") && [ -n "$pids" ]; do
        kill -KILL $pids 2>/dev/null || true
      done
      """;

  private final LabFiles files;
  private final Map<String, LabHost> hosts = new LinkedHashMap<>();
  private final List<VirtualMachine> virtualMachines = new ArrayList<>();

  LabNetwork(LabFiles files) {
    this.files = files;
  }

  /** Whether a lab has its network in this universe. */
  static boolean exists() {
    return Execution.run(Duration.ofSeconds(5), "ip", "link", "show", BRIDGE).exitCode() == 0;
  }

  void createBridge() {
    Execution.run(
            Duration.ofSeconds(10),
            "sh",
            "-ec",
            """
            ip link add "$1" type bridge
            ip addr add "$2/16" dev "$1"
            ip link set "$1" up
            """,
            "sh",
            BRIDGE,
            GATEWAY)
        .orThrow();
  }

  /** The host of that name, made if it does not exist yet. */
  LabHost addHost(String name, String address) {
    LabHost existing = hosts.get(name);
    if (existing != null) {
      return existing;
    }
    LabHost host = LabHost.create(name, address, BRIDGE, GATEWAY, files.work(), files.logs());
    hosts.put(name, host);
    return host;
  }

  /** Boots a machine with a kernel of its own. */
  VirtualMachine startVirtualMachine(
      String name, String address, Path image, Map<String, Path> given) {
    VirtualMachine machine =
        VirtualMachine.start(name, address, BRIDGE, GATEWAY, image, given, files);
    virtualMachines.add(machine);
    return machine;
  }

  /** All hosts reach what is behind one of them, such as its pods, by way of the gateway. */
  void route(String cidr, LabHost via) {
    Execution.run(
            Duration.ofSeconds(5),
            "sh",
            "-ec",
            """
            echo 1 >/proc/sys/net/ipv4/ip_forward
            ip route replace "$1" via "$2"
            """,
            "sh",
            cidr,
            via.address())
        .orThrow();
  }

  LabHost host(String name) {
    LabHost host = hosts.get(name);
    if (host == null) {
      throw new LabException("there is no host " + name + ", only " + hosts.keySet());
    }
    return host;
  }

  /** Kills every process on a host and removes it. */
  void removeHost(String name) {
    remove(host(name));
    hosts.remove(name);
  }

  private static void remove(LabHost host) {
    Execution.run(Duration.ofSeconds(20), "sh", "-c", KILL_ALL, "sh", host.name()).orThrow();
    host.remove();
  }

  /** Ends the virtual machines, kills every process on every host, removes hosts and bridge. */
  void close() {
    virtualMachines.forEach(VirtualMachine::close);
    virtualMachines.clear();
    // Workers first, so that nobody logs the end of what it depends on.
    List<LabHost> reversed = new ArrayList<>(hosts.values());
    Collections.reverse(reversed);
    reversed.forEach(LabNetwork::remove);
    hosts.clear();
    Execution.run(Duration.ofSeconds(5), "ip", "link", "del", BRIDGE);
  }
}
