package io.apiserverupdater.updater.export;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The file that a load balancer reads. It is replaced by a rename, so that a crash or a power loss
 * leaves the old content or the new one. What lies beside it begins with a dot, so that no balancer
 * that reads the whole folder takes it for configuration:
 *
 * <ul>
 *   <li>{@code .NAME.new}, the new content until it takes the file's place;
 *   <li>{@code .NAME.check}, a configuration around it, with which it is checked;
 *   <li>{@code .NAME.changed}, from the rename until the balancer knows;
 *   <li>{@code .NAME.lock}, which the process that writes keeps locked until it ends.
 * </ul>
 *
 * <p>For one thread at a time.
 */
final class BalancerFile implements AutoCloseable {
  /** As path_resolution(7) has it. */
  private static final int MOST_LINKS = 40;

  /** Whoever can open the lock's file, be it to read, can lock it (fcntl(2)). */
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private final Path given;
  private Optional<FileChannel> locked = Optional.empty();

  BalancerFile(Path file) {
    this.given = file.toAbsolutePath();
  }

  /** What it says, as far as that is UTF-8; empty when it does not exist. */
  Optional<String> read() throws IOException {
    if (Files.exists(given) && !Files.isRegularFile(given)) {
      // A pipe, say: to read it would be to wait for who writes it.
      throw new IOException("expected a regular file, or none");
    }
    try {
      return Optional.of(new String(Files.readAllBytes(given), StandardCharsets.UTF_8));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /**
   * Keeps all other processes from writing the file, until {@link #close} or the end of this one.
   * To be called before anything is written.
   *
   * @throws IOException when another process writes it
   */
  void lock() throws IOException {
    if (locked.isPresent()) {
      return;
    }
    Path lock = beside("lock");
    FileChannel channel =
        FileChannel.open(
            lock,
            Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
            PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    if (!holds(channel)) {
      throw new IOException(
          "another process writes this file, too; it has locked "
              + lock
              + ". Stop one of them, or give each a file of its own");
    }
    locked = Optional.of(channel);
  }

  /** Whether it could be locked; closes it otherwise. */
  private static boolean holds(FileChannel channel) throws IOException {
    boolean held = false;
    try {
      held = channel.tryLock() != null;
      return held;
    } catch (OverlappingFileLockException e) {
      // This process has locked it already.
      return false;
    } finally {
      if (!held) {
        channel.close();
      }
    }
  }

  @Override
  public void close() throws IOException {
    if (locked.isPresent()) {
      locked.get().close();
      locked = Optional.empty();
    }
  }

  /**
   * Writes the new content beside the file, with the file's mode, owner and extended attributes.
   *
   * @return where it is now
   */
  Path prepare(String content) throws IOException {
    Path file = target();
    Path prepared = beside("new");
    Files.deleteIfExists(prepared);
    if (Files.exists(file)) {
      Files.copy(file, prepared, StandardCopyOption.COPY_ATTRIBUTES);
    } else {
      Files.createFile(prepared);
      // Balancers do not run as root; the umask may say otherwise.
      Files.setPosixFilePermissions(prepared, PosixFilePermissions.fromString("rw-r--r--"));
    }
    write(prepared, content);
    return prepared;
  }

  /** Writes a configuration to check the new content with. */
  Path prepareFrame(String content) throws IOException {
    Path frame = beside("check");
    write(frame, content);
    return frame;
  }

  /**
   * What HAProxy reads as well when it reads the folder: its configuration files there (haproxy(1),
   * {@code -f}). None if that folder has the main configuration, which is not read as a whole.
   */
  List<Path> others() throws IOException {
    Path folder = given.resolveSibling("");
    if (Files.exists(folder.resolve("haproxy.cfg"))) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".cfg") && !file.equals(given))
          .filter(file -> !file.getFileName().toString().startsWith("."))
          .sorted()
          .toList();
    }
  }

  private Path beside(String what) throws IOException {
    Path file = target();
    return file.resolveSibling("." + file.getFileName() + "." + what);
  }

  /** A symbolic link stays one: what it leads to is replaced, or made. */
  private Path target() throws IOException {
    Path file = given;
    for (int links = 0; links < MOST_LINKS && Files.isSymbolicLink(file); links++) {
      file = file.resolveSibling(Files.readSymbolicLink(file));
    }
    return file;
  }

  /**
   * Puts the new content in the file's place.
   *
   * @param toBeTold whether the balancer must be told of it
   */
  void commit(boolean toBeTold) throws IOException {
    Path file = target();
    if (toBeTold) {
      write(beside("changed"), "");
    }
    Files.move(beside("new"), file, StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel folder = FileChannel.open(file.resolveSibling(""), StandardOpenOption.READ)) {
      folder.force(true);
    }
    clear();
  }

  /** Throws the new content away. */
  void clear() throws IOException {
    Files.deleteIfExists(beside("new"));
    Files.deleteIfExists(beside("check"));
  }

  /** Whether the balancer has not been told of the file's content yet. */
  boolean isToBeTold() throws IOException {
    return Files.exists(beside("changed"));
  }

  /** The balancer knows. */
  void told() throws IOException {
    Files.deleteIfExists(beside("changed"));
  }

  private static void write(Path file, String content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING,
            LinkOption.NOFOLLOW_LINKS)) {
      ByteBuffer bytes = ByteBuffer.wrap(content.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
  }
}
