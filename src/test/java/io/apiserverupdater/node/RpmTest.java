package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Execution;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The .rpm: what is in it, and what it asks of a machine. */
@Tag("real")
@Timeout(180)
class RpmTest {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final Path RPM = PackageFormat.RPM.file();

  /** Whatever needs a library of another Java must not get ours. */
  @Test
  void offersOnlyItselfAndNeedsOnlyWhatItsFilesNeed(@TempDir Path folder) {
    String name = "apiserver-bootstrap";
    assertEquals(
        new TreeSet<>(List.of("config(" + name + ")", name, name + "(x86-64)")),
        query("--provides").stream()
            .map(line -> line.split(" ", 2)[0])
            .collect(Collectors.toCollection(TreeSet::new)));
    unpack(RPM, folder);
    assertRequires(ElfNeeds.of(folder), RPM);
  }

  /** Puts the files of a .rpm, of whichever architecture, into {@code folder}. */
  static void unpack(Path rpm, Path folder) {
    Execution.run(
            LIMIT,
            "sh",
            "-ec",
            "rpm2archive - <\"$1\" | tar --extract --gzip --directory \"$2\"",
            "sh",
            rpm.toString(),
            folder.toString())
        .orThrow();
  }

  /** Each library and version of a symbol that its files need, and what rpm itself adds. */
  static void assertRequires(ElfNeeds needs, Path rpm) {
    assertEquals(
        needs.rpmRequires(),
        query(rpm, "--requires").stream()
            .filter(line -> !line.matches("/bin/sh|rtld\\(GNU_HASH\\)|(rpmlib|config)\\(.*"))
            .collect(Collectors.toCollection(TreeSet::new)));
  }

  @Test
  void hasTheFilesOfTheDebPackage() {
    TreeSet<String> wanted =
        NodePackage.files(PackageFormat.DEB.file())
            .lines()
            .filter(line -> !line.endsWith("/"))
            .map(line -> line.substring(1).replace("/vendor-completions/", "/site-functions/"))
            .filter(line -> !line.matches("/usr/share/(doc|lintian)/.*"))
            .collect(Collectors.toCollection(TreeSet::new));
    TreeSet<String> found = new TreeSet<>(query("--list"));
    assertTrue(found.containsAll(wanted), () -> wanted + " in " + found);
    assertTrue(found.contains("/usr/lib/systemd/system-preset/80-apiserver-bootstrap.preset"));
    assertTrue(found.contains("/usr/share/licenses/apiserver-bootstrap/LICENSE"));
  }

  @Test
  void isTheSameWhenItIsBuiltAgain(@TempDir Path folder) throws IOException {
    Path again = PackageFormat.RPM.withVersion(System.getProperty("build.version"), folder);
    assertEquals(-1, Files.mismatch(RPM, again));
  }

  /** As for a fix in the JDK, which changes nothing of ours. */
  @Test
  void isNewerThanTheSameVersionWhenItIsARebuild(@TempDir Path folder) {
    String version = System.getProperty("build.version");
    Path rebuilt = PackageFormat.rpm(version, "2", folder);
    String format = "--queryformat=%{VERSION} %{RELEASE}\n";
    assertEquals(List.of(version + " 1"), query(RPM, format));
    assertEquals(List.of(version + " 2"), query(rebuilt, format));
  }

  private static List<String> query(String what) {
    return query(RPM, what);
  }

  private static List<String> query(Path rpm, String what) {
    return Execution.run(LIMIT, "rpm", "--query", "--package", what, rpm.toString())
        .orThrow()
        .out()
        .lines()
        .toList();
  }
}
