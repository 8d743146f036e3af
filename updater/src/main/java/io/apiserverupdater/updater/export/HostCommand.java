package io.apiserverupdater.updater.export;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A program of this host with its arguments. No shell reads them.
 *
 * @param words the program first
 */
public record HostCommand(List<String> words) {
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  /** In bytes; a talkative program has no limit. */
  private static final int LONGEST_OUTPUT = 500;

  public HostCommand {
    words = List.copyOf(words);
  }

  /**
   * With a file for each {@code {}}, and {@code -f OTHER} for each of the others in the place of
   * {@code {others}}.
   */
  HostCommand with(Path file, List<Path> others) {
    return new HostCommand(
        words.stream()
            .flatMap(
                word ->
                    word.equals("{others}")
                        ? others.stream().flatMap(other -> Stream.of("-f", other.toString()))
                        : Stream.of(word.replace("{}", file.toString())))
            .toList());
  }

  /**
   * Runs it to its end, for 30 s at most.
   *
   * @return what went wrong, in one line; empty when it ended with exit code 0
   */
  Optional<String> run() throws InterruptedException {
    try {
      // A file, which a talkative program cannot fill as it can a pipe.
      Path output = Files.createTempFile("updater-export", "");
      try {
        return run(output);
      } finally {
        Files.deleteIfExists(output);
      }
    } catch (IOException e) {
      return Optional.of(words.get(0) + ": " + e.getMessage());
    }
  }

  private Optional<String> run(Path output) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(words)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .redirectInput(Path.of("/dev/null").toFile())
            .start();
    try {
      if (!process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
        return Optional.of(this + " did not end within " + DEADLINE.toSeconds() + " s");
      }
    } finally {
      // What it has started itself, too.
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    return process.exitValue() == 0
        ? Optional.empty()
        : Optional.of(
            "%s ended with exit code %d%s".formatted(this, process.exitValue(), said(output)));
  }

  private static String said(Path output) throws IOException {
    byte[] end;
    // The end tells the reason.
    try (RandomAccessFile file = new RandomAccessFile(output.toFile(), "r")) {
      long length = file.length();
      end = new byte[(int) Math.min(length, LONGEST_OUTPUT)];
      file.seek(length - end.length);
      file.readFully(end);
    }
    String line =
        new String(end, StandardCharsets.UTF_8)
            .strip()
            .replaceAll("\\s*\\R\\s*", "; ")
            .replace('"', '\'');
    return line.isEmpty() ? "" : ": " + line;
  }

  @Override
  public String toString() {
    return String.join(" ", words);
  }
}
