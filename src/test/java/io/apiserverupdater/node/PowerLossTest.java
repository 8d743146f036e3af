package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.LabProcess;
import io.apiserverupdater.lab.ProxyMode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The power goes while the bootstrap is at work. What is on the disk then is the old hosts file or
 * the new one, the old list or the new one, and the next boot works.
 */
@Tag("real")
@Timeout(400)
class PowerLossTest {
  /** Of pin, hand-over and refresh in turn, on a disk that forgets what was not synced. */
  private static final int MOMENTS = 200;

  /** Of whole boots, by SIGKILL to the container. */
  private static final int BOOTS = 8;

  private static final Duration SOON = Duration.ofSeconds(60);
  private static final String DISK = "/mnt/crash";
  private static final String AFTER = "/mnt/after";
  private static final List<String> COMMANDS = List.of("pin", "handover", "refresh");

  @RegisterExtension
  static final NodeCluster cluster =
      NodeCluster.of(
          "power-loss",
          new NodePlan(1, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "hosts"),
          new NodePlan(2, ProxyMode.NFTABLES, ProxyPlacement.UNIT, "nft"));

  /**
   * The units' commands are run on a booted node, not whole boots: 200 of those would take too
   * long. At the moment of the loss a copy of the disk is taken, which lacks what was not synced;
   * the process is killed.
   */
  @Test
  void leavesTheOldFilesOrTheNewOnes() throws IOException {
    BootedNode node = cluster.node(1);
    Path work = cluster.lab().work();
    try (CrashDisk disk = CrashDisk.create(work.resolve("crash.img"), node.disk().path(DISK))) {
      node = cluster.settled(1);
      String original = "127.0.0.1\tlocalhost\r\n# kept, whatever happens \t\n10.1.2.3 db db.local";
      Files.writeString(disk.root().resolve("hosts"), original);
      Execution.run(SOON, "sync", "--file-system", disk.root().toString()).orThrow();
      Random random = new Random(20260101);
      Set<String> seen = new TreeSet<>();
      Set<String> lists = new TreeSet<>();
      long nanos = measure(node);
      for (int i = 0; i < MOMENTS; i++) {
        String command = COMMANDS.get(i % COMMANDS.size());
        LabProcess process = node.start("bootstrap", bootstrap(DISK, command));
        LockSupport.parkNanos((long) (random.nextDouble() * nanos * 1.2));
        Path copy = disk.copy(work.resolve("crash-copy.img"));
        process.kill();
        try (CrashDisk after = CrashDisk.recover(copy, node.disk().path(AFTER))) {
          String what = "moment " + i + ", of " + command;
          assertHosts(original, after.root(), what);
          assertList(after.root(), what);
          seen.add(command + " left " + target(after.root()));
          lists.add(list(after.root()));
          if (i % 10 == 0) {
            pinsOn(node, after, what);
          }
        }
        // What a SIGKILL alone leaves, the machine living on: the next one begins with it.
        assertHosts(original, disk.root(), "the killed " + command + " of moment " + i);
        assertList(disk.root(), "the killed " + command + " of moment " + i);
      }
      System.out.println(
          "figure: %d power losses: %s, %d different lists".formatted(MOMENTS, seen, lists.size()));
      // Both kinds of moments must have been among them, before a change and after it.
      assertTrue(seen.size() > COMMANDS.size(), () -> "no moment hit a change: " + seen);
      assertTrue(lists.size() > MOMENTS / 20, () -> "refresh wrote only " + lists);
      node.powerOff();
    }
  }

  /** How long a command takes that runs to its end, so that the moments lie within it. */
  private static long measure(BootedNode node) {
    long start = System.nanoTime();
    for (String command : COMMANDS) {
      node.runWithin(SOON, bootstrap(DISK, command)).orThrow();
    }
    return (System.nanoTime() - start) / COMMANDS.size();
  }

  /** The next boot: pin works on what was left. */
  private static void pinsOn(BootedNode node, CrashDisk after, String what) {
    Execution pinned = node.runWithin(SOON, bootstrap(AFTER, "pin"));
    assertEquals(0, pinned.exitCode(), () -> what + ": " + pinned);
    assertTrue(controlPlanes().contains(target(after.root())), () -> what + ": " + pinned);
  }

  private static String[] bootstrap(String disk, String command) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "apiserver-bootstrap",
                command,
                "--hosts-file=" + disk + "/hosts",
                "--state-dir=" + disk + "/state"));
    return line.toArray(String[]::new);
  }

  private static Set<String> controlPlanes() {
    return cluster.lab().controlPlanes().stream()
        .map(ControlPlaneHost::address)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String target(Path root) {
    return text(root.resolve("hosts"))
        .lines()
        .filter(line -> !line.startsWith("#") && line.contains(Lab.APISERVER_NAME))
        .map(line -> line.split("\\s+", -1)[0])
        .collect(Collectors.joining(" and "));
  }

  /** Byte for byte what was there, with no block or with one whole block that leads somewhere. */
  private static void assertHosts(String original, Path root, String what) {
    String hosts = text(root.resolve("hosts"));
    if (hosts.equals(original)) {
      return;
    }
    Set<String> targets = controlPlanes();
    targets.add(Lab.APISERVER_SERVICE_ADDRESS);
    assertTrue(targets.contains(target(root)), () -> what + " left\n" + hosts);
    assertTrue(hosts.startsWith(original), () -> what + " left\n" + hosts);
    List<String> block = hosts.substring(original.length()).strip().lines().toList();
    assertTrue(block.get(0).startsWith("# BEGIN apiserver-bootstrap"), () -> what + " " + block);
    assertTrue(
        block.get(block.size() - 1).startsWith("# END apiserver-bootstrap"),
        () -> what + " " + block);
  }

  /** Whole, by its checksum: CRC-32C of all lines before the last. */
  private static void assertList(Path root, String what) {
    for (String name : List.of("control-planes", "control-planes.previous")) {
      Path file = root.resolve("state").resolve(name);
      if (!Files.exists(file)) {
        continue;
      }
      String list = text(file);
      int last = list.lastIndexOf("checksum ");
      assertTrue(last > 0, () -> what + " left a list without an end:\n" + list);
      CRC32C crc = new CRC32C();
      crc.update(list.substring(0, last).getBytes(StandardCharsets.ISO_8859_1));
      assertEquals(
          "checksum %08x%n".formatted(crc.getValue()), list.substring(last), what + "\n" + list);
    }
  }

  private static String list(Path root) {
    Path file = root.resolve("state/control-planes");
    return Files.exists(file) ? text(file) : "";
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new AssertionError("cannot read " + file, e);
    }
  }

  /** Whole boots, cut at any time in their first seconds. */
  @Test
  void bootsAfterAnyNumberOfBootsThatWereCut() {
    for (int number = 1; number <= 2; number++) {
      BootedNode node = cluster.settled(number);
      String before = new String(node.hostsFile(), StandardCharsets.UTF_8);
      String around = withoutBlock(before);
      Random random = new Random(number);
      for (int i = 0; i < BOOTS / 2; i++) {
        node.powerOff();
        node.powerOn();
        LockSupport.parkNanos((long) (random.nextDouble() * 4e9));
        node.powerOff();
        String left = new String(node.hostsFile(), StandardCharsets.UTF_8);
        assertEquals(around, withoutBlock(left), () -> "left\n" + left);
        assertTrue(!node.target(Lab.APISERVER_NAME).isEmpty(), () -> "left\n" + left);
        node.powerOn();
      }
      long unusedReady = node.awaitSettled(SOON);
      assertEquals(Lab.APISERVER_SERVICE_ADDRESS, node.target(Lab.APISERVER_NAME));
      node.powerOff();
    }
  }

  private static String withoutBlock(String hosts) {
    int begin = hosts.indexOf("# BEGIN apiserver-bootstrap");
    String end = "# END apiserver-bootstrap\n";
    int after = hosts.indexOf(end);
    return begin < 0 ? hosts : hosts.substring(0, begin) + hosts.substring(after + end.length());
  }
}
