package io.apiserverupdater.lab;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A host with a kube-apiserver on it, and everything that can happen to one. Its name is the common
 * name of its serving certificate. Used by one test thread at a time.
 */
public final class ControlPlaneHost {
  private static final Duration START = Duration.ofSeconds(60);

  private final LabHost host;
  private final List<String> command;
  private final Path auditLog;
  private final AdminClient admin;
  private volatile List<String> furtherFlags;
  private volatile LabProcess process;
  private volatile boolean paused;
  private volatile boolean terminating;
  private volatile boolean withoutStore;

  /** Starts its apiserver; see {@link #awaitReady}. */
  ControlPlaneHost(
      LabHost host,
      List<String> command,
      List<String> furtherFlags,
      Path auditLog,
      AdminClient admin) {
    this.host = host;
    this.command = command;
    this.furtherFlags = furtherFlags;
    this.auditLog = auditLog;
    this.admin = admin.at(host.address());
    this.process = launch(host, command, furtherFlags);
  }

  /** A further flag takes the place of one of the same name. */
  private static LabProcess launch(LabHost host, List<String> command, List<String> furtherFlags) {
    Set<String> further =
        furtherFlags.stream().map(ControlPlaneHost::name).collect(Collectors.toSet());
    List<String> line = new ArrayList<>(command);
    line.removeIf(word -> further.contains(name(word)));
    line.addAll(furtherFlags);
    return host.start("kube-apiserver", line, Map.of());
  }

  private static String name(String flag) {
    return flag.replaceFirst("=.*", "");
  }

  public String name() {
    return host.name();
  }

  /** The address that it advertises. */
  public String address() {
    return host.address();
  }

  public LabHost host() {
    return host;
  }

  /** Its kube-apiserver, the last one started. */
  public LabProcess process() {
    return process;
  }

  /** The admin's access to this apiserver alone. */
  public AdminClient admin() {
    return admin;
  }

  /** Whether a request to it can succeed, as far as the lab's own doings go. */
  public boolean reachable() {
    return process.alive() && !paused && !terminating && !withoutStore && !host.unplugged();
  }

  /** Waits for 200 on /readyz. */
  public void awaitReady() {
    process.awaitReady("200 on /readyz", this::ready, Deadline.in(START));
  }

  /** Whether it says 200 on /readyz. */
  public boolean ready() {
    try {
      return admin.request("GET", "/readyz", "application/json", "").ok();
    } catch (LabException e) {
      return false;
    }
  }

  /** SIGKILL; its sockets close at once, its address stays published until its TTL passes. */
  public void kill() {
    process.kill();
    paused = false;
    terminating = false;
  }

  /** SIGTERM, the graceful stop; returns at once. {@link #process()} tells when it has ended. */
  public void terminate() {
    terminating = true;
    process.terminate();
  }

  /** SIGSTOP: the kernel still accepts connections for it, nobody answers. */
  public void pause() {
    process.pause();
    paused = true;
  }

  /** SIGCONT. */
  public void resume() {
    process.resume();
    paused = false;
  }

  /** Packets from and to the host vanish, those to etcd too. */
  public void unplug() {
    host.unplug();
  }

  /** The cable is back. */
  public void plug() {
    host.plug();
  }

  /**
   * Its connections to etcd are cut, and new ones refused: it goes on and says so on /readyz, some
   * seconds later, as it asks etcd no more often than that.
   */
  public void cutStore() {
    withoutStore = true;
    host.filter(
        "store",
        "chain output { type filter hook output priority -300; tcp dport "
            + Etcd.CLIENT_PORT
            + " reject with tcp reset; }\n");
  }

  /** Takes {@link #cutStore} back. */
  public void mendStore() {
    host.unfilter("store");
    withoutStore = false;
  }

  /** Its link goes down. */
  public void linkDown() {
    host.linkDown();
  }

  /** Takes {@link #linkDown} back. */
  public void linkUp() {
    host.linkUp();
  }

  /** Starts its apiserver again on the same address and waits until it is ready. */
  public void restart() {
    startAgain();
    awaitReady();
  }

  /** The same, from now on with these flags besides those that it began with. */
  public void restartWith(String... flags) {
    furtherFlags = List.of(flags);
    restart();
  }

  /** Starts its apiserver again, killing it if it runs, and does not wait for it. */
  public void startAgain() {
    if (process.alive()) {
      kill();
    }
    process = launch(host, command, furtherFlags);
    terminating = false;
  }

  /**
   * Everything that it audited since it first started. An entry is written when the answer is
   * complete, so it can be a moment later in here than the answer at the client.
   */
  public List<AuditEntry> audit() {
    return AuditEntry.read(auditLog);
  }

  /** What it audited of the requests received at that time or later. */
  public List<AuditEntry> auditSince(Instant from) {
    List<AuditEntry> entries = new ArrayList<>(audit());
    entries.removeIf(entry -> entry.received().isBefore(from));
    return entries;
  }
}
