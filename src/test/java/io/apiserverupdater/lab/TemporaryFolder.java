package io.apiserverupdater.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder that goes with what it is for. */
public record TemporaryFolder(Path path) implements AutoCloseable {

  /**
   * Makes it; everybody may read it, since an updater need not run as the one who started it.
   * Secrets in it are for throw-away clusters.
   */
  public static TemporaryFolder in(Path parent, String prefix) {
    try {
      Path made = Files.createTempDirectory(parent, prefix);
      return new TemporaryFolder(
          Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxr-xr-x")));
    } catch (IOException e) {
      throw new LabException("cannot make a folder in " + parent + ": " + e, e);
    }
  }

  /** The same where this machine has its temporary files. */
  public static TemporaryFolder create(String prefix) {
    return in(Path.of(System.getProperty("java.io.tmpdir")), prefix);
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
      throw new LabException("cannot delete " + path + ": " + e, e);
    }
  }
}
