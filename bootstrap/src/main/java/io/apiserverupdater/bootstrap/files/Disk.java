package io.apiserverupdater.bootstrap.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** The single steps that writing a file consists of. Tests let each of them fail. */
public class Disk {
  private static final String READABLE = "rw-r--r--";

  /**
   * The whole content of a file.
   *
   * @param limit in bytes
   * @throws IOException also when the file is larger
   */
  public byte[] read(Path file, int limit) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        InputStream in = Channels.newInputStream(channel)) {
      long size = channel.size();
      if (size > limit) {
        throw new IOException(
            file + " has " + size + " bytes, expected at most " + limit + " for such a file");
      }
      // Some files, as in /proc, have a size of 0 and a content all the same.
      byte[] content = in.readNBytes(limit + 1);
      if (content.length > limit) {
        throw new IOException(file + " has more than the " + limit + " bytes expected");
      }
      return content;
    }
  }

  /**
   * Makes a copy with the mode, the owner and every extended attribute of the original: access
   * control lists and the SELinux label are extended attributes, and the JDK copies them by name
   * where the file system has them.
   */
  public void copy(Path from, Path to) throws IOException {
    Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
  }

  /** Makes a folder, and those above it, that only its owner may change, whatever the umask is. */
  public void createDirectories(Path directory) throws IOException {
    Files.createDirectories(directory, mode("rwxr-xr-x"));
  }

  /**
   * Makes a file that must not be there yet, that only its owner may change and everybody may read,
   * whatever the umask is; its bytes are on the disk when this returns.
   */
  public void create(Path file, byte[] content) throws IOException {
    write(
        file,
        content,
        0,
        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
        mode(READABLE));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(READABLE));
  }

  private static FileAttribute<?> mode(String mode) {
    return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode));
  }

  /** Gives a file that is there another content, which is on the disk when this returns. */
  public void overwrite(Path file, byte[] content) throws IOException {
    write(file, content, 0, Set.of(StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING));
  }

  /** Writes into a file that is there, from a position on; on the disk when this returns. */
  public void writeAt(Path file, byte[] bytes, long position) throws IOException {
    write(file, bytes, position, Set.of(StandardOpenOption.WRITE));
  }

  private static void write(
      Path file,
      byte[] bytes,
      long position,
      Set<OpenOption> options,
      FileAttribute<?>... attributes)
      throws IOException {
    try (FileChannel channel = FileChannel.open(file, options, attributes)) {
      channel.position(position);
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
    }
  }

  /** Cuts a file to a length; on the disk when this returns. */
  public void truncate(Path file, long length) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(length);
      channel.force(true);
    }
  }

  /** Puts a file in the place of another in one step: nobody ever sees neither. */
  public void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Makes the names in a folder durable, such as those that a rename has changed. */
  public void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /**
   * Whether something is mounted on this very file, so that no rename onto it works.
   *
   * @param file absolute, without symbolic links
   */
  public boolean isMountPoint(Path file) throws IOException {
    return MountPoints.contains(this, file);
  }

  public void delete(Path file) throws IOException {
    Files.deleteIfExists(file);
  }
}
