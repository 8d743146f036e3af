package io.apiserverupdater.bootstrap.configuration;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.boot.Role;
import io.apiserverupdater.bootstrap.boot.Strategy;
import java.net.InetAddress;
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
 * @param controlPlaneNames those given by name, each {@code HOST:PORT}
 * @param clusterIp of the Service; empty where the command can do without
 * @param port of the Service, and of control planes that are given without one
 * @param trust whom to believe that it is an apiserver; empty where nothing was given or found
 * @param timeout how long to look for a control plane that is ready
 * @param waitLimit how long to wait for the clusterIP; empty for no limit
 * @param retry how long after a failed hand-over the next attempt begins; empty for one attempt
 * @param rise how many answers in a row count as working
 * @param kubeletUnit the unit that must wait for the pin
 * @param proxyUnit the same of a kube-proxy that runs as a unit
 * @param localApiserver on a control plane, the apiserver of this node; found out when empty
 */
public record BootstrapConfig(
    Command command,
    String hostname,
    List<ApiserverAddress> controlPlanes,
    List<String> controlPlaneNames,
    Optional<InetAddress> clusterIp,
    int port,
    Optional<Trust> trust,
    Path hostsFile,
    Path stateDir,
    Duration timeout,
    Optional<Duration> waitLimit,
    Optional<Duration> retry,
    int rise,
    Role role,
    Optional<ApiserverAddress> localApiserver,
    Strategy strategy,
    Path kubeconfig,
    String kubeletUnit,
    String proxyUnit,
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

    /** A script for a shell is to be printed. */
    record Completion(String script) implements Parsed {}

    /** All that is wrong with it. */
    record Invalid(List<String> errors) implements Parsed {}
  }

  /** With more control planes: the addresses of those that are given by name. */
  public BootstrapConfig with(List<ApiserverAddress> more) {
    List<ApiserverAddress> all = new ArrayList<>(controlPlanes);
    all.addAll(more);
    // The cluster IP does not work while a node boots.
    all.removeIf(address -> clusterIp.equals(Optional.of(address.ip())));
    return new BootstrapConfig(
        command,
        hostname,
        all.stream().distinct().toList(),
        controlPlaneNames,
        clusterIp,
        port,
        trust,
        hostsFile,
        stateDir,
        timeout,
        waitLimit,
        retry,
        rise,
        role,
        localApiserver,
        strategy,
        kubeconfig,
        kubeletUnit,
        proxyUnit,
        adopt,
        removeAfterHandover,
        dryRun,
        output);
  }

  /** Whether control planes are configured, by address or by name. */
  public boolean hasControlPlanes() {
    return !controlPlanes.isEmpty() || !controlPlaneNames.isEmpty();
  }

  /** The cluster IP with the port of the Service. */
  public Optional<ApiserverAddress> service() {
    return clusterIp.isPresent()
        ? Optional.of(new ApiserverAddress(clusterIp.get(), port))
        : Optional.empty();
  }
}
