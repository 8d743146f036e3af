package io.apiserverupdater.bootstrap.candidates;

import io.apiserverupdater.apiserver.address.ApiserverAddress;
import io.apiserverupdater.apiserver.time.Deadline;
import io.apiserverupdater.bootstrap.files.Disk;
import io.apiserverupdater.bootstrap.files.FailureReason;
import io.apiserverupdater.bootstrap.files.PendingFile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.Security;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * The control planes that are configured by name. Each name is looked up, and its addresses are
 * kept in the state directory, in {@code control-plane-names}, for the boot at which there is no
 * DNS. Who answers at an address proves by its certificate that it is an apiserver.
 */
public final class NamedControlPlanes {
  private static final int MAX_BYTES = 64 << 10;

  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private final Disk disk = new Disk();
  private final Path file;
  private final Resolver resolver;
  private final Consumer<String> warnings;

  /** Looks a host name up, for as long as that takes. */
  @FunctionalInterface
  interface Resolver {
    InetAddress[] addresses(String host) throws UnknownHostException;
  }

  /**
   * @param directory made when missing
   * @param warnings takes lines for the log, from any thread
   */
  public NamedControlPlanes(Path directory, Consumer<String> warnings) {
    this(directory, InetAddress::getAllByName, warnings);
  }

  NamedControlPlanes(Path directory, Resolver resolver, Consumer<String> warnings) {
    this.file = directory.resolve("control-plane-names");
    this.resolver = resolver;
    this.warnings = warnings;
  }

  /**
   * The addresses of names: those of now, or where a name is not found, those that it had last.
   *
   * @param names each {@code HOST:PORT}
   * @param deadline for all of them together
   * @param patience for how long to look them up again if no address is kept either
   * @param keep whether to keep what was found
   */
  public List<ApiserverAddress> addresses(
      List<String> names, Duration deadline, Duration patience, boolean keep)
      throws InterruptedException {
    Map<String, List<ApiserverAddress>> kept = read();
    boolean again = names.stream().noneMatch(kept::containsKey) && !patience.isZero();
    Map<String, List<ApiserverAddress>> now =
        lookUp(names, Deadline.after(again ? patience : deadline), again);
    for (String name : names) {
      if (now.getOrDefault(name, List.of()).isEmpty()) {
        List<ApiserverAddress> last = kept.getOrDefault(name, List.of());
        warnings.accept(
            "control-plane=%s found=no-address using=\"%s\""
                .formatted(name, last.isEmpty() ? "nothing" : text(last)));
        now.put(name, last);
      }
    }
    now.values().removeIf(List::isEmpty);
    if (keep && !now.equals(kept)) {
      write(now);
    }
    return now.values().stream().flatMap(List::stream).distinct().toList();
  }

  private Map<String, List<ApiserverAddress>> lookUp(
      List<String> names, Deadline deadline, boolean again) throws InterruptedException {
    if (again) {
      // Else the Java runtime repeats a failure for 10 s.
      Security.setProperty("networkaddress.cache.negative.ttl", "0");
    }
    Map<String, FutureTask<List<ApiserverAddress>>> tasks = new LinkedHashMap<>();
    for (String name : names) {
      FutureTask<List<ApiserverAddress>> task =
          new FutureTask<>(() -> again ? lookUpUntilFound(name, deadline) : lookUp(name));
      tasks.put(name, task);
      // The resolver knows no deadline of ours; a daemon does not keep the program.
      Thread thread = new Thread(task, "look-up-" + name);
      thread.setDaemon(true);
      thread.start();
    }
    Map<String, List<ApiserverAddress>> found = new LinkedHashMap<>();
    for (Map.Entry<String, FutureTask<List<ApiserverAddress>>> task : tasks.entrySet()) {
      try {
        found.put(task.getKey(), task.getValue().get(deadline.nanos(), TimeUnit.NANOSECONDS));
      } catch (ExecutionException | TimeoutException e) {
        found.put(task.getKey(), List.of());
      }
    }
    return found;
  }

  private List<ApiserverAddress> lookUpUntilFound(String name, Deadline deadline)
      throws UnknownHostException {
    boolean told = false;
    while (true) {
      try {
        return lookUp(name);
      } catch (UnknownHostException e) {
        if (deadline.left().isZero()) {
          throw e;
        }
        if (!told) {
          warnings.accept(
              "control-plane=%s found=no-address looking-again=%ds"
                  .formatted(name, deadline.left().plusMillis(999).toSeconds()));
          told = true;
        }
        LockSupport.parkNanos(INTERVAL.toNanos());
      }
    }
  }

  private List<ApiserverAddress> lookUp(String name) throws UnknownHostException {
    int colon = name.lastIndexOf(':');
    int port = Integer.parseInt(name.substring(colon + 1));
    TreeSet<ApiserverAddress> found = new TreeSet<>();
    for (InetAddress ip : resolver.addresses(name.substring(0, colon))) {
      // Debian's hosts file leads a machine's own name to 127.0.1.1.
      if (!ip.isLoopbackAddress() && !ip.isAnyLocalAddress() && !ip.isLinkLocalAddress()) {
        // Without the name, which would be part of its text.
        ApiserverAddress.of(ip.getHostAddress(), port).ifPresent(found::add);
      }
    }
    return List.copyOf(found);
  }

  /** A line for each name, its addresses behind it; a line that is none of that is passed over. */
  private Map<String, List<ApiserverAddress>> read() {
    Map<String, List<ApiserverAddress>> kept = new LinkedHashMap<>();
    try {
      String text = new String(disk.read(file, MAX_BYTES), StandardCharsets.UTF_8);
      for (String line : text.split("\n", -1)) {
        String[] words = line.split(" ", -1);
        List<ApiserverAddress> addresses = new ArrayList<>();
        for (String word : words) {
          ApiserverAddress.parse(word, ApiserverAddress.DEFAULT_PORT).ifPresent(addresses::add);
        }
        if (!addresses.isEmpty()) {
          kept.put(words[0], addresses);
        }
      }
    } catch (NoSuchFileException e) {
      // The first time.
    } catch (IOException e) {
      warnings.accept(file + " is not used because it cannot be read: " + FailureReason.of(e));
    }
    return kept;
  }

  private void write(Map<String, List<ApiserverAddress>> found) {
    StringBuilder lines = new StringBuilder();
    found.forEach((name, addresses) -> lines.append(name + " " + text(addresses) + "\n"));
    try {
      disk.createDirectories(file.toAbsolutePath().resolveSibling(""));
      boolean unusedDurable =
          PendingFile.replace(disk, file, lines.toString().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      warnings.accept(file + " cannot be written: " + FailureReason.of(e));
    }
  }

  private static String text(List<ApiserverAddress> addresses) {
    return String.join(" ", addresses.stream().map(ApiserverAddress::toString).toList());
  }
}
