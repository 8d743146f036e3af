package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.probe.ProbeResult;
import io.apiserverupdater.bootstrap.api.ClientFiles.Dialled;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import io.apiserverupdater.bootstrap.ipvs.VirtualService;
import io.apiserverupdater.bootstrap.nft.RuleReading;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * All that the rules look at.
 *
 * @param now by this node's clock
 * @param resolution the addresses to which libc leads the name; empty when it knows no such name
 * @param refreshed when the cluster last said who the control planes are
 * @param controlPlanes the configured ones and those of the cached list, each probed
 * @param service the clusterIP, probed; empty when none is configured
 * @param certificate what the apiservers show
 * @param authorities the trusted ones; empty without a file
 * @param kubelet where the kubelet dials
 * @param proxy where kube-proxy dials
 * @param clusterDns the addresses that the kubelet gives to pods as their DNS: of the service CIDR,
 *     unless a cache on each node answers at a link-local one
 * @param units by their names
 * @param kubeletRunsAs the unit of the kubelet that runs; empty when none does, or in none
 * @param proxyRunsAs the same of kube-proxy
 * @param proxyVariables the names in the environment of the kube-proxy that runs, as a unit or in a
 *     pod; empty when none does
 * @param clockSynchronized whether the kernel's clock follows another one
 * @param machineId what the file holds, whatever that is
 * @param synSentTimeout for how long the kernel keeps an attempt to connect that nobody answered
 * @param closeTimeout for how long it keeps a connection that was reset
 * @param snapshots the host-network pods' copies of the hosts file
 * @param rule the boot-time rule of the strategy nft
 * @param ipvs what kube-proxy in IPVS mode has for the cluster IP; empty in its other modes
 * @param ownAddresses the addresses of this node
 */
public record Facts(
    Instant now,
    Settings settings,
    Reading<List<InetAddress>> resolution,
    Reading<HostsBlock> hosts,
    Optional<Instant> refreshed,
    Reading<List<Probed>> controlPlanes,
    Optional<Reading<Probed>> service,
    Reading<Certificate> certificate,
    Optional<Reading<List<Authority>>> authorities,
    Reading<Dialled> kubelet,
    Reading<Dialled> proxy,
    Reading<List<InetAddress>> clusterDns,
    Reading<Map<String, UnitState>> units,
    Optional<String> kubeletRunsAs,
    Optional<String> proxyRunsAs,
    Optional<Set<String>> proxyVariables,
    Reading<Boolean> clockSynchronized,
    Reading<String> machineId,
    Reading<Duration> synSentTimeout,
    Reading<Duration> closeTimeout,
    Reading<List<HostsSnapshot>> snapshots,
    Optional<RuleReading> rule,
    Optional<Ipvs> ipvs,
    List<InetAddress> ownAddresses) {

  /** What the configuration says. */
  public record Settings(
      String hostname,
      int port,
      Optional<InetAddress> clusterIp,
      boolean anyControlPlane,
      boolean verified,
      Role role,
      Strategy strategy,
      String kubeletUnit,
      String proxyUnit) {
    boolean isWorker() {
      return role == Role.WORKER;
    }
  }

  /** Whether this node is a control plane and the address leads to itself. */
  boolean isThisControlPlane(InetAddress address) {
    return !settings.isWorker() && (address.isLoopbackAddress() || ownAddresses.contains(address));
  }

  /**
   * What the hosts file says of the name.
   *
   * @param addresses in our block; empty when there is none
   * @param foreignLines the numbers of lines outside it that name the host as well
   * @param foreignMarker the begin marker of another tool's block that the first of them is in
   * @param cloudInit there where it rewrites the file at each boot
   */
  public record HostsBlock(
      List<InetAddress> addresses,
      List<Integer> foreignLines,
      Optional<String> foreignMarker,
      Optional<CloudInit> cloudInit) {}

  /**
   * The hosts file is cloud-init's ({@code manage_etc_hosts}).
   *
   * @param setBy the file that says so
   * @param claimedIn the template that names the host itself
   */
  public record CloudInit(Path setBy, Optional<Path> claimedIn) {}

  /** One apiserver that was asked. */
  public record Probed(ApiserverAddress address, ProbeResult result, Duration latency) {}

  /**
   * The certificate of an apiserver.
   *
   * @param names for which it is valid
   */
  public record Certificate(ApiserverAddress shownBy, List<String> names, Instant expiry) {}

  /**
   * A trusted certificate of an authority.
   *
   * @param signs whether it is the one that signed what the apiservers show
   */
  public record Authority(Instant expiry, boolean signs) {}

  /**
   * A unit as systemd shows it.
   *
   * @param id its name; it may have been asked for by another one
   * @param load such as {@code loaded} or {@code not-found}
   * @param active such as {@code active}, {@code activating} or {@code failed}
   * @param file such as {@code enabled} or {@code disabled}; empty for a unit without a file
   * @param variables the names in its environment: of its process while it runs, else as configured
   * @param started whether it has been started since the boot
   * @param leads the units that start it and wait for it
   */
  public record UnitState(
      String id,
      String load,
      String active,
      String file,
      Set<String> variables,
      boolean started,
      Set<String> leads) {
    boolean exists() {
      return !load.equals("not-found");
    }
  }

  /**
   * IPVS on this node.
   *
   * @param service the one of the cluster IP
   * @param conntrack the setting net.ipv4.vs.conntrack
   * @param expireNodestConn the setting net.ipv4.vs.expire_nodest_conn
   */
  public record Ipvs(
      VirtualService service, Reading<Long> conntrack, Reading<Long> expireNodestConn) {}

  /**
   * The copy of the hosts file that a host-network pod was started with.
   *
   * @param pod namespace and name, or the uid where these cannot be told
   * @param addresses to which it leads the name; empty when it does not know it
   */
  public record HostsSnapshot(String pod, List<InetAddress> addresses) {}
}
