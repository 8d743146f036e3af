package io.apiserverupdater.bootstrap.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Writes into a file that cannot be replaced by a rename. For a moment such a file holds part of
 * the old content and part of the new one, so both are saved elsewhere first: when the write is
 * cut, by a power loss or a full disk, {@link #recover} finds that out and brings the old content
 * back.
 */
public final class InPlaceFile {
  private final Disk disk;
  private final Path file;
  private final Path folder;
  private final Path before;
  private final Path after;

  /** What {@link #recover} found. */
  public enum Recovery {
    /** No write was cut. */
    NOTHING_TO_DO,
    /** The file was torn; it has its old content again. */
    RECOVERED,
    /** A write was cut, and somebody has edited the file since: it stays as it is. */
    EDITED_SINCE
  }

  /**
   * @param file absolute, without symbolic links
   * @param folder where the contents are saved meanwhile
   */
  public InPlaceFile(Disk disk, Path file, Path folder) {
    this.disk = disk;
    this.file = file;
    this.folder = folder;
    String name = file.toString().substring(1).replace('/', '-');
    this.before = folder.resolve(name + ".before");
    this.after = folder.resolve(name + ".after");
  }

  /** Whether a rename onto the file cannot work, because something is mounted on it. */
  public boolean needed() throws IOException {
    return disk.isMountPoint(file);
  }

  /** Where the old content is while a write is under way. */
  public Path saved() {
    return before;
  }

  /** Whether a write was cut, so that {@link #recover} has something to look at. */
  public boolean cut() {
    return Files.exists(before);
  }

  /**
   * The content that the file has, or would have after {@link #recover}; changes nothing.
   *
   * @param limit in bytes, for each of the contents
   */
  public byte[] whole(int limit) throws IOException {
    byte[] current = disk.read(file, limit);
    if (!cut()) {
      return current;
    }
    byte[] old = disk.read(before, limit);
    byte[] wanted = Files.exists(after) ? disk.read(after, limit) : old;
    return isTorn(current, old, wanted) ? old : current;
  }

  /**
   * Brings a torn file back, under the lock under which it is written.
   *
   * @param limit in bytes, for each of the contents
   */
  public Recovery recover(int limit) throws IOException {
    if (!cut()) {
      return Recovery.NOTHING_TO_DO;
    }
    byte[] old = disk.read(before, limit);
    byte[] wanted = Files.exists(after) ? disk.read(after, limit) : old;
    byte[] current = disk.read(file, limit);
    Recovery found = Recovery.NOTHING_TO_DO;
    if (!Arrays.equals(current, old) && !Arrays.equals(current, wanted)) {
      if (!isMixture(current, old, wanted)) {
        disk.rename(before, before.resolveSibling(before.getFileName() + ".unused"));
        disk.delete(after);
        return Recovery.EDITED_SINCE;
      }
      fill(current.length, old);
      found = Recovery.RECOVERED;
    }
    forget();
    return found;
  }

  /**
   * Writes the content. When that fails, the old content is back, or, when not even that can be
   * written, is where {@link #saved} says, and {@link #recover} brings it back.
   *
   * @param old the content now
   */
  public void write(byte[] old, byte[] content) throws IOException {
    boolean touched = false;
    try {
      // The second one says that a write is under way, so the first one must be complete by then.
      save(after, content);
      save(before, old);
      touched = true;
      fill(old.length, content);
    } catch (IOException e) {
      try {
        if (touched) {
          rollBack(old);
        }
        forget();
      } catch (IOException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
    try {
      forget();
    } catch (IOException e) {
      // The file is whole. The next recover sees that and forgets then.
    }
  }

  /** Cuts first and writes only what differs: on a full disk even writing may need room. */
  private void rollBack(byte[] old) throws IOException {
    if (Files.size(file) > old.length) {
      disk.truncate(file, old.length);
    }
    if (!Arrays.equals(disk.read(file, old.length), old)) {
      disk.writeAt(file, old, 0);
    }
  }

  private void save(Path place, byte[] content) throws IOException {
    if (!PendingFile.replace(disk, place, content)) {
      throw new IOException("cannot make " + place + " durable");
    }
  }

  /** What is longer goes first: when the disk is full, nothing of the old content is gone yet. */
  private void fill(int length, byte[] content) throws IOException {
    if (content.length > length) {
      disk.writeAt(file, Arrays.copyOfRange(content, length, content.length), length);
    }
    disk.writeAt(file, Arrays.copyOf(content, Math.min(length, content.length)), 0);
    disk.truncate(file, content.length);
  }

  private void forget() throws IOException {
    disk.delete(before);
    disk.syncDirectory(folder);
    disk.delete(after);
  }

  private static boolean isTorn(byte[] current, byte[] old, byte[] wanted) {
    return !Arrays.equals(current, old)
        && !Arrays.equals(current, wanted)
        && isMixture(current, old, wanted);
  }

  /** Whether each byte is of one of the two contents, or a hole that a power loss left. */
  static boolean isMixture(byte[] current, byte[] old, byte[] wanted) {
    if (current.length < Math.min(old.length, wanted.length)
        || current.length > Math.max(old.length, wanted.length)) {
      return false;
    }
    for (int i = 0; i < current.length; i++) {
      boolean fits =
          current[i] == 0
              || (i < old.length && current[i] == old[i])
              || (i < wanted.length && current[i] == wanted[i]);
      if (!fits) {
        return false;
      }
    }
    return true;
  }
}
