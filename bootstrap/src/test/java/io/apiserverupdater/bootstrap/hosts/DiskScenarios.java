package io.apiserverupdater.bootstrap.hosts;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.candidates.CandidateListStore;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * A process with mounts of its own, which go when it ends, and in it the hosts file on disks as
 * nodes have them. Arguments: the name of a scenario and an empty folder. Ends with 0 when all is
 * as it should be.
 */
final class DiskScenarios {
  private static final Duration DEADLINE = Duration.ofSeconds(20);
  private static final String NAME = "apiserver.cluster.local";
  private static final String BEFORE = "127.0.0.1 localhost\n# registry\n10.9.9.9 registry.local";

  private final Path root;
  private final Path etc;
  private final Path hosts;
  private final Path state;
  private final List<String> warnings = new ArrayList<>();

  private DiskScenarios(Path root) throws IOException {
    this.root = root;
    this.etc = Files.createDirectory(root.resolve("etc"));
    this.hosts = etc.resolve("hosts");
    this.state = root.resolve("state");
  }

  public static void main(String[] arguments) throws Exception {
    DiskScenarios scenarios = new DiskScenarios(Path.of(arguments[1]).toRealPath());
    switch (arguments[0]) {
      case "fullDisk" -> scenarios.fullDisk();
      case "bindMount" -> scenarios.bindMount();
      case "bindMountOnAFullDisk" -> scenarios.bindMountOnAFullDisk();
      case "writableFileInAReadOnlyFolder" -> scenarios.writableFileInAReadOnlyFolder();
      case "readOnlyFileSystem" -> scenarios.readOnlyFileSystem();
      case "overlay" -> scenarios.overlay();
      case "immutable" -> scenarios.immutable();
      case "powerLoss" -> scenarios.powerLoss();
      case "attributes" -> scenarios.attributes();
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private HostsFileStore store() {
    return new HostsFileStore(hosts, state, warnings::add);
  }

  private static HostsEntry entry(int last) throws IOException {
    byte[] address = {10, 0, 0, (byte) last};
    return HostsEntry.of(NAME, InetAddress.getByAddress(address));
  }

  private boolean point(int last) throws Exception {
    HostsEntry entry = entry(last);
    return store().change(file -> file.point(entry), DEADLINE).differs();
  }

  static String pointed(String content, int last) throws Exception {
    return new String(
        HostsFile.parse(content.getBytes(ISO_8859_1)).point(entry(last)).bytes(), ISO_8859_1);
  }

  private String failure() throws Exception {
    try {
      point(11);
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
    throw new AssertionError("expected a failure");
  }

  /** At every amount of free space: done, or refused with the old content and nothing left over. */
  private void fullDisk() throws Exception {
    mount("-t tmpfs -o size=64k none", etc);
    String content = BEFORE + "\n" + "# filler\n".repeat(1000);
    Path filler = etc.resolve("filler");
    int refused = 0;
    int done = 0;
    for (int pages = 0; pages <= 8; pages++) {
      Files.deleteIfExists(filler);
      Files.writeString(hosts, content);
      fill(filler, pages);
      try {
        point(11);
        done++;
        same(pointed(content, 11), Files.readString(hosts));
      } catch (IOException e) {
        refused++;
        contains(
            "No space left on device; free some space there. Its content is unchanged",
            String.valueOf(e.getMessage()));
        same(content, Files.readString(hosts));
      }
      same("[filler, hosts]", names(etc).toString());
    }
    check(refused >= 3 && done >= 3, "refused " + refused + ", done " + done);
  }

  /** Leaves just so many pages of 4 KiB free. */
  private static void fill(Path filler, int pages) throws IOException {
    Files.write(filler, new byte[0]);
    byte[] page = new byte[4096];
    long free = Files.getFileStore(filler).getUsableSpace() / page.length;
    for (long i = pages; i < free; i++) {
      Files.write(filler, page, StandardOpenOption.APPEND);
    }
  }

  private void bindMount() throws Exception {
    Path real = Files.writeString(root.resolve("real"), BEFORE);
    Files.createFile(hosts);
    mount("--bind " + real, hosts);
    check(point(11), "changed");
    same(pointed(BEFORE, 11), Files.readString(real));
    check(point(12), "changed");
    check(!point(12), "changed again");
    same(pointed(BEFORE, 12), Files.readString(hosts));
    store().change(HostsFile::restore, DEADLINE);
    same(BEFORE, Files.readString(real));
    same("[hosts]", names(etc).toString());
    same("[lock]", names(state).toString());
    same("[]", warnings.toString());
  }

  private void bindMountOnAFullDisk() throws Exception {
    Path disk = Files.createDirectory(root.resolve("disk"));
    mount("-t tmpfs -o size=16k none", disk);
    // The new entry does not fit into the file's last page.
    String content = BEFORE + "\n" + "#".repeat(4096 - BEFORE.length() - 11) + "\n";
    Path real = Files.writeString(disk.resolve("real"), content);
    fill(disk.resolve("filler"), 0);
    Files.createFile(hosts);
    mount("--bind " + real, hosts);
    String failure = failure();
    contains("mount point", failure);
    contains("No space left on device", failure);
    contains("Its content is unchanged", failure);
    same(content, Files.readString(real));
    same("[lock]", names(state).toString());
    Files.delete(disk.resolve("filler"));
    check(point(11), "changed");
    same(pointed(content, 11), Files.readString(real));
  }

  /** What a unit with ReadWritePaths=/etc/hosts sees. */
  private void writableFileInAReadOnlyFolder() throws Exception {
    Files.writeString(hosts, BEFORE);
    mount("--bind " + etc, etc);
    mount("--bind " + hosts, hosts);
    mount("-o remount,ro,bind", etc);
    check(point(11), "changed");
    same(pointed(BEFORE, 11), Files.readString(hosts));
    same("[hosts]", names(etc).toString());
  }

  private void readOnlyFileSystem() throws Exception {
    mount("-t tmpfs none", etc);
    Files.writeString(hosts, pointed(BEFORE, 12));
    mount("-o remount,ro", etc);
    String failure = failure();
    contains("Read-only file system", failure);
    contains("Its content is unchanged", failure);
    same(pointed(BEFORE, 12), Files.readString(hosts));
    check(!point(12), "what is right already needs no write");
  }

  private void overlay() throws Exception {
    Path disk = Files.createDirectory(root.resolve("disk"));
    mount("-t tmpfs none", disk);
    for (String part : List.of("lower", "upper", "work")) {
      Files.createDirectory(disk.resolve(part));
    }
    Path lower = Files.writeString(disk.resolve("lower").resolve("hosts"), BEFORE);
    Files.setAttribute(lower, "unix:mode", 0640);
    Files.setAttribute(lower, "unix:gid", 42);
    String parts = "lowerdir=DISK/lower,upperdir=DISK/upper,workdir=DISK/work";
    mount("-t overlay -o " + parts.replace("DISK", disk.toString()) + " none", etc);
    check(point(11), "changed");
    same(pointed(BEFORE, 11), Files.readString(hosts));
    same(BEFORE, Files.readString(lower));
    same(
        "{gid=42, mode=33184}",
        new TreeMap<>(Files.readAttributes(hosts, "unix:gid,mode")).toString());
    check(point(12), "changed");
    store().change(HostsFile::restore, DEADLINE);
    same(BEFORE, Files.readString(hosts));
    same("[hosts]", names(etc).toString());
  }

  private void immutable() throws Exception {
    Path unusedImage = ext4();
    Files.writeString(hosts, BEFORE);
    run("chattr", "+i", hosts.toString());
    contains(
        "Operation not permitted; check whether the file or its folder is immutable", failure());
    same(BEFORE, Files.readString(hosts));
    same("[hosts, lost+found]", names(etc).toString());
    run("chattr", "-i", hosts.toString());
    check(point(11), "changed");
  }

  /** SELinux' label and access control lists are extended attributes. */
  private void attributes() throws Exception {
    for (String fileSystem : List.of("tmpfs", "ext4")) {
      if (fileSystem.equals("ext4")) {
        Path unusedImage = ext4();
      } else {
        mount("-t tmpfs none", etc);
      }
      Files.writeString(hosts, BEFORE);
      Files.setAttribute(hosts, "unix:mode", 0640);
      Files.setAttribute(hosts, "unix:uid", 12);
      String before =
          run(
              "python3",
              "-c",
              """
              import os, struct, sys
              entries = [(1, 6, -1), (2, 4, 1000), (4, 4, -1), (16, 4, -1), (32, 0, -1)]
              acl = struct.pack("<I", 2)
              for tag, mode, who in entries:
                  acl += struct.pack("<HHI", tag, mode, who & 0xffffffff)
              label = b"system_u:object_r:net_conf_t:s0\\0"
              for name, value in [
                  ("security.selinux", label),
                  ("system.posix_acl_access", acl),
                  ("trusted.mark", b"1"),
                  ("user.note", b"2"),
              ]:
                  os.setxattr(sys.argv[1], name, value)
              """,
              hosts.toString());
      same("", before);
      String attributes = attributesOf(hosts);
      contains("net_conf_t", attributes);
      contains("posix_acl", attributes);
      check(point(11), "changed");
      same(attributes, attributesOf(hosts));
      run("umount", "-n", etc.toString());
    }
  }

  /**
   * The disk as it is at some moments while a process writes: what only the kernel's memory knows
   * is lost. The process is stopped meanwhile, so that the copy is of one moment.
   */
  private void powerLoss() throws Exception {
    Path image = ext4();
    Files.writeString(hosts, BEFORE);
    run("sync", "--file-system", etc.toString());
    Process writer = CrashWriter.start(hosts, etc.resolve("state"), false);
    Path copy = root.resolve("copy");
    Path after = Files.createDirectory(root.resolve("after"));
    Set<String> whole = Set.of(BEFORE, pointed(BEFORE, 11), pointed(BEFORE, 12));
    Set<String> seen = new TreeSet<>();
    Random random = new Random(7);
    try {
      same("ready", writer.inputReader().readLine());
      for (int loss = 0; loss < 40; loss++) {
        check(!writer.waitFor(random.nextInt(10_000), TimeUnit.MICROSECONDS), "the writer ended");
        signal("STOP", writer);
        awaitStopped(writer);
        Files.copy(image, copy, StandardCopyOption.REPLACE_EXISTING);
        signal("CONT", writer);
        mount("-o loop " + copy, after);
        String found = Files.readString(after.resolve("hosts"));
        check(whole.contains(found), "after loss " + loss + ": " + found);
        seen.add(found);
        List<ApiserverAddress> seeds =
            List.of(ApiserverAddress.parse("10.0.0.9", 6443).orElseThrow());
        new CandidateListStore(after.resolve("state"), warnings::add).read(seeds);
        same("[]", warnings.toString());
        run("umount", "-n", after.toString());
      }
      check(seen.size() > 1, "only one content was ever seen");
    } finally {
      writer.destroyForcibly().waitFor();
      run("umount", "-n", etc.toString());
    }
  }

  /** By the shell's own kill: not every machine has the program. */
  private static void signal(String name, Process process) throws Exception {
    run("sh", "-c", "kill -" + name + " " + process.pid());
  }

  /** A thread within a call of the kernel stops only once that has ended. */
  private static void awaitStopped(Process process) throws Exception {
    Path threads = Path.of("/proc", Long.toString(process.pid()), "task");
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    for (String thread : names(threads)) {
      while (!hasStopped(threads.resolve(thread).resolve("stat"))) {
        check(System.nanoTime() < deadline, "the writer does not stop");
        LockSupport.parkNanos(100_000);
      }
    }
  }

  private static boolean hasStopped(Path stat) throws IOException {
    try {
      return Files.readString(stat).contains(") T ");
    } catch (IOException e) {
      // It has ended before it could be stopped.
      if (Files.exists(stat)) {
        throw e;
      }
      return true;
    }
  }

  private static String attributesOf(Path file) throws Exception {
    return run(
        "python3",
        "-c",
        """
        import os, sys
        file = sys.argv[1]
        stat = os.stat(file)
        print(oct(stat.st_mode), stat.st_uid, stat.st_gid)
        print(sorted((name, os.getxattr(file, name)) for name in os.listxattr(file)))
        """,
        file.toString());
  }

  private Path ext4() throws Exception {
    Path image = root.resolve("image");
    // Smaller ones get no journal.
    Files.write(image, new byte[16 << 20]);
    run("mkfs.ext4", "-q", "-F", image.toString());
    mount("-o loop " + image, etc);
    return image;
  }

  private static void mount(String what, Path at) throws Exception {
    run(("mount -n " + what + " " + at).split(" ", -1));
  }

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), ISO_8859_1);
    check(process.waitFor() == 0, String.join(" ", command) + ": " + output);
    return output;
  }

  static Set<String> names(Path folder) throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.list(folder)) {
      files.forEach(file -> names.add(file.getFileName().toString()));
    }
    return names;
  }

  private static void same(String expected, String found) {
    check(expected.equals(found), "expected <" + expected + ">, found <" + found + ">");
  }

  private static void contains(String part, String text) {
    check(text.contains(part), text);
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }
}
