package io.apiserverupdater.bootstrap.files;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * A new content for a file, written beside it and on the disk, which {@link #commit} puts in its
 * place. Until then the file is untouched; a power loss at any moment leaves the old content or the
 * new one. {@link #close} throws away what was not committed; what a crash left behind, {@link
 * #removeLeftovers} finds by its name.
 */
public final class PendingFile implements AutoCloseable {
  private static final String OURS = ".apiserver-bootstrap-";

  private final Disk disk;
  private final Path target;
  private final Path temporary;
  private boolean committed;

  private PendingFile(Disk disk, Path target) {
    this.disk = disk;
    this.target = target;
    this.temporary = target.resolveSibling(prefix(target) + Long.toHexString(System.nanoTime()));
  }

  /**
   * Prepares the content. A file that is there already passes on its mode, its owner and its
   * extended attributes.
   *
   * @param target not a symbolic link, for that would be replaced itself
   */
  public static PendingFile prepare(Disk disk, Path target, byte[] content) throws IOException {
    PendingFile pending = new PendingFile(disk, target);
    boolean prepared = false;
    try {
      if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
        disk.copy(target, pending.temporary);
        pending.checkOwnerAndMode();
        disk.overwrite(pending.temporary, content);
      } else {
        disk.create(pending.temporary, content);
      }
      prepared = true;
      return pending;
    } finally {
      if (!prepared) {
        pending.close();
      }
    }
  }

  /**
   * All of it at once: clears away leftovers, prepares and commits.
   *
   * @return what {@link #commit} says
   */
  public static boolean replace(Disk disk, Path target, byte[] content) throws IOException {
    removeLeftovers(disk, target);
    try (PendingFile pending = prepare(disk, target, content)) {
      return pending.commit();
    }
  }

  /** A copy drops silently what it has no right to keep. */
  private void checkOwnerAndMode() throws IOException {
    String attributes = "unix:uid,gid,mode";
    Object wanted = Files.readAttributes(target, attributes, LinkOption.NOFOLLOW_LINKS);
    Object copied = Files.readAttributes(temporary, attributes, LinkOption.NOFOLLOW_LINKS);
    if (!wanted.equals(copied)) {
      throw new IOException(
          """
          a new version of %s would have a different owner or mode (%s, expected %s); run this as \
          root"""
              .formatted(target, copied, wanted));
    }
  }

  /**
   * Replaces the file by one rename.
   *
   * @return false when the rename is done but may not survive a power loss: its folder could not be
   *     synced
   */
  public boolean commit() throws IOException {
    disk.rename(temporary, target);
    committed = true;
    try {
      disk.syncDirectory(folderOf(target));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    if (!committed) {
      disk.delete(temporary);
    }
  }

  /**
   * Removes what earlier processes prepared for this file and did not live to commit. Only for who
   * holds the lock under which the file is written.
   */
  public static void removeLeftovers(Disk disk, Path target) throws IOException {
    Path folder = folderOf(target);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        if (file.getFileName().toString().startsWith(prefix(target))) {
          disk.delete(file);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private static Path folderOf(Path file) {
    return file.toAbsolutePath().resolveSibling("");
  }

  private static String prefix(Path target) {
    return "." + target.getFileName() + OURS;
  }
}
