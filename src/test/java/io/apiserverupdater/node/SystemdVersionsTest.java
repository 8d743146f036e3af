package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The package works with systemd 239, that of EL 8, and newer. systemd ignores a setting that it
 * does not know, so each one that the package uses must be in a table of the version that brought
 * it: below, or in docs/operate.md, which says what happens without it, if it is newer than 239.
 */
@Tag("component")
@Tag("quick")
class SystemdVersionsTest {
  private static final int OLDEST = 239;
  private static final Path ROOT = Path.of(System.getProperty("project.root"));
  private static final Path LIB = ROOT.resolve("deploy/systemd/usr/lib");
  private static final Path GENERATOR =
      LIB.resolve("systemd/system-generators/apiserver-bootstrap-generator");

  /**
   * By systemd's manual pages ("Added in version") and its NEWS: of each setting, of each value
   * that is a word, of each group of system calls, and of each prefix of a command. 183 is also
   * what is older: the manual pages say nothing of that.
   */
  private static final String SINCE =
      """
      183 CapabilityBoundingSet Environment ExecStart ExecStartPost ExecStopPost Nice PathChanged PrivateTmp
      183 RemainAfterExit Type Type=oneshot UMask prefix:-
      187 NoNewPrivileges SystemCallFilter
      188 TimeoutStartSec TimeoutStopSec
      189 SuccessExitStatus
      197 OnCalendar OnCalendar=daily
      201 After Before Description Documentation PartOf WantedBy Wants
      209 PrivateDevices SystemCallArchitectures SystemCallArchitectures=native
      209 SystemCallErrorNumber SystemCallErrorNumber=EPERM
      211 RestrictAddressFamilies
      214 ProtectHome ProtectSystem
      229 RandomizedDelaySec StartLimitIntervalSec TimeoutStartSec=infinity
      231 ReadWritePaths RestrictRealtime @privileged prefix:+
      232 ProtectControlGroups ProtectKernelModules ProtectKernelTunables ProtectSystem=strict
      233 RestrictNamespaces
      235 LockPersonality StateDirectory StateDirectoryMode @chown
      239 PrivateMounts @system-service
      """;

  private static final Pattern SETTING = Pattern.compile("(?m)^([A-Z]\\w*)=(.*)$");
  private static final Pattern GROUP = Pattern.compile("@[\\w-]+");
  private static final Pattern PREFIX = Pattern.compile("(?<=^[-@:+!|]{0,5})[-@:+!|]");

  /** In the generator: {@code attach UNIT USUAL-UNIT OUR-UNIT SETTING}. */
  private static final Pattern GENERATED = Pattern.compile("(?m)^attach .* (\\w+)$");

  /** {@code | `A=`, `B=yes` | 242 | what happens without them |}. */
  private static final Pattern ROW = Pattern.compile("(?m)^\\| (`.*`) \\| (\\d+) \\| (.+) \\|$");

  @Test
  void eachSettingIsInATableWithTheVersionThatBroughtIt() throws IOException {
    Map<String, Integer> known = since();
    known.putAll(newer());
    assertEquals(new TreeSet<>(known.keySet()), used());
  }

  @Test
  void documentationSaysWhatHappensWithoutTheNewerOnes() throws IOException {
    assertTrue(since().values().stream().allMatch(version -> version <= OLDEST));
    Map<String, Integer> newer = newer();
    assertTrue(newer.size() > 1, newer::toString);
    assertTrue(newer.values().stream().allMatch(version -> version > OLDEST), newer::toString);
  }

  /** Before version 244 systemd does not load such a unit. */
  @Test
  void noOneshotUnitAsksForARestart() throws IOException {
    for (Path unit : services()) {
      List<MatchResult> settings = settings(Files.readString(unit));
      assertTrue(settings.stream().anyMatch(it -> it.group().equals("Type=oneshot")));
      assertTrue(
          settings.stream().noneMatch(it -> it.group(1).startsWith("Restart")), unit::toString);
    }
  }

  /** Before version 243 systemd asks nothing, and starts the unit. */
  @Test
  void programDecidesAsWellWhetherItIsConfigured() throws IOException {
    for (Path unit : services()) {
      String start =
          settings(Files.readString(unit)).stream()
              .filter(it -> it.group(1).equals("ExecStart"))
              .map(it -> it.group(2))
              .findFirst()
              .orElseThrow();
      assertTrue(start.contains(" --if-configured"), start);
    }
  }

  /** Before version 243 {@code -KEY = VALUE} is a key that begins with a minus. */
  @Test
  void noKernelSettingHasAPrefix() throws IOException {
    String text = Files.readString(LIB.resolve("sysctl.d/60-apiserver-bootstrap.conf"));
    List<String> settings =
        text.lines().filter(line -> !line.isBlank() && !line.startsWith("#")).toList();
    assertEquals(2, settings.size());
    assertTrue(settings.stream().allMatch(line -> line.startsWith("net.")), text);
  }

  private static List<Path> services() throws IOException {
    return units().stream().filter(unit -> unit.toString().endsWith(".service")).toList();
  }

  private static List<Path> units() throws IOException {
    List<Path> units = new ArrayList<>();
    for (Path lib : List.of(LIB, ROOT.resolve("deploy/rpm/tree/usr/lib"))) {
      try (Stream<Path> files = Files.walk(lib.resolve("systemd/system"))) {
        units.addAll(files.filter(Files::isRegularFile).toList());
      }
    }
    return units;
  }

  private static List<MatchResult> settings(String unit) {
    return SETTING.matcher(unit).results().toList();
  }

  private static Set<String> used() throws IOException {
    TreeSet<String> used = new TreeSet<>();
    for (Path unit : units()) {
      for (MatchResult setting : settings(Files.readString(unit))) {
        String name = setting.group(1);
        String value = setting.group(2);
        used.add(name);
        if (name.startsWith("Exec")) {
          PREFIX.matcher(value).results().forEach(it -> used.add("prefix:" + it.group()));
        } else if (name.equals("SystemCallFilter")) {
          GROUP.matcher(value).results().forEach(it -> used.add(it.group()));
        } else if (value.matches("[A-Za-z]+") && !value.equals("yes")) {
          used.add(setting.group());
        }
      }
    }
    Matcher generated = GENERATED.matcher(Files.readString(GENERATOR));
    while (generated.find()) {
      used.add(generated.group(1));
    }
    return used;
  }

  private static Map<String, Integer> since() {
    Map<String, Integer> since = new TreeMap<>();
    SINCE
        .lines()
        .map(line -> List.of(line.split(" ", -1)))
        .forEach(
            words ->
                words
                    .subList(1, words.size())
                    .forEach(name -> since.put(name, Integer.valueOf(words.get(0)))));
    return since;
  }

  private static Map<String, Integer> newer() throws IOException {
    String page = Files.readString(ROOT.resolve("docs/operate.md"));
    String section = page.substring(page.indexOf("\n## systemd versions\n") + 1);
    Map<String, Integer> newer = new TreeMap<>();
    ROW.matcher(section.substring(0, section.indexOf("\n## ")))
        .results()
        .forEach(
            row -> {
              for (String cell : row.group(1).replace("`", "").split(", ", -1)) {
                newer.put(cell.replaceFirst("=.*", ""), Integer.valueOf(row.group(2)));
                newer.put(cell.replaceFirst("=$", ""), Integer.valueOf(row.group(2)));
              }
            });
    return newer;
  }
}
