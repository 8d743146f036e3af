package io.apiserverupdater.bootstrap.check;

import io.apiserverupdater.apiserver.address.IpAddress;
import io.apiserverupdater.bootstrap.check.Facts.UnitState;
import io.apiserverupdater.bootstrap.program.Program;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Facts from programs of the node: getent, systemctl and running processes.
 *
 * @param folders in which to look for the programs
 * @param processes where the kernel shows those that run: /proc
 */
public record NodePrograms(List<Path> folders, Path processes) {
  private static final Duration DEADLINE = Duration.ofSeconds(5);

  /** By getent(1): the name is not known. */
  private static final int NOT_FOUND = 2;

  private static final String PROPERTIES =
      "--property=Id,Names,LoadState,ActiveState,UnitFileState,MainPID,Environment,"
          + "InactiveExitTimestampMonotonic,Before,WantedBy,RequiredBy";

  /** By cgroups(7): systemd's own hierarchy where version 1 is there too, and its only one else. */
  private static final List<Pattern> CGROUPS =
      List.of(
          Pattern.compile("^[0-9]+:name=systemd:(.*)$", Pattern.MULTILINE),
          Pattern.compile("^0::(.*)$", Pattern.MULTILINE));

  private static final Pattern UNIT_CGROUP = Pattern.compile(".*/([^/]+\\.service)");
  private static final int MAX_ENVIRONMENT_BYTES = 256 * 1024;
  private static final int MAX_WORDS = 200;

  public NodePrograms {
    folders = List.copyOf(folders);
  }

  private Reading<Program.Run> run(String name, List<String> arguments) {
    Optional<Program> program = Program.find(name, folders);
    if (program.isEmpty()) {
      return new Reading.Unknown<>("there is no program " + name);
    }
    try {
      Optional<Program.Run> run = program.get().run(arguments, "", DEADLINE);
      if (run.isEmpty()) {
        return new Reading.Unknown<>(
            name + " did not finish within " + DEADLINE.toSeconds() + " s and was killed");
      }
      return new Reading.Known<>(run.get());
    } catch (IOException e) {
      return new Reading.Unknown<>(name + " cannot be started: " + e.getMessage());
    }
  }

  private static Reading<String> output(String name, Program.Run run) {
    if (run.ok()) {
      return new Reading.Known<>(run.output());
    }
    String words = run.output().strip().replace('\n', ' ');
    String brief = words.substring(0, Math.min(MAX_WORDS, words.length()));
    return new Reading.Unknown<>(name + " ended with " + run.exitCode() + ": " + brief);
  }

  /** Where libc leads a name, with all that nsswitch.conf(5) asks; empty when it leads nowhere. */
  public Reading<List<InetAddress>> resolution(String hostname) {
    return run("getent", List.of("ahosts", hostname))
        .then(run -> run.exitCode() == NOT_FOUND ? new Reading.Known<>("") : output("getent", run))
        .then(output -> new Reading.Known<>(addresses(output)));
  }

  /** The first word of each line; there is a line for each kind of socket. */
  static List<InetAddress> addresses(String output) {
    List<InetAddress> addresses = new ArrayList<>();
    for (String line : output.split("\n", -1)) {
      String word = line.split(" ", 2)[0];
      IpAddress.parse(word).filter(ip -> !addresses.contains(ip)).ifPresent(addresses::add);
    }
    return addresses;
  }

  /** The units of the package and these, by all their names. */
  public Reading<Map<String, UnitState>> units(String kubelet, String proxy) {
    List<String> arguments = new ArrayList<>(List.of("show", "--no-pager", PROPERTIES));
    arguments.addAll(Rules.UNITS);
    arguments.addAll(List.of(kubelet, proxy));
    return run("systemctl", arguments)
        .then(run -> output("systemctl", run))
        .then(output -> new Reading.Known<>(units(output)));
  }

  /** A block of {@code Property=value} for each unit, an empty line between two. */
  private Map<String, UnitState> units(String output) {
    Map<String, UnitState> units = new LinkedHashMap<>();
    for (String block : output.split("\n\n", -1)) {
      Map<String, String> properties = new LinkedHashMap<>();
      for (String line : block.split("\n", -1)) {
        int equals = line.indexOf('=');
        if (equals > 0) {
          properties.put(line.substring(0, equals), line.substring(equals + 1));
        }
      }
      if (properties.containsKey("Id")) {
        UnitState state = state(properties);
        units.put(state.id(), state);
        words(properties, "Names").forEach(name -> units.put(name, state));
      }
    }
    return units;
  }

  private UnitState state(Map<String, String> properties) {
    Set<String> leads = new HashSet<>(words(properties, "WantedBy"));
    leads.addAll(words(properties, "RequiredBy"));
    leads.retainAll(words(properties, "Before"));
    return new UnitState(
        properties.getOrDefault("Id", ""),
        properties.getOrDefault("LoadState", ""),
        properties.getOrDefault("ActiveState", ""),
        properties.getOrDefault("UnitFileState", ""),
        variables(
            properties.getOrDefault("MainPID", "0"), properties.getOrDefault("Environment", "")),
        !properties.getOrDefault("InactiveExitTimestampMonotonic", "0").equals("0"),
        leads);
  }

  private static Set<String> words(Map<String, String> properties, String name) {
    Set<String> words = new HashSet<>(List.of(properties.getOrDefault(name, "").split(" ", -1)));
    words.remove("");
    return words;
  }

  /** Of the process: a drop-in that was added later counts only after a restart. */
  private Set<String> variables(String pid, String configured) {
    Optional<Map<String, String>> running =
        pid.equals("0") ? Optional.empty() : environment(processes.resolve(pid));
    return running.orElseGet(() -> assignments(configured.replace("\"", ""), " ")).keySet();
  }

  /** Whether the clock follows another one, by timedatectl(1). */
  public Reading<Boolean> clockSynchronized() {
    return run("timedatectl", List.of("show", "--property=NTPSynchronized", "--value"))
        .then(run -> output("timedatectl", run))
        .then(output -> new Reading.Known<>(output.strip().equals("yes")));
  }

  /**
   * The environment of a running program, in a pod or not.
   *
   * @param program its name, of 15 characters at most
   */
  public Optional<Map<String, String>> environmentOf(String program) {
    return running(program).flatMap(NodePrograms::environment);
  }

  /**
   * The unit to which a running program belongs; empty for one in a pod.
   *
   * @param program its name, of 15 characters at most
   */
  public Optional<String> unitOf(String program) {
    return running(program).flatMap(NodePrograms::unit);
  }

  private static Optional<String> unit(Path process) {
    try {
      String cgroups = Files.readString(process.resolve("cgroup"));
      for (Pattern hierarchy : CGROUPS) {
        Matcher cgroup = hierarchy.matcher(cgroups);
        if (cgroup.find()) {
          Matcher unit = UNIT_CGROUP.matcher(cgroup.group(1));
          return unit.matches() ? Optional.of(unit.group(1)) : Optional.empty();
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // It has ended meanwhile.
    }
  }

  private Optional<Path> running(String program) {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(processes, "[0-9]*")) {
      for (Path process : all) {
        if (isNamed(process, program)) {
          return Optional.of(process);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // As if none ran.
    }
    return Optional.empty();
  }

  private static boolean isNamed(Path process, String program) {
    try {
      return Files.readString(process.resolve("comm")).strip().equals(program);
    } catch (IOException e) {
      return false; // It has ended meanwhile.
    }
  }

  private static Optional<Map<String, String>> environment(Path process) {
    try (InputStream in = Files.newInputStream(process.resolve("environ"))) {
      byte[] bytes = in.readNBytes(MAX_ENVIRONMENT_BYTES);
      return Optional.of(assignments(new String(bytes, StandardCharsets.ISO_8859_1), "\0"));
    } catch (IOException e) {
      return Optional.empty(); // Ended meanwhile, or not ours to read.
    }
  }

  private static Map<String, String> assignments(String text, String separator) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String assignment : text.split(separator, -1)) {
      int equals = assignment.indexOf('=');
      if (equals > 0) {
        values.put(assignment.substring(0, equals), assignment.substring(equals + 1));
      }
    }
    return values;
  }
}
