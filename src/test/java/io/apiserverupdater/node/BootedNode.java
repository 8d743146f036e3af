package io.apiserverupdater.node;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.apiserverupdater.lab.AdminClient;
import io.apiserverupdater.lab.Deadline;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.LabException;
import io.apiserverupdater.lab.LabHost;
import io.apiserverupdater.lab.LabProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A worker that boots: a systemd-nspawn container in the network namespace of a host of the lab,
 * with systemd as its process 1 and a disk of its own. Off at first. Used by one test thread at a
 * time.
 */
public final class BootedNode implements AutoCloseable {
  private static final Duration QUICK = Duration.ofSeconds(20);
  private static final Duration START = Duration.ofSeconds(60);
  private static final int REBOOT = 133;
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final Path UNIVERSE = Path.of("/run/lab/universe");

  private final LabHost host;
  private final NodeDisk disk;
  private final AdminClient admin;
  private final List<String> bootCommand;
  private final String cgroup;
  private final Path log;
  private Optional<LabProcess> container = Optional.empty();
  private OptionalLong leader = OptionalLong.empty();
  private long poweredOnNanos;

  /**
   * @param kubePrograms the folder that the node sees as /opt/kube
   */
  BootedNode(
      LabHost host,
      NodeDisk disk,
      NodeImage image,
      Path kubePrograms,
      AdminClient admin,
      Path logFolder) {
    this.host = host;
    this.disk = disk;
    this.admin = admin;
    this.cgroup =
        LabException.wrap(
            "cannot read " + UNIVERSE,
            () -> Files.readString(UNIVERSE).strip() + "/" + host.name());
    this.bootCommand =
        List.of(
            image.bootScript().toString(),
            cgroup,
            disk.root().toString(),
            host.name(),
            kubePrograms.toString());
    this.log = logFolder.resolve(host.name() + "-console.log");
  }

  public String name() {
    return host.name();
  }

  public LabHost host() {
    return host;
  }

  NodeDisk disk() {
    return disk;
  }

  /**
   * Powers it on; returns as soon as its process 1 exists. Rules, links and cgroups of an earlier
   * boot are gone, as they are after a real one.
   */
  public void powerOn() {
    if (on()) {
      throw new LabException(name() + " is on already");
    }
    forgetEarlierBoot();
    poweredOnNanos = System.nanoTime();
    LabProcess started =
        LabProcess.start(name() + " (container)", new ProcessBuilder(bootCommand), log);
    container = Optional.of(started);
    leader = OptionalLong.empty();
    Deadline.in(QUICK)
        .await(
            "process 1 of " + name(),
            () -> {
              if (!started.alive()) {
                throw new LabException(name() + " did not boot. " + started.logTail());
              }
              leader = findLeader(started.pid());
              return leader.isPresent();
            },
            started::logTail);
  }

  /** The child of the container's program that is process 1 in a namespace of its own. */
  private static OptionalLong findLeader(long parent) {
    try {
      for (String child :
          Files.readString(Path.of("/proc/" + parent + "/task/" + parent + "/children"))
              .strip()
              .split(" ", -1)) {
        if (child.isEmpty()) {
          continue;
        }
        List<String> status = Files.readAllLines(Path.of("/proc/" + child + "/status"));
        boolean first =
            status.stream().anyMatch(line -> line.startsWith("NSpid:") && line.endsWith("\t1"));
        if (first && status.get(0).endsWith("\tsystemd")) {
          return OptionalLong.of(Long.parseLong(child));
        }
      }
    } catch (IOException e) {
      // A process that ended while it was looked at.
    }
    return OptionalLong.empty();
  }

  /** When it was powered on the last time, on the clock of {@link System#nanoTime}. */
  public long poweredOnNanos() {
    return poweredOnNanos;
  }

  public boolean on() {
    return container.map(LabProcess::alive).orElse(false);
  }

  /** Power loss: SIGKILL to its process 1, and so to everything in it. What is written is kept. */
  public void powerOff() {
    LabProcess running = running();
    long first = leader.orElseThrow(() -> new LabException(name() + " has no process 1"));
    Execution unusedResult = Execution.run(QUICK, "sh", "-c", "kill -KILL " + first);
    int unusedCode = running.awaitExit(QUICK);
  }

  /** {@code systemctl reboot}; returns when it is on again. */
  public void reboot() {
    beginReboot();
    powerOn();
  }

  /** {@code systemctl reboot}; it stays off, for what happens while a node is down. */
  public void beginReboot() {
    LabProcess running = running();
    // systemctl may be killed by the very reboot before it can end well.
    Execution unusedResult = run("systemctl", "reboot");
    int code = running.awaitExit(START);
    if (code != REBOOT) {
      throw new LabException(
          name() + " ended with code " + code + " instead of a reboot. " + running.logTail());
    }
  }

  private LabProcess running() {
    return container
        .filter(LabProcess::alive)
        .orElseThrow(() -> new LabException(name() + " is off"));
  }

  /** Runs a short command in the node, as root, whatever its exit code. */
  public Execution run(String... command) {
    return runWithin(QUICK, command);
  }

  /** The same, with more time. */
  public Execution runWithin(Duration limit, String... command) {
    return Execution.run(entering(command), limit);
  }

  /** Starts a program in the node; it logs to {@code LOGFOLDER/NODE-NAME.log}. */
  public LabProcess start(String program, String... command) {
    return LabProcess.start(
        program + " in " + name(),
        entering(command),
        log.resolveSibling(name() + "-" + program + ".log"));
  }

  private ProcessBuilder entering(String... command) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "nsenter",
                "--target=" + leader.orElseThrow(() -> new LabException(name() + " is off")),
                "--mount",
                "--uts",
                "--ipc",
                "--net",
                "--pid",
                "--cgroup"));
    line.addAll(Arrays.asList(command));
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.environment().clear();
    builder.environment().put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin");
    builder.environment().put("LC_ALL", "C.UTF-8");
    return builder;
  }

  /** Its /etc/hosts, byte for byte; also while it is off. */
  public byte[] hostsFile() {
    return disk.read("/etc/hosts");
  }

  /** The journal of the current boot. */
  public Journal journal() {
    return Journal.parse(
        run("journalctl", "--boot", "--quiet", "--no-pager", "--output=json").orThrow().out());
  }

  /** What a unit has said in the current boot, a line each. */
  public String said(String unit) {
    return journal().of(unit).stream().map(JournalEntry::message).collect(Collectors.joining("\n"));
  }

  /** The end of the journal, for messages; also while it is off. */
  public String journalTail(int lines) {
    return journalOnDisk("--lines=" + lines).out();
  }

  /** Writes the journal of all boots to {@code LOGFOLDER/NODE-journal.log}. */
  void saveJournal() {
    LabException.wrap(
        "cannot save the journal of " + name(),
        () ->
            Files.writeString(
                log.resolveSibling(name() + "-journal.log"), journalOnDisk("--lines=all").out()));
  }

  private Execution journalOnDisk(String lines) {
    return Execution.run(
        QUICK,
        "journalctl",
        "--directory=" + disk.path("/var/log/journal"),
        "--quiet",
        "--no-pager",
        "--output=short-monotonic",
        lines);
  }

  /** A property of a unit as {@code systemctl show} has it. */
  public String unit(String unit, String property) {
    return run("systemctl", "show", "--value", "--property=" + property, unit)
        .orThrow()
        .out()
        .strip();
  }

  /**
   * A time of a unit, such as {@code ActiveEnterTimestampMonotonic}, on the clock of {@link
   * System#nanoTime}; empty when it has not come yet.
   */
  public OptionalLong unitTimeNanos(String unit, String property) {
    long micros = Long.parseLong(unit(unit, property));
    return micros == 0 ? OptionalLong.empty() : OptionalLong.of(micros * 1000);
  }

  /** Waits until a unit is in this state, such as active. */
  public void awaitUnit(String unit, String state, Duration limit) {
    Deadline.in(limit)
        .await(
            unit + " of " + name() + " to be " + state,
            () -> run("systemctl", "is-active", unit).out().strip().equals(state),
            () -> journalTail(60));
  }

  /**
   * Waits until the API has this boot of the node as Ready.
   *
   * @return when that was seen, on the clock of {@link System#nanoTime}
   */
  public long awaitReady(Duration limit) {
    String boot = bootId();
    try {
      Optional<JsonObject> unusedNode =
          admin.await(
              "/api/v1/nodes",
              name(),
              node -> node.map(found -> ready(found, boot)).orElse(false),
              limit);
    } catch (LabException e) {
      throw new LabException(e.getMessage() + "\n" + journalTail(80), e);
    }
    return System.nanoTime();
  }

  /** Waits until the bootstrap has handed over in this boot, and its unit is done. */
  public void awaitHandover(Duration limit) {
    Deadline.in(limit)
        .await(
            "the hand-over of " + name(),
            () ->
                unit("apiserver-bootstrap-handover.service", "ExecMainExitTimestampMonotonic")
                            .compareTo("0")
                        > 0
                    && unit("apiserver-bootstrap-handover.service", "Result").equals("success"),
            () -> journalTail(80));
  }

  /** {@link #awaitReady}, and then {@link #awaitHandover}; returns when it was ready. */
  public long awaitSettled(Duration limit) {
    long ready = awaitReady(limit);
    awaitHandover(limit);
    return ready;
  }

  /** Where the name of the apiserver leads by its hosts file; empty when nowhere. */
  public String target(String hostName) {
    return new String(hostsFile(), StandardCharsets.UTF_8)
        .lines()
        .filter(line -> !line.startsWith("#"))
        .map(line -> Arrays.asList(line.split("\\s+", -1)))
        .filter(words -> words.size() > 1 && words.subList(1, words.size()).contains(hostName))
        .map(words -> words.get(0))
        .findFirst()
        .orElse("");
  }

  /** The kernel's name for this boot. */
  public String bootId() {
    return run("cat", "/proc/sys/kernel/random/boot_id").orThrow().out().strip();
  }

  private static boolean ready(JsonObject node, String bootId) {
    JsonObject status = node.getAsJsonObject("status");
    JsonElement info = status.get("nodeInfo");
    if (info == null
        || !info.getAsJsonObject().get("bootID").getAsString().equals(bootId)
        || !status.has("conditions")) {
      return false;
    }
    for (JsonElement condition : status.getAsJsonArray("conditions")) {
      JsonObject fields = condition.getAsJsonObject();
      if (fields.get("type").getAsString().equals("Ready")) {
        return fields.get("status").getAsString().equals("True");
      }
    }
    return false;
  }

  private void forgetEarlierBoot() {
    // Its conntrack entries outlive it as well: a namespace is not a machine.
    Execution unusedResult =
        host.run(
            "sh",
            "-c",
            "nft flush ruleset; ip link del cni0; conntrack -F; ip neigh flush all; true");
    removeCgroups();
  }

  private void removeCgroups() {
    List<Path> candidates = new ArrayList<>(List.of(CGROUPS.resolve(cgroup)));
    try (Stream<Path> hierarchies = Files.list(CGROUPS)) {
      hierarchies.map(folder -> folder.resolve(cgroup)).forEach(candidates::add);
    } catch (IOException e) {
      throw new LabException("cannot list " + CGROUPS, e);
    }
    for (Path folder : candidates) {
      if (Files.isDirectory(folder)) {
        Execution unusedResult =
            Execution.run(
                QUICK,
                "find",
                folder.toString(),
                "-depth",
                "-type",
                "d",
                "-exec",
                "rmdir",
                "{}",
                "+");
      }
    }
  }

  /** Powers it off, if it is on, and deletes its disk and cgroups; logs stay. */
  @Override
  public void close() {
    if (on()) {
      powerOff();
    }
    removeCgroups();
    disk.close();
  }
}
