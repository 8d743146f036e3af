package io.apiserverupdater.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Where a lab keeps its files.
 *
 * @param work in memory, gone with the lab
 * @param logs the logs of all programs; they stay
 */
record LabFiles(Path work, Path logs) {

  /**
   * Makes both folders.
   *
   * @param memory a folder in memory
   * @param name what the names of both begin with
   */
  static LabFiles create(Path memory, Path projectRoot, String name) {
    try {
      Path logRoot = Files.createDirectories(projectRoot.resolve("src/test/target/lab"));
      LabFiles files =
          new LabFiles(
              Files.createTempDirectory(memory, name + "-"),
              Files.createTempDirectory(logRoot, name + "-"));
      // Programs of pods need not be root to read their files in there.
      Execution.run(Duration.ofSeconds(5), "chmod", "755", files.work.toString()).orThrow();
      return files;
    } catch (IOException e) {
      throw new LabException("cannot make the folders of the lab", e);
    }
  }

  /** Writes a file of the lab's own. */
  Path write(String fileName, String text) {
    return LabException.wrap(
        "cannot write " + fileName, () -> Files.writeString(work.resolve(fileName), text));
  }

  /** Removes what is in memory. */
  void remove() {
    Execution.run(Duration.ofSeconds(20), "rm", "-rf", work.toString()).orThrow();
  }
}
