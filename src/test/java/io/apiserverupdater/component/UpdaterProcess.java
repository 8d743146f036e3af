package io.apiserverupdater.component;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * The updater as a process of its own: {@code java -jar updater.jar}, or another program that leads
 * to it. Thread-safe. Closing it kills it.
 */
final class UpdaterProcess implements AutoCloseable {
  private static final Path JAR =
      Path.of(System.getProperty("updater.jar", "updater/target/updater.jar"));
  private static final List<String> JVM_FLAGS =
      List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx32m");
  private static final Optional<Path> CLASSES = archive();
  private static final Duration STREAMS_END = Duration.ofSeconds(5);

  private final Process process;
  private final Lines out;
  private final Lines err;

  /** What a process that has ended leaves behind. */
  record Result(int exitCode, String out, String err) {
    /** This one, if it has ended with that exit code. */
    Result exits(int code) {
      assertEquals(code, exitCode, this::toString);
      return this;
    }

    /** The same for its standard error, which has this. */
    Result says(String text) {
      assertTrue(err.contains(text), this::toString);
      return this;
    }

    /** The same for its standard output. */
    Result prints(String text) {
      assertTrue(out.contains(text), this::toString);
      return this;
    }

    @Override
    public String toString() {
      return "exit code " + exitCode + "\n--- stdout\n" + out + "\n--- stderr\n" + err;
    }
  }

  /** The lines of one stream, as they come, read by a thread that ends with the stream. */
  private static final class Lines {
    private final List<String> lines = new ArrayList<>();
    private final Thread reader;
    private boolean ended;

    private Lines(String name, InputStream stream) {
      reader = new Thread(() -> read(stream), name);
      reader.setDaemon(true);
      reader.start();
    }

    private void read(InputStream stream) {
      try (BufferedReader in =
          new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
          synchronized (this) {
            lines.add(line);
            notifyAll();
          }
        }
      } catch (IOException e) {
        // The process was killed while it was being read: that is the end of its output.
      }
      synchronized (this) {
        ended = true;
        notifyAll();
      }
    }

    private synchronized List<String> all() {
      return List.copyOf(lines);
    }

    private synchronized boolean await(int from, Predicate<String> wanted, Duration limit)
        throws InterruptedException {
      long deadline = System.nanoTime() + limit.toNanos();
      for (int next = from; ; next++) {
        while (next >= lines.size()) {
          long left = deadline - System.nanoTime();
          if (left <= 0 || ended) {
            return false;
          }
          TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        if (wanted.test(lines.get(next))) {
          return true;
        }
      }
    }

    private String text() throws InterruptedException {
      reader.join(STREAMS_END.toMillis());
      return String.join("\n", all());
    }
  }

  private UpdaterProcess(Process process) {
    this.process = process;
    this.out = new Lines("stdout-" + process.pid(), process.getInputStream());
    this.err = new Lines("stderr-" + process.pid(), process.getErrorStream());
  }

  /**
   * Parsed classes, as the launcher keeps them, made once for all tests: it halves every start.
   *
   * @return empty when this runtime makes none; the tests are slower then
   */
  private static Optional<Path> archive() {
    Path root = Path.of(System.getProperty("project.root", "."));
    try {
      Path folder = Files.createTempDirectory("updater-classes");
      Path file = folder.resolve("updater.jsa");
      Process dump =
          new ProcessBuilder(
                  java(),
                  "-XX:+UseSerialGC",
                  "-Xshare:dump",
                  "-XX:SharedClassListFile=" + root.resolve("updater/target/updater.classlist"),
                  "-XX:SharedArchiveFile=" + file,
                  "-cp",
                  JAR.toString())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      folder.toFile().deleteOnExit();
      file.toFile().deleteOnExit();
      return dump.waitFor(1, TimeUnit.MINUTES) && dump.exitValue() == 0
          ? Optional.of(file)
          : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** The command line of the jar. */
  static List<String> jar(List<String> flags) {
    List<String> command = new ArrayList<>();
    command.add(java());
    command.addAll(JVM_FLAGS);
    CLASSES.ifPresent(file -> command.add("-XX:SharedArchiveFile=" + file));
    command.addAll(List.of("-jar", JAR.toString()));
    command.addAll(flags);
    return command;
  }

  /**
   * Starts a command.
   *
   * @param home the home folder it sees: nothing of the person who runs the tests is read
   * @param variables set in addition; an empty value removes one
   */
  static UpdaterProcess start(
      List<String> command, Path home, Map<String, String> variables, String stdin) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(home.toFile());
    Map<String, String> environment = builder.environment();
    environment
        .keySet()
        .removeAll(List.of("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "POD_NAME", "XDG_CACHE_HOME"));
    environment.put("HOME", home.toString());
    OrphanGuard.mark(environment);
    variables.forEach(
        (name, value) -> {
          if (value.isEmpty()) {
            environment.remove(name);
          } else {
            environment.put(name, value);
          }
        });
    try {
      UpdaterProcess started = new UpdaterProcess(builder.start());
      try (OutputStream in = started.process.getOutputStream()) {
        in.write(stdin.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        // It has ended without reading: its exit code tells more.
      }
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for the end of a process that ends by itself. */
  Result result(Duration limit) throws InterruptedException {
    int code = awaitExit(limit);
    return new Result(code, out.text(), err.text());
  }

  /** Waits for the end, which must come in time. */
  int awaitExit(Duration limit) throws InterruptedException {
    if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new AssertionError("still running after " + limit + "\n" + logText());
    }
    return process.exitValue();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** What it has logged so far. */
  List<String> log() {
    return err.all();
  }

  /** The logged lines in which a regular expression is found. */
  List<String> log(String regex) {
    return log().stream().filter(Pattern.compile(regex).asPredicate()).toList();
  }

  /** How many lines it has logged, to wait for later ones. */
  int logSize() {
    return log().size();
  }

  void awaitLog(String regex, Duration limit) throws InterruptedException {
    awaitLog(0, regex, limit);
  }

  /**
   * Waits for a logged line.
   *
   * @param from the first line to look at
   * @throws AssertionError when it does not come in time
   */
  void awaitLog(int from, String regex, Duration limit) throws InterruptedException {
    if (!err.await(from, Pattern.compile(regex).asPredicate(), limit)) {
      throw new AssertionError("not logged within " + limit + ": " + regex + "\n" + logText());
    }
  }

  String logText() {
    return String.join("\n", log());
  }

  /** Sends a signal, such as TERM, KILL, STOP or CONT. */
  void signal(String name) throws InterruptedException {
    try {
      // The shell's own kill: not every machine has the program.
      Process kill =
          new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid()).inheritIO().start();
      if (!kill.waitFor(5, TimeUnit.SECONDS) || kill.exitValue() != 0) {
        throw new AssertionError("could not send " + name);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SIGTERM; returns the exit code. */
  int stop() throws InterruptedException {
    signal("TERM");
    return awaitExit(Duration.ofSeconds(5));
  }

  void kill() throws InterruptedException {
    process.destroyForcibly();
    awaitExit(Duration.ofSeconds(5));
  }

  /** User and system time of all its threads. */
  Duration cpuTime() {
    return process.toHandle().info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** The resident set in MiB. */
  long residentMebibytes() {
    return status("VmRSS") / 1024;
  }

  long threads() {
    return status("Threads");
  }

  long openFiles() {
    try (var files = Files.list(Path.of("/proc", Long.toString(process.pid()), "fd"))) {
      return files.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private long status(String key) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status")).stream()
          .filter(line -> line.startsWith(key + ":"))
          .map(line -> line.replaceAll("[^0-9]", ""))
          .mapToLong(Long::parseLong)
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
