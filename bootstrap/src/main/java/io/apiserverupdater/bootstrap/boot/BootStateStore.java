package io.apiserverupdater.bootstrap.boot;

import io.apiserverupdater.bootstrap.files.Disk;
import io.apiserverupdater.bootstrap.files.PendingFile;
import io.apiserverupdater.bootstrap.log.Log;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The state file, {@code state} in the state directory; written so that a crash leaves a whole one.
 */
public final class BootStateStore implements BootMemory {
  private static final int MAX_BYTES = 4096;

  private final Path file;
  private final Disk disk = new Disk();
  private final Log log;

  /**
   * @param directory made when missing
   */
  public BootStateStore(Path directory, Log log) {
    this.file = directory.resolve("state");
    this.log = log;
  }

  /** The last state that was kept; empty when there is none or it is damaged. */
  @Override
  public Optional<BootState> read() {
    try {
      return BootState.of(disk.read(file, MAX_BYTES));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Keeps a state; what goes wrong is logged and stops nothing. */
  @Override
  public void keep(BootState state) {
    try {
      disk.createDirectories(file.toAbsolutePath().resolveSibling(""));
      boolean unusedDurable = PendingFile.replace(disk, file, state.toBytes());
    } catch (IOException e) {
      log.warn(
          "state-file=" + file + " error=\"" + e + "\" effect=\"status cannot show since when\"");
    }
  }
}
