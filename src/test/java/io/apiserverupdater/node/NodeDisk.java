package io.apiserverupdater.node;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.LabException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The disk of one node: an ext4 file system on a loop device, whose file is in memory. It is
 * mounted in the universe all the time, so that files can be read and written while the node is
 * off; what a container does to it is seen at once. When the universe ends, the kernel unmounts it
 * and frees the loop device.
 *
 * @param root where it is mounted
 */
record NodeDisk(Path folder, Path root) implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** Copies the image into {@code folder}, which must not exist, and mounts it there. */
  static NodeDisk create(NodeImage image, Path folder) {
    Path file = folder.resolve("disk.img");
    NodeDisk disk = new NodeDisk(folder, folder.resolve("root"));
    LabException.wrap("cannot make " + disk.root, () -> Files.createDirectories(disk.root));
    run("cp", "--sparse=always", image.disk().toString(), file.toString());
    // -n: mount keeps no books in the machine's /run.
    run("mount", "-n", "-o", "loop", file.toString(), disk.root.toString());
    // What is mounted on it while the node is on is to be seen in there.
    run("mount", "-n", "--make-shared", disk.root.toString());
    return disk;
  }

  /** The file or folder that is at an absolute path on the node. */
  Path path(String onNode) {
    return root.resolve(onNode.substring(1));
  }

  /** Writes a file, with its folders. */
  void write(String onNode, String text) {
    Path file = path(onNode);
    try {
      Files.createDirectories(file.resolveSibling(""));
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new LabException("cannot write " + file, e);
    }
  }

  /** Deletes a file that is there. */
  void remove(String onNode) {
    try {
      Files.delete(path(onNode));
    } catch (IOException e) {
      throw new LabException("cannot delete " + path(onNode), e);
    }
  }

  byte[] read(String onNode) {
    return LabException.wrap("cannot read " + path(onNode), () -> Files.readAllBytes(path(onNode)));
  }

  String text(String onNode) {
    return new String(read(onNode), StandardCharsets.UTF_8);
  }

  /** Copies a file of the machine, or all that is in a folder of it when it ends in {@code /.}. */
  void copy(String source, String onNode) {
    run("cp", "-a", "--no-preserve=ownership", source, path(onNode).toString());
  }

  /** Runs a command with this disk as its root, the node being off. */
  Execution chroot(String... command) {
    String[] line = new String[command.length + 2];
    line[0] = "chroot";
    line[1] = root.toString();
    System.arraycopy(command, 0, line, 2, command.length);
    return Execution.run(LIMIT, line);
  }

  private static void run(String... command) {
    Execution.run(LIMIT, command).orThrow();
  }

  /** Unmounts and deletes it; the node must be off. */
  @Override
  public void close() {
    Execution unmounted = Execution.run(LIMIT, "umount", "-n", root.toString());
    if (unmounted.exitCode() != 0 && Files.isDirectory(root.resolve("etc"))) {
      unmounted.orThrow();
    }
    run("rm", "-rf", "--one-file-system", folder.toString());
  }
}
