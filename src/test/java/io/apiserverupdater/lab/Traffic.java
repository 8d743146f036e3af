package io.apiserverupdater.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Requests that a worker makes all the time, and what became of them. Times are those of {@link
 * System#nanoTime}: on Linux that is the kernel's monotonic clock, one for all processes.
 * Thread-safe.
 */
public final class Traffic implements AutoCloseable {
  /**
   * One request.
   *
   * @param wallMillis when it began, in ms since 1970
   * @param startNanos when it began
   * @param took until the last byte or the failure
   * @param outcome {@code ok}, {@code status-NNN}, or where it failed: {@code connect}, {@code
   *     tls}, {@code read}, with {@code deadline-} before it when time ran out there; {@code
   *     overrun} when too many were under way to begin another
   * @param server the common name of the apiserver that answered, {@code -} if none did
   * @param detail the exception, {@code -} if none
   */
  public record Sample(
      long wallMillis,
      long startNanos,
      Duration took,
      String outcome,
      String server,
      String detail) {
    public boolean ok() {
      return outcome.equals("ok");
    }
  }

  private final Process process;
  private final Thread reader;
  private final Path errors;
  private final List<Sample> samples = new ArrayList<>();

  private Traffic(String name, Process process, Path errors) {
    this.process = process;
    this.errors = errors;
    this.reader = new Thread(this::read, name);
    this.reader.setDaemon(true);
  }

  /** The command line of the program that makes the requests. */
  static List<String> command(String program, TrafficTarget target, String caFile) {
    return List.of(
        program,
        target.address(),
        String.valueOf(target.port()),
        target.tlsName(),
        target.path(),
        String.valueOf(target.interval().toMillis()),
        String.valueOf(target.deadline().toMillis()),
        caFile);
  }

  static Traffic start(
      LabHost host, String program, TrafficTarget target, Path caFile, Path logFolder) {
    List<String> command = command(program, target, caFile.toString());
    return start(host.name(), host.command(command, Map.of()), logFolder);
  }

  /** Starts it on a machine of that name. */
  static Traffic start(String hostName, ProcessBuilder program, Path logFolder) {
    Path errors = logFolder.resolve(hostName + "-traffic.log");
    try {
      Process process =
          program.redirectError(ProcessBuilder.Redirect.appendTo(errors.toFile())).start();
      Traffic traffic = new Traffic("lab-traffic " + hostName, process, errors);
      traffic.reader.start();
      return traffic;
    } catch (IOException e) {
      throw new LabException("cannot start traffic on " + hostName, e);
    }
  }

  private void read() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] parts = line.split(" ", -1);
        Sample sample =
            new Sample(
                Long.parseLong(parts[0]),
                Long.parseLong(parts[1]),
                Duration.ofNanos(Long.parseLong(parts[2])),
                parts[3],
                parts[4],
                parts[5]);
        synchronized (samples) {
          samples.add(sample);
          samples.notifyAll();
        }
      }
    } catch (IOException e) {
      // The process was killed; what it had to say is in the samples.
    }
  }

  /** All samples so far, in the order in which they ended. */
  public List<Sample> samples() {
    synchronized (samples) {
      return List.copyOf(samples);
    }
  }

  /** Samples that began at {@code nanos} or later. */
  public List<Sample> samplesSince(long nanos) {
    return samples().stream().filter(sample -> sample.startNanos() >= nanos).toList();
  }

  /** Failed samples that began at {@code nanos} or later. */
  public List<Sample> failuresSince(long nanos) {
    return samplesSince(nanos).stream().filter(sample -> !sample.ok()).toList();
  }

  /** The failure that began last. */
  public Optional<Sample> lastFailure() {
    return samples().stream()
        .filter(sample -> !sample.ok())
        .max(Comparator.comparingLong(Sample::startNanos));
  }

  /** The apiservers that answered well since then, by name, sorted. */
  public Set<String> serversSince(long nanos) {
    return samplesSince(nanos).stream()
        .filter(Sample::ok)
        .map(Sample::server)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * How long connecting stayed unsafe after {@code nanos}: until the start of the last request that
   * failed. Zero when none failed. Ask only after enough good samples have followed.
   */
  public Duration outageSince(long nanos) {
    return failuresSince(nanos).stream()
        .mapToLong(sample -> sample.startNanos() - nanos)
        .max()
        .stream()
        .mapToObj(Duration::ofNanos)
        .findFirst()
        .orElse(Duration.ZERO);
  }

  /** Waits until the samples satisfy the predicate; looks at each new sample. */
  public void await(String what, Predicate<List<Sample>> wanted, Duration limit) {
    Deadline deadline = Deadline.in(limit);
    synchronized (samples) {
      while (!wanted.test(samples)) {
        long millis = deadline.left().toMillis();
        if (millis == 0 || !process.isAlive()) {
          throw new LabException(
              "traffic: waited "
                  + limit.toMillis()
                  + " ms for "
                  + what
                  + ", in vain. Last of "
                  + samples.size()
                  + ": "
                  + samples.subList(Math.max(0, samples.size() - 5), samples.size())
                  + "; errors in "
                  + errors);
        }
        try {
          samples.wait(millis);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new LabException("interrupted while waiting for traffic", e);
        }
      }
    }
  }

  /** Waits until exactly these apiservers answer, and nothing fails, in {@code count} in a row. */
  public void awaitOnly(Set<String> servers, int count, Duration limit) {
    await(
        count + " good requests in a row from all of " + servers + " and no other",
        all -> {
          List<Sample> last = all.subList(Math.max(0, all.size() - count), all.size());
          return last.size() == count
              && last.stream().allMatch(Sample::ok)
              && last.stream().map(Sample::server).collect(Collectors.toSet()).equals(servers);
        },
        limit);
  }

  /** Stops the requests; the samples stay. */
  @Override
  public void close() {
    try {
      process.getOutputStream().close();
      if (!process.waitFor(3, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
      reader.join(3_000);
    } catch (IOException e) {
      process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
