package io.apiserverupdater.bootstrap.program;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A program of the node, run without a shell, never longer than its deadline. */
public final class Program {
  /** What a pipe takes at least before a writer has to wait (pipe(7)). */
  public static final int MAX_INPUT = 4096;

  private static final int MAX_OUTPUT = 64 * 1024;
  private static final Duration DEATH = Duration.ofMillis(500);

  private final Path program;

  private Program(Path program) {
    this.program = program;
  }

  /** Looks for it in these folders, in their order. */
  public static Optional<Program> find(String name, List<Path> folders) {
    for (Path folder : folders) {
      Path program = folder.resolve(name);
      if (Files.isExecutable(program) && Files.isRegularFile(program)) {
        return Optional.of(new Program(program));
      }
    }
    return Optional.empty();
  }

  /**
   * The folders of a PATH, and those of system programs, which a user's PATH may lack. Relative
   * ones are passed over.
   */
  public static List<Path> folders(String path) {
    List<Path> folders = new ArrayList<>();
    for (String folder : (path + ":/usr/sbin:/sbin").split(":", -1)) {
      if (folder.startsWith("/")) {
        folders.add(Path.of(folder));
      }
    }
    return folders;
  }

  /**
   * What a run came to.
   *
   * @param exitCode 0 when it did what it was told
   * @param output standard output and error together, at most 64 KiB
   */
  public record Run(int exitCode, String output) {
    public boolean ok() {
      return exitCode == 0;
    }
  }

  /**
   * Runs it to its end, with an environment that holds nothing but {@code LC_ALL=C}.
   *
   * @param input at most 4096 bytes in UTF-8
   * @return empty when it was not done by the deadline; it is killed then
   * @throws IOException when it cannot be started
   */
  public Optional<Run> run(List<String> arguments, String input, Duration deadline)
      throws IOException {
    byte[] bytes = input.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > MAX_INPUT) {
      throw new IllegalArgumentException(bytes.length + " bytes for " + program);
    }
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().clear();
    // Its words are looked at, so they must be these.
    builder.environment().put("LC_ALL", "C");
    Process process = builder.start();
    try {
      try (OutputStream in = process.getOutputStream()) {
        in.write(bytes);
      } catch (IOException e) {
        // It ended, or closed its input, before it had read all; its exit code tells the rest.
      }
      // Its output is read when it has ended. More than a pipe holds would keep it from ending;
      // what these programs say is far less, and else the deadline ends it.
      if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
        return Optional.empty();
      }
      try (InputStream out = process.getInputStream()) {
        return Optional.of(
            new Run(
                process.exitValue(),
                new String(out.readNBytes(MAX_OUTPUT), StandardCharsets.UTF_8)));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } finally {
      end(process);
    }
  }

  private static void end(Process process) {
    try {
      boolean unusedDead =
          process.destroyForcibly().waitFor(DEATH.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
