package io.apiserverupdater.bootstrap.candidates;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.bootstrap.files.Disk;
import io.apiserverupdater.bootstrap.files.FailureReason;
import io.apiserverupdater.bootstrap.files.LockFile;
import io.apiserverupdater.bootstrap.files.PendingFile;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;

/**
 * The list on the disk, in the state directory: {@code control-planes}, and the version before it,
 * {@code control-planes.previous}. When the first is damaged the second is taken, and when both
 * are, the seeds alone; each time with a warning. Reading never fails.
 */
public final class CandidateListStore {
  private static final int MAX_BYTES = 64 << 10;

  private final Disk disk;
  private final Path directory;
  private final Path file;
  private final Path previous;
  private final Consumer<String> warnings;

  /**
   * @param directory made when missing
   * @param warnings takes sentences for a person
   */
  public CandidateListStore(Path directory, Consumer<String> warnings) {
    this(new Disk(), directory, warnings);
  }

  CandidateListStore(Disk disk, Path directory, Consumer<String> warnings) {
    this.disk = disk;
    this.directory = directory;
    this.file = directory.resolve("control-planes");
    this.previous = directory.resolve("control-planes.previous");
    this.warnings = warnings;
  }

  /** The cached list together with the seeds. */
  public CandidateList read(List<ApiserverAddress> seeds) {
    for (Path path : List.of(file, previous)) {
      try {
        return CandidateListFormat.read(disk.read(path, MAX_BYTES), seeds);
      } catch (NoSuchFileException e) {
        // Never refreshed, or the power went between the two renames of a write.
      } catch (CandidateListFormatException e) {
        warnings.accept(path + " is not used: " + e.getMessage());
      } catch (IOException e) {
        warnings.accept(path + " is not used because it cannot be read: " + FailureReason.of(e));
      }
    }
    return CandidateList.ofSeeds(seeds);
  }

  /**
   * Keeps what the cluster says now.
   *
   * @param found when it is empty, nothing is written
   * @param lockDeadline how long to wait for another process that writes it
   * @return the list as it is now
   * @throws IOException when it cannot be written; the old list is intact
   */
  @SuppressWarnings("try") // The lock is held, not used.
  public CandidateList refresh(
      List<ApiserverAddress> seeds,
      List<ApiserverAddress> found,
      Instant now,
      Duration lockDeadline)
      throws IOException {
    if (found.isEmpty()) {
      return read(seeds);
    }
    disk.createDirectories(directory);
    try (LockFile lock = LockFile.acquire(directory.resolve("lock"), lockDeadline)) {
      CandidateList list = read(seeds).refresh(found, now);
      keepPrevious(seeds);
      write(file, CandidateListFormat.write(list));
      return list;
    }
  }

  /** Only a good version goes there: a damaged one would push out the last that can be read. */
  private void keepPrevious(List<ApiserverAddress> seeds) throws IOException {
    byte[] content;
    try {
      content = disk.read(file, MAX_BYTES);
      CandidateList unusedList = CandidateListFormat.read(content, seeds);
    } catch (NoSuchFileException | CandidateListFormatException e) {
      return;
    }
    write(previous, content);
  }

  private void write(Path path, byte[] content) throws IOException {
    if (!PendingFile.replace(disk, path, content)) {
      warnings.accept(path + " is written, but a power loss may undo it");
    }
  }
}
