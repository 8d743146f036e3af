package io.apiserverupdater.bootstrap.state;

import io.apiserverupdater.bootstrap.files.Disk;
import io.apiserverupdater.bootstrap.files.LockFile;
import io.apiserverupdater.bootstrap.files.PendingFile;
import io.apiserverupdater.bootstrap.log.Log;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The state file, {@code state} in the state directory; written so that a crash leaves a whole one,
 * and under the lock of the state directory. No state is kept by who has that lock already.
 */
public final class BootStateStore implements BootMemory {
  private static final int MAX_BYTES = 4096;

  private final Path file;
  private final Disk disk = new Disk();
  private final Log log;
  private final Duration lockDeadline;

  /** What could not be written, and what it was to replace. */
  private Optional<BootState> unwritten = Optional.empty();

  private Optional<BootState> unreplaced = Optional.empty();

  /**
   * @param directory made when missing
   */
  public BootStateStore(Path directory, Log log) {
    this(directory, log, LockFile.DEADLINE);
  }

  BootStateStore(Path directory, Log log, Duration lockDeadline) {
    this.file = directory.resolve("state");
    this.log = log;
    this.lockDeadline = lockDeadline;
  }

  /** The last state that was kept; empty when there is none or it is damaged. */
  @Override
  public Optional<BootState> read() {
    Optional<BootState> written = written();
    return unwritten.isPresent() && written.equals(unreplaced) ? unwritten : written;
  }

  private Optional<BootState> written() {
    try {
      return BootState.of(disk.read(file, MAX_BYTES));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Keeps a state, for this process at least; what goes wrong is logged and stops nothing. */
  @Override
  public void keep(BootState state) {
    keep(state, false);
  }

  @Override
  public void keepUnlessUnpinned(BootState state) {
    keep(state, true);
  }

  @SuppressWarnings("try") // The lock is held, not used.
  private void keep(BootState state, boolean unlessUnpinned) {
    Optional<BootState> before = written();
    if (unlessUnpinned && isUnpinned()) {
      return;
    }
    try (LockFile lock = lock()) {
      if (!unlessUnpinned || !isUnpinned()) {
        writeLocked(state);
      }
    } catch (IOException e) {
      unwritten = Optional.of(state);
      unreplaced = before;
      log.warn(
          """
          state-file=%s error="%s" effect="status cannot show since when, and an entry whose \
          comments another tool strips is not known as ours\""""
              .formatted(file, e));
    }
  }

  /**
   * Keeps a state.
   *
   * @throws IOException when it cannot be written; the old one stands
   */
  @SuppressWarnings("try") // The lock is held, not used.
  public void write(BootState state) throws IOException {
    try (LockFile lock = lock()) {
      writeLocked(state);
    }
  }

  private LockFile lock() throws IOException {
    disk.createDirectories(file.toAbsolutePath().resolveSibling(""));
    return LockFile.acquire(file.resolveSibling("lock"), lockDeadline);
  }

  private void writeLocked(BootState state) throws IOException {
    boolean unusedDurable = PendingFile.replace(disk, file, state.toBytes());
    unwritten = Optional.empty();
  }

  /** Forgets the state; what goes wrong is logged and stops nothing. */
  @SuppressWarnings("try") // The lock is held, not used.
  public void forget() {
    try (LockFile lock = lock()) {
      disk.delete(file);
    } catch (IOException e) {
      log.warn("state-file=" + file + " error=\"" + e + "\"");
    }
  }
}
