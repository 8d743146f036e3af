package io.apiserverupdater.bootstrap.hosts;

import io.apiserverupdater.bootstrap.files.Disk;
import io.apiserverupdater.bootstrap.files.FailureReason;
import io.apiserverupdater.bootstrap.files.InPlaceFile;
import io.apiserverupdater.bootstrap.files.LockFile;
import io.apiserverupdater.bootstrap.files.LockTimeoutException;
import io.apiserverupdater.bootstrap.files.PendingFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * The hosts file on the disk. At any moment, a power loss included, it holds its old content or the
 * new one; when a change fails, the old one. Where there is none, one with localhost is made.
 * docs/adr/0017 tells how and why.
 */
public final class HostsFileStore {
  /** More is no hosts file, and would not fit into the memory that this program is given. */
  static final int MAX_BYTES = 4 << 20;

  /** What a machine that has no hosts file starts from: the lines of Debian's. */
  private static final String INITIAL =
      "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n";

  /** How often to start over when somebody else writes the file at the same moment. */
  private static final int ATTEMPTS = 5;

  private final Disk disk;
  private final Path file;
  private final Path stateDirectory;
  private final Consumer<String> warnings;

  /** One change of the content; called again when somebody else has changed the file meanwhile. */
  @FunctionalInterface
  public interface Edit {
    HostsFile apply(HostsFile current) throws HostsFileException;
  }

  /**
   * A change of the content.
   *
   * @param after what the file holds now, or after a dry run: would hold
   */
  public record Change(HostsFile before, HostsFile after) {
    public boolean differs() {
      return !before.sameBytes(after);
    }
  }

  /**
   * @param file may be a symbolic link, which is followed
   * @param stateDirectory holds the lock, and the saved contents of a write in place; made when
   *     missing
   * @param warnings takes sentences for a person
   */
  public HostsFileStore(Path file, Path stateDirectory, Consumer<String> warnings) {
    this(new Disk(), file, stateDirectory, warnings);
  }

  HostsFileStore(Disk disk, Path file, Path stateDirectory, Consumer<String> warnings) {
    this.disk = disk;
    this.file = file;
    this.stateDirectory = stateDirectory;
    this.warnings = warnings;
  }

  /**
   * What is there now.
   *
   * @throws HostsFileException when our block in it is damaged
   */
  public HostsFile read() throws IOException {
    return edited(content(target()), file -> file).before();
  }

  /**
   * What is there now, whatever it is.
   *
   * @throws IOException when it cannot be read
   */
  public byte[] bytes() throws IOException {
    return content(target());
  }

  /**
   * Brings the old content back where a write in place was cut, as {@link #change} does first of
   * all. Until then the file may be such that nobody can read it.
   *
   * @param lockDeadline how long to wait for another process that changes it
   * @throws IOException when it cannot be done; what it held is saved still
   */
  @SuppressWarnings("try") // The lock is held, not used.
  public void mend(Duration lockDeadline) throws IOException {
    Path target = target();
    InPlaceFile inPlace = new InPlaceFile(disk, target, stateDirectory);
    if (inPlace.cut()) {
      try (LockFile lock = lock(target, lockDeadline)) {
        recover(inPlace);
      }
    }
  }

  /** What {@link #change} would do, to a file that it would mend as well; writes nothing. */
  public Change dryRun(Edit edit) throws IOException {
    Path target = target();
    try {
      return edited(new InPlaceFile(disk, target, stateDirectory).whole(MAX_BYTES), edit);
    } catch (HostsFileException e) {
      throw e;
    } catch (NoSuchFileException e) {
      return edited(content(target), edit);
    } catch (IOException e) {
      throw failure("cannot read " + target, e);
    }
  }

  /**
   * Changes the file. Nothing is written when nothing differs.
   *
   * @param lockDeadline how long to wait for another process that changes it
   * @throws HostsFileException when the content does not allow the change
   * @throws IOException when it cannot be done; the old content is intact
   */
  @SuppressWarnings("try") // The lock is held, not used.
  public Change change(Edit edit, Duration lockDeadline) throws IOException {
    Path target = target();
    InPlaceFile inPlace = new InPlaceFile(disk, target, stateDirectory);
    if (!inPlace.cut()) {
      Change change = edited(content(target), edit);
      if (!change.differs()) {
        return change;
      }
    }
    try (LockFile lock = lock(target, lockDeadline)) {
      recover(inPlace);
      return changeLocked(target, inPlace, edit);
    }
  }

  private Change changeLocked(Path target, InPlaceFile inPlace, Edit edit) throws IOException {
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      byte[] content = content(target);
      Change change = edited(content, edit);
      if (!change.differs() || replace(target, inPlace, content, change.after().bytes())) {
        return change;
      }
    }
    throw new IOException(
        """
        cannot change %s: another program keeps writing it (%d times between reading and writing). \
        Find that program (cloud-init, NetworkManager, configuration management) and stop it; \
        nothing was changed"""
            .formatted(target, ATTEMPTS));
  }

  /** False when the file has another content than the expected one by now. */
  private boolean replace(Path target, InPlaceFile inPlace, byte[] expected, byte[] content)
      throws IOException {
    try {
      removeLeftovers(target);
      // Who writes without our lock, an editor or cloud-init, is noticed up to the rename itself.
      try (PendingFile pending = PendingFile.prepare(disk, target, content)) {
        if (!Arrays.equals(content(target), expected)) {
          return false;
        }
        if (Files.notExists(target)) {
          warnings.accept(target + " was missing: created, with localhost and our own block");
        }
        if (!pending.commit()) {
          warnings.accept(
              target + " is written, but its folder cannot be synced: a power loss may undo it");
        }
      }
      return true;
    } catch (IOException e) {
      if (!isInPlaceNeeded(inPlace, e)) {
        throw failure("cannot replace " + target, e);
      }
    }
    try {
      disk.createDirectories(stateDirectory);
      if (!Arrays.equals(content(target), expected)) {
        return false;
      }
      inPlace.write(expected, content);
      return true;
    } catch (IOException e) {
      String what =
          "cannot write into " + target + ", which is a mount point, so a rename is impossible";
      if (!inPlace.cut()) {
        throw failure(what, e);
      }
      throw new IOException(
          """
          %s: %s. It may now have parts of the old and the new content. The old one is in %s: copy \
          it back, or run this again, which does the same"""
              .formatted(what, FailureReason.of(e), inPlace.saved()),
          e);
    }
  }

  private static boolean isInPlaceNeeded(InPlaceFile inPlace, IOException cause) {
    try {
      return inPlace.needed();
    } catch (IOException e) {
      cause.addSuppressed(e);
      return false;
    }
  }

  private void removeLeftovers(Path target) {
    try {
      PendingFile.removeLeftovers(disk, target);
    } catch (IOException e) {
      warnings.accept("cannot look for leftovers beside " + target + ": " + FailureReason.of(e));
    }
  }

  private void recover(InPlaceFile inPlace) throws IOException {
    switch (inPlace.recover(MAX_BYTES)) {
      case NOTHING_TO_DO -> {}
      case RECOVERED ->
          warnings.accept(
              file + " was half written, probably by a power loss; its old content is restored");
      case EDITED_SINCE ->
          warnings.accept(
              """
              a write into %s was interrupted, and the file was edited since: it is unchanged. Its \
              old content is in %s.unused"""
                  .formatted(file, inPlace.saved()));
    }
  }

  private LockFile lock(Path target, Duration deadline) throws IOException {
    try {
      disk.createDirectories(stateDirectory);
      return LockFile.acquire(stateDirectory.resolve("lock"), deadline);
    } catch (LockTimeoutException e) {
      throw e;
    } catch (IOException e) {
      // Where nothing can be kept, the hosts file may still be writable.
      Path beside = target.resolveSibling("." + target.getFileName() + ".apiserver-bootstrap.lock");
      warnings.accept(
          "cannot lock in " + stateDirectory + " (" + FailureReason.of(e) + "), using " + beside);
      try {
        return LockFile.acquire(beside, deadline);
      } catch (LockTimeoutException timeout) {
        throw timeout;
      } catch (IOException again) {
        throw failure("cannot lock " + target, again);
      }
    }
  }

  private Path target() throws IOException {
    Path target;
    try {
      target = file.toRealPath();
    } catch (NoSuchFileException e) {
      if (Files.isSymbolicLink(file)) {
        throw new IOException(
            file + " is a symbolic link to a file that is not there. Restore that file", e);
      }
      return file.toAbsolutePath();
    } catch (IOException e) {
      throw failure("cannot find " + file, e);
    }
    if (!Files.isRegularFile(target)) {
      throw new IOException(target + " is not a regular file, expected a hosts file");
    }
    return target;
  }

  private byte[] content(Path target) throws IOException {
    try {
      return disk.read(target, MAX_BYTES);
    } catch (NoSuchFileException e) {
      return INITIAL.getBytes(StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw failure("cannot read " + target, e);
    }
  }

  private Change edited(byte[] content, Edit edit) throws HostsFileException {
    try {
      HostsFile before = HostsFile.parse(content);
      return new Change(before, edit.apply(before));
    } catch (HostsFileException e) {
      throw e.in(file);
    }
  }

  private static IOException failure(String what, IOException cause) {
    return new IOException(
        what + ": " + FailureReason.of(cause) + ". Its content is unchanged", cause);
  }
}
