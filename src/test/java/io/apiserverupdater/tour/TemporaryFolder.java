package io.apiserverupdater.tour;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder that goes with the tour. */
record TemporaryFolder(Path path) implements AutoCloseable {

  /**
   * Makes it; everybody may read it, since an updater need not run as the one who started the tour.
   * Secrets in it are for throw-away clusters.
   */
  static TemporaryFolder in(Path parent) {
    try {
      Path made = Files.createTempDirectory(parent, "apiserver-updater-try-");
      return new TemporaryFolder(
          Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxr-xr-x")));
    } catch (IOException e) {
      throw new TourException("cannot make a folder in " + parent + ": " + e, e);
    }
  }

  /** Deletes it with all that is in it. */
  @Override
  public void close() {
    try (Stream<Path> walk = Files.walk(path)) {
      List<Path> children = walk.sorted(Comparator.reverseOrder()).toList();
      for (Path child : children) {
        Files.deleteIfExists(child);
      }
    } catch (IOException e) {
      throw new TourException("cannot delete " + path + ": " + e, e);
    }
  }
}
