package io.apiserverupdater.node;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.LabException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;

/**
 * A small disk of which one can tell what a power loss would leave: a copy of its file holds what
 * the kernel has written to the disk, and nothing of what it still keeps in memory. Mounting the
 * copy replays the journal, as the next boot would.
 */
record CrashDisk(Path file, Path mounted) implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  /**
   * Makes one and mounts it.
   *
   * @param file for the disk, which does not exist yet
   * @param mountPoint a folder, made if it is missing
   */
  static CrashDisk create(Path file, Path mountPoint) {
    // A short commit interval lets the kernel write by itself at some of the moments, too.
    run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-J", "size=4", file.toString(), "16M");
    return mount(file, mountPoint, "loop,commit=1");
  }

  private static CrashDisk mount(Path file, Path mountPoint, String options) {
    LabException.wrap("cannot make " + mountPoint, () -> Files.createDirectories(mountPoint));
    run("mount", "-n", "-o", options, file.toString(), mountPoint.toString());
    return new CrashDisk(file, mountPoint);
  }

  Path root() {
    return mounted;
  }

  /** What a power loss now would leave, in a file. */
  Path copy(Path to) {
    return LabException.wrap(
        "cannot copy " + file, () -> Files.copy(file, to, StandardCopyOption.REPLACE_EXISTING));
  }

  /** The disk after the power loss, mounted by the next boot. */
  static CrashDisk recover(Path copy, Path mountPoint) {
    return mount(copy, mountPoint, "loop");
  }

  private static void run(String... command) {
    Execution.run(LIMIT, command).orThrow();
  }

  /** Unmounts it and deletes its file. */
  @Override
  public void close() {
    run("umount", "-n", mounted.toString());
    run("rm", "-f", file.toString());
  }
}
