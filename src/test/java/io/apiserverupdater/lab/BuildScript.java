package io.apiserverupdater.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/** The scripts {@code src/test/NAME/build}, each of which prints a folder that it has filled. */
public final class BuildScript {
  private BuildScript() {}

  /**
   * The folder, which is made if it is not in the cache. That takes up to 20 minutes and needs the
   * network: run the script before entering the universe.
   *
   * @param projectRoot the checkout
   * @throws LabException if the script fails or there is none
   */
  public static Path run(Path projectRoot, String name, String... arguments) {
    Path script = projectRoot.resolve("src/test").resolve(name).resolve("build");
    if (!Files.isExecutable(script)) {
      throw new LabException(
          script + " is not there; is -Dproject.root=" + projectRoot + " the checkout?");
    }
    String[] command =
        Stream.concat(Stream.of(script.toString()), Stream.of(arguments)).toArray(String[]::new);
    Execution built = Execution.run(Duration.ofMinutes(20), command).orThrow();
    return Path.of(built.out().strip());
  }
}
