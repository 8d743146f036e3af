package io.apiserverupdater.lab;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.stream.Collectors;

/**
 * A machine with a kernel of its own on the lab's bridge, from what {@code src/test/vm/build}
 * makes: it has what the kernel of the machine that runs the tests may lack, such as IPVS. Its
 * processors are emulated, so whatever runs in there takes about ten times as long. Its disk is as
 * new at each start, and stays as it is over a {@link #reboot}. Used by one test thread at a time.
 */
public final class VirtualMachine {
  /** Where it has the files that it was given. */
  public static final String FILES = "/opt/lab";

  static final String CA_FILE = "ca.crt";
  static final String TRAFFIC = "traffic";
  private static final Duration QUICK = Duration.ofSeconds(60);
  private static final Duration BOOT = Duration.ofMinutes(3);
  private static final String PACK =
      """
      archive=$1
      mkdir "$archive.d"
      shift
      while [ $# -gt 0 ]; do
        ln -s "$2" "$archive.d/$1"
        shift 2
      done
      tar --create --dereference --file "$archive" --directory "$archive.d" .
      """;

  private final String name;
  private final String address;
  private final Path controlSocket;
  private final Path monitor;
  private final Path logFolder;
  private final LabProcess emulator;
  private LabProcess connection;

  private VirtualMachine(
      String name, String address, LabFiles files, Path monitor, ProcessBuilder qemu) {
    this.name = name;
    this.address = address;
    this.controlSocket = files.work().resolve(name + ".ssh");
    this.monitor = monitor;
    this.logFolder = files.logs();
    this.emulator = LabProcess.start("QEMU for " + name, qemu, log("console"));
    this.connection = dial();
  }

  /**
   * Boots one from a folder with {@code vmlinuz}, {@code initrd} and {@code vm.img}, and waits
   * until it takes commands.
   *
   * @param bridge what it is plugged into; its address is the machine's gateway
   * @param given what it finds in {@link #FILES}, by name
   */
  static VirtualMachine start(
      String name,
      String address,
      String bridge,
      String gateway,
      Path image,
      Map<String, Path> given,
      LabFiles files) {
    Path archive = files.work().resolve(name + ".tar");
    pack(given, archive);
    Execution.run(
            QUICK,
            "sh",
            "-ec",
            "ip tuntap add \"$1\" mode tap && ip link set \"$1\" master \"$2\" up",
            "sh",
            tap(name),
            bridge)
        .orThrow();
    Path monitor = files.work().resolve(name + ".monitor");
    VirtualMachine machine =
        new VirtualMachine(
            name, address, files, monitor, qemu(name, address, gateway, image, archive, monitor));
    try {
      machine.awaitCommands();
      machine
          .run(QUICK, "sh", "-ec", "mkdir \"$1\"; tar -xf /dev/vdb -C \"$1\"", "sh", FILES)
          .orThrow();
      return machine;
    } catch (RuntimeException e) {
      machine.close();
      throw e;
    }
  }

  private static ProcessBuilder qemu(
      String name, String address, String gateway, Path image, Path archive, Path monitor) {
    return new ProcessBuilder(
        "qemu-system-x86_64",
        "-nodefaults",
        "-no-user-config",
        // Hardware virtualisation is not to be had everywhere, least of all in a build machine that
        // is a virtual one itself.
        "-accel",
        "tcg",
        "-cpu",
        "max",
        // With two, one of them was seen to sleep on while the other waited for it.
        "-smp",
        "1",
        "-m",
        "1536",
        "-display",
        "none",
        "-serial",
        "stdio",
        "-monitor",
        "unix:" + monitor + ",server=on,wait=off",
        "-kernel",
        image.resolve("vmlinuz").toString(),
        "-initrd",
        image.resolve("initrd").toString(),
        "-append",
        ("root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 init=/usr/sbin/lab-init"
                + " lab_host=%s lab_address=%s lab_gateway=%s")
            .formatted(name, address, gateway),
        // What it writes goes to a file without a name, which ends with QEMU.
        "-drive",
        "file=" + image.resolve("vm.img") + ",format=raw,if=virtio,snapshot=on",
        "-drive",
        "file=" + archive + ",format=raw,if=virtio,readonly=on",
        "-netdev",
        "tap,id=bridge,ifname=" + tap(name) + ",script=no,downscript=no",
        "-device",
        "virtio-net-pci,netdev=bridge,romfile=");
  }

  /** Its second disk: over ssh, which encrypts, large files would take a minute. */
  private static void pack(Map<String, Path> given, Path archive) {
    List<String> line = new ArrayList<>(List.of("sh", "-ec", PACK, "sh", archive.toString()));
    given.forEach((file, from) -> line.addAll(List.of(file, from.toString())));
    Execution.run(new ProcessBuilder(line), QUICK).orThrow();
  }

  private static String tap(String name) {
    return "lab-" + name;
  }

  private Path log(String program) {
    return logFolder.resolve(name + "-" + program + ".log");
  }

  public String name() {
    return name;
  }

  /** Its IPv4 address. */
  public String address() {
    return address;
  }

  /** An ssh to it, with these options; root has no password there. */
  private List<String> ssh(String... options) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "ssh",
                "-F",
                "none",
                "-S",
                controlSocket.toString(),
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "LogLevel=ERROR",
                "-o",
                "BatchMode=yes",
                "-o",
                "ConnectTimeout=5"));
    line.addAll(Arrays.asList(options));
    line.add("root@" + address);
    return line;
  }

  /** One connection for all commands: its handshake is slow in there. */
  private LabProcess dial() {
    // Of a connection that was killed.
    LabException.wrap("cannot delete " + controlSocket, () -> Files.deleteIfExists(controlSocket));
    return LabProcess.start(
        "the connection to " + name, new ProcessBuilder(ssh("-M", "-N")), log("ssh"));
  }

  private void awaitCommands() {
    Deadline deadline = Deadline.in(BOOT);
    emulator.awaitReady("its command server", this::takesCommands, deadline);
  }

  private boolean takesCommands() {
    if (!connection.alive()) {
      connection = dial();
    }
    return Files.exists(controlSocket)
        && Execution.run(new ProcessBuilder(ssh("-O", "check")), QUICK).exitCode() == 0;
  }

  /** A command that will run in there as root, without an environment of this machine. */
  ProcessBuilder command(List<String> command) {
    List<String> line = ssh();
    line.add(
        command.stream()
            .map(word -> "'" + word.replace("'", "'\\''") + "'")
            .collect(Collectors.joining(" ")));
    return new ProcessBuilder(line);
  }

  /** Runs a command in there to its end, or until {@code limit}. */
  public Execution run(Duration limit, String... command) {
    return Execution.run(command(List.of(command)), limit);
  }

  /**
   * Starts a program in there; what it prints is in {@code LOGFOLDER/NAME-PROGRAM.log}. The process
   * stands for it: it ends when the program ends, but to kill it does not kill the program.
   */
  public LabProcess start(String program, String... command) {
    return LabProcess.start(program + " on " + name, command(List.of(command)), log(program));
  }

  /** Writes a file in there, and the folders above it. */
  public void write(String file, String text) {
    String script = "mkdir -p \"$(dirname \"$1\")\"; cat >\"$1\"";
    Execution.run(command(List.of("sh", "-ec", script, "sh", file)), text, QUICK).orThrow();
  }

  /**
   * Starts a stream of requests from there; close it to stop them. The times of its samples are
   * those of {@link #nanoTime}.
   */
  public Traffic traffic(TrafficTarget target) {
    List<String> line = Traffic.command(FILES + "/" + TRAFFIC, target, FILES + "/" + CA_FILE);
    return Traffic.start(name, command(line), logFolder);
  }

  /** Its monotonic clock, rounded up to 10 ms. */
  public long nanoTime() {
    String uptime = run(QUICK, "cat", "/proc/uptime").orThrow().out();
    return (Math.round(Double.parseDouble(uptime.split(" ", -1)[0]) * 100) + 1) * 10_000_000;
  }

  /** Resets it, after its disk has been written, and waits until it takes commands again. */
  public void reboot() {
    run(QUICK, "sync").orThrow();
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(monitor))) {
      Scanner answers =
          new Scanner(Channels.newReader(channel, StandardCharsets.US_ASCII))
              .useDelimiter("\\(qemu\\) ");
      String unusedGreeting = answers.next();
      int unusedWritten =
          channel.write(ByteBuffer.wrap("system_reset\n".getBytes(StandardCharsets.US_ASCII)));
      // With the next prompt it is done: no connection that begins later is to the old kernel.
      String unusedEcho = answers.next();
    } catch (IOException e) {
      throw new LabException("cannot reset " + name, e);
    }
    connection.kill();
    awaitCommands();
  }

  /** Ends it, as if the power were cut, and unplugs it. */
  void close() {
    connection.kill();
    emulator.kill();
    Execution.run(QUICK, "ip", "link", "del", tap(name)).orThrow();
  }
}
