package io.apiserverupdater.tour;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * The release archive, unpacked: what runs in the tour is what people get.
 *
 * @param launcher {@code bin/updater}
 * @param version as the launcher says
 */
record Release(
    Backstage backstage, Path folder, Path launcher, String version, AtomicInteger runs) {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** The environment that makes the launcher use the runtime of this process. */
  static final Map<String, String> ENVIRONMENT =
      Map.of("JAVA_HOME", System.getProperty("java.home", ""));

  /**
   * Unpacks the archive that the build has made, and runs the launcher once, so that its archive of
   * parsed classes exists before times are taken.
   */
  static Release unpack(Backstage backstage, Path projectRoot, Path folder) {
    Path archive = archive(projectRoot.resolve("updater/target"));
    Path root = folder.resolve("release");
    AtomicInteger runs = new AtomicInteger();
    try {
      Files.createDirectories(root);
    } catch (IOException e) {
      throw new TourException("cannot make " + root + ": " + e, e);
    }
    List<String> unpack =
        List.of("tar", "-xzf", archive.toString(), "-C", root.toString(), "--strip-components=1");
    expect(0, run(backstage, folder, runs, unpack), "tar");
    Path launcher = root.resolve("bin/updater");
    Program.Result version =
        run(backstage, folder, runs, List.of(launcher.toString(), "--version"));
    expect(0, version, "updater --version");
    return new Release(backstage, folder, launcher, version.out().strip(), runs);
  }

  /** Runs the launcher to its end. */
  Program.Result run(List<String> flags) {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(flags);
    return run(backstage, folder, runs, command);
  }

  private static Program.Result run(
      Backstage backstage, Path folder, AtomicInteger runs, List<String> command) {
    int run = runs.incrementAndGet();
    return backstage
        .own(
            () ->
                Program.start(
                    command,
                    ENVIRONMENT,
                    folder.resolve("run-" + run + ".out"),
                    folder.resolve("run-" + run + ".err")))
        .await(LIMIT);
  }

  private static void expect(int code, Program.Result result, String what) {
    if (result.exitCode() != code) {
      throw new TourException(
          what + " ended with exit code " + result.exitCode() + "\n" + result.err());
    }
  }

  private static Path archive(Path target) {
    try (Stream<Path> files = Files.list(target)) {
      List<Path> found =
          files
              .filter(f -> f.getFileName().toString().matches("apiserver-updater-.*\\.tar\\.gz"))
              .toList();
      if (found.size() == 1) {
        return found.get(0);
      }
      throw new TourException(
          "expected one apiserver-updater-VERSION.tar.gz in "
              + target
              + ", found "
              + found.size()
              + ": build it with mvn -Dquick -DskipTests clean package");
    } catch (IOException e) {
      throw new TourException(
          "no release archive in " + target + ": build it with mvn -Dquick -DskipTests package", e);
    }
  }
}
