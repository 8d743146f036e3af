package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.lab.Execution;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** What {@code ./release} has made: all of it, in step, and what it says of itself. */
@Tag("real")
@Tag("arm64")
@Timeout(180)
class ReleaseTest {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final Path PROJECT = Path.of(System.getProperty("project.root"));
  private static final String VERSION = ReleaseFiles.VERSION;
  private static final List<String> ARCHITECTURES = List.of("amd64", "arm64");

  @TempDir Path folder;

  @Test
  void tellsAllWrongFlagsAtOnce() {
    Execution refused =
        Execution.run(
            LIMIT,
            PROJECT.resolve("release").toString(),
            "1.2",
            "--image=registry.example.com/updater:1.2",
            "--source=example.com",
            "--arm64-jdk=/jdk",
            "--push");
    assertEquals(2, refused.exitCode(), refused.err());
    for (String part :
        List.of(
            "unknown flag --push",
            "the version is \"1.2\"",
            "--image is \"registry.example.com/updater:1.2\"",
            "--source is \"example.com\"",
            "--arm64-jdk needs --arm64-sysroot")) {
      assertTrue(refused.err().contains(part), refused.err());
    }
  }

  /** On a machine with git and what every machine has. */
  @Test
  void tellsAllMissingProgramsAtOnce() {
    ProcessBuilder builder =
        new ProcessBuilder(
            "sh",
            "-ec",
            """
            for program in bash basename dirname git sed uname; do
              ln -s "$(command -v $program)" "$1"
            done
            PATH=$1 exec bash "$2"
            """,
            "sh",
            folder.toString(),
            PROJECT.resolve("release").toString());
    Execution refused = Execution.run(builder, LIMIT);
    assertEquals(1, refused.exitCode(), refused.err());
    for (String part :
        List.of(
            "mvn is not installed (package maven)",
            "rpmbuild is not installed (package rpm)",
            "apt-get install maven openjdk-17-jdk-headless binutils rpm ")) {
      assertTrue(refused.err().contains(part), refused.err());
    }
  }

  @Test
  void hasEveryPartForBothArchitectures() throws IOException {
    Set<String> wanted =
        new TreeSet<>(
            Set.of(
                "SHA256SUMS",
                "components.yaml",
                "monitoring.yaml",
                "image",
                "apiserver-updater.yaml",
                "apiserver-updater-" + VERSION + ".tgz",
                "apiserver-updater-" + VERSION + ".tar.gz",
                "apiserver-updater-" + VERSION + "-image.tar",
                "apiserver-bootstrap-" + VERSION + "-1.x86_64.rpm",
                "apiserver-bootstrap-" + VERSION + "-1.aarch64.rpm"));
    for (String architecture : ARCHITECTURES) {
      wanted.addAll(
          List.of(
              "apiserver-bootstrap_" + VERSION + "_" + architecture + ".deb",
              "apiserver-bootstrap-" + VERSION + "-linux-" + architecture + ".tar.gz",
              "apiserver-updater-" + VERSION + "-linux-" + architecture + ".tar.gz",
              "apiserver-bootstrap-" + VERSION + "-" + architecture + ".cdx.json",
              "apiserver-updater-" + VERSION + "-image-" + architecture + ".cdx.json"));
    }
    try (Stream<Path> files = Files.list(ReleaseFiles.FOLDER)) {
      assertEquals(
          wanted,
          files
              .map(file -> file.getFileName().toString())
              .collect(Collectors.toCollection(TreeSet::new)));
    }
  }

  /** By the command of the guide; none of the files is left out of the sums. */
  @Test
  void sumsAreThoseOfTheFiles() throws IOException {
    Set<String> summed =
        Files.readAllLines(ReleaseFiles.file("SHA256SUMS")).stream()
            .map(line -> line.split(" +", 2)[1])
            .collect(Collectors.toCollection(TreeSet::new));
    try (Stream<Path> files = Files.walk(ReleaseFiles.FOLDER)) {
      assertEquals(
          files
              .filter(Files::isRegularFile)
              .map(file -> ReleaseFiles.FOLDER.relativize(file).toString())
              .filter(name -> !name.equals("SHA256SUMS"))
              .collect(Collectors.toCollection(TreeSet::new)),
          summed);
    }
    List<Guide.Block> blocks =
        Guide.read(PROJECT.resolve("docs/install.md")).blocks("release, anywhere");
    assertEquals(1, blocks.size());
    Execution.run(
            new ProcessBuilder("sh", "-ec", blocks.get(0).text())
                .directory(ReleaseFiles.FOLDER.toFile()),
            LIMIT)
        .orThrow();
  }

  /** With a key that is made for this and thrown away. */
  @Test
  void sumsAreSigned() throws IOException {
    Path keys = Files.createDirectory(folder.resolve("keys"));
    Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rwx------"));
    Path files = Files.createDirectory(folder.resolve("files"));
    Files.copy(ReleaseFiles.file("components.yaml"), files.resolve("components.yaml"));
    String name = "release@example.com";
    String sums = PROJECT.resolve("deploy/sums").toString();
    try {
      signing(
              keys,
              files,
              "gpg",
              "--batch",
              "--passphrase",
              "",
              "--quick-generate-key",
              name,
              "default",
              "default",
              "never")
          .orThrow();
      signing(keys, files, sums, files.toString(), name).orThrow();
      signing(keys, files, "sha256sum", "--check", "SHA256SUMS").orThrow();
      signing(keys, files, "gpg", "--verify", "SHA256SUMS.asc", "SHA256SUMS").orThrow();
      Files.writeString(
          files.resolve("SHA256SUMS"), "# one more line\n", StandardOpenOption.APPEND);
      Execution changed = signing(keys, files, "gpg", "--verify", "SHA256SUMS.asc", "SHA256SUMS");
      assertTrue(changed.err().contains("BAD signature"), changed::toString);
      Execution other = signing(keys, files, sums, files.toString(), "nobody@example.com");
      assertTrue(other.exitCode() != 0, other::toString);
    } finally {
      signing(keys, files, "gpgconf", "--kill", "all");
    }
  }

  private static Execution signing(Path keys, Path files, String... command) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(files.toFile());
    builder.environment().put("GNUPGHOME", keys.toString());
    builder.environment().put("LC_ALL", "C");
    return Execution.run(builder, LIMIT);
  }

  /** So what other tests say of them holds for the release. */
  @Test
  void packagesForThisMachineAreThoseOfTheOtherTests() throws IOException {
    assertEquals(
        -1,
        Files.mismatch(
            PackageFormat.DEB.file(),
            ReleaseFiles.file("apiserver-bootstrap_" + VERSION + "_amd64.deb")));
    assertEquals(
        -1,
        Files.mismatch(
            PackageFormat.RPM.file(),
            ReleaseFiles.file("apiserver-bootstrap-" + VERSION + "-1.x86_64.rpm")));
  }

  @Test
  void packagesForArm64SayTheirVersionAndArchitecture() {
    Path deb = ReleaseFiles.file("apiserver-bootstrap_" + VERSION + "_arm64.deb");
    assertEquals(
        "Version: " + VERSION + "\nArchitecture: arm64\n",
        Execution.run(LIMIT, "dpkg-deb", "--field", deb.toString(), "Version", "Architecture")
            .orThrow()
            .out());
    Path rpm = ReleaseFiles.file("apiserver-bootstrap-" + VERSION + "-1.aarch64.rpm");
    assertEquals(
        VERSION + " aarch64",
        Execution.run(
                LIMIT,
                "rpm",
                "--query",
                "--package",
                "--queryformat=%{VERSION} %{ARCH}",
                rpm.toString())
            .orThrow()
            .out());
  }

  /**
   * Whatever the architecture: what the loader will look for, and nothing of the build's machine.
   */
  @Test
  void packagesAskForWhatTheirFilesNeed() {
    for (String architecture : ARCHITECTURES) {
      String name = "apiserver-bootstrap_" + VERSION + "_" + architecture + ".deb";
      Path tree = folder.resolve(architecture);
      Execution.run(
              LIMIT, "dpkg-deb", "--extract", ReleaseFiles.file(name).toString(), tree.toString())
          .orThrow();
      ElfNeeds needs = ElfNeeds.of(tree.resolve("usr/lib/apiserver-bootstrap/runtime"));
      assertEquals(
          needs.debDepends(),
          Execution.run(LIMIT, "dpkg-deb", "--field", ReleaseFiles.file(name).toString(), "Depends")
              .orThrow()
              .out()
              .strip());
      RpmTest.assertRequires(needs, rpm(architecture));
      System.out.println("figure: floor, " + architecture + ": glibc " + needs.libcFloor());
    }
  }

  private static Path rpm(String architecture) {
    String machine = architecture.equals("amd64") ? "x86_64" : "aarch64";
    return ReleaseFiles.file("apiserver-bootstrap-" + VERSION + "-1." + machine + ".rpm");
  }

  /** RpmTest compares those for amd64. */
  @Test
  void bothFormatsForArm64HaveTheSameFiles() throws IOException {
    Path deb = ReleaseFiles.file("apiserver-bootstrap_" + VERSION + "_arm64.deb");
    Execution.run(LIMIT, "dpkg-deb", "--extract", deb.toString(), folder.resolve("deb").toString())
        .orThrow();
    RpmTest.unpack(rpm("arm64"), Files.createDirectory(folder.resolve("rpm")));
    Execution compared =
        Execution.run(
            new ProcessBuilder(
                    "sh", "-c", "LC_ALL=C diff --recursive --brief deb rpm || [ $? = 1 ]")
                .directory(folder.toFile()),
            LIMIT);
    assertEquals(
        """
        Only in rpm/usr/lib/systemd/system: apiserver-bootstrap-handover.service.d
        Only in rpm/usr/lib/systemd/system: apiserver-bootstrap.service.d
        Only in rpm/usr/lib/systemd: system-preset
        Only in deb/usr/share: doc
        Only in rpm/usr/share: licenses
        Only in deb/usr/share: lintian
        Only in rpm/usr/share/zsh: site-functions
        Only in deb/usr/share/zsh: vendor-completions
        """,
        compared.orThrow().out());
  }

  @Test
  void imageIsWithinThirtyMebibytes() {
    for (String architecture : ARCHITECTURES) {
      long bytes = ReleaseFiles.image().compressedBytes(architecture);
      System.out.println("figure: image, compressed, " + architecture + ": " + bytes + " bytes");
      assertTrue(bytes <= 30 * 1024 * 1024, architecture + ": " + bytes);
    }
  }

  @Test
  void imageIsOneIndexOfBothArchitecturesAndSaysWhatItIs() {
    OciLayout image = ReleaseFiles.image();
    assertEquals(ARCHITECTURES, image.architectures());
    assertEquals(
        ReleaseFiles.IMAGE,
        image
            .descriptor()
            .getAsJsonObject("annotations")
            .get("io.containerd.image.name")
            .getAsString());
    for (String architecture : ARCHITECTURES) {
      JsonObject configuration = image.configuration(architecture);
      assertEquals(architecture, configuration.get("architecture").getAsString());
      assertEquals(
          System.getProperty("build.timestamp"), configuration.get("created").getAsString());
      Map<String, String> labels = labels(configuration.getAsJsonObject("config"), "Labels");
      assertEquals(labels, labels(image.manifest(architecture), "annotations"));
      assertEquals(labels, labels(image.index(), "annotations"));
      String revision = String.valueOf(labels.remove("revision"));
      assertTrue(revision.matches("[0-9a-f]{40}(-dirty)?"), revision);
      String licenses = String.valueOf(labels.remove("licenses"));
      assertTrue(licenses.startsWith("Apache-2.0 AND "), licenses);
      assertEquals(
          Map.of("title", "apiserver-updater", "version", VERSION, "source", ReleaseFiles.SOURCE),
          labels);
    }
  }

  private static Map<String, String> labels(JsonObject parent, String member) {
    Map<String, String> labels = new TreeMap<>();
    for (Map.Entry<String, JsonElement> label : parent.getAsJsonObject(member).entrySet()) {
      labels.put(
          label.getKey().replace("org.opencontainers.image.", ""), label.getValue().getAsString());
    }
    return labels;
  }

  /** All of it, with the archive of classes; at another path. */
  @Test
  void imageIsTheSameWhenItIsBuiltAgain() throws IOException {
    Path first = Files.createDirectory(folder.resolve("first"));
    ReleaseFiles.image().unpack("amd64", first);
    Path again =
        BuildCopy.of(PROJECT, folder.resolve("again"))
            .image(System.getProperty("runtime.jdk"), "amd64")
            .resolve("root");
    Execution compared =
        Execution.run(
            LIMIT,
            "diff",
            "--recursive",
            "--brief",
            // Jib's own, and empty folders.
            "--exclude=app",
            "--exclude=tmp",
            first.toString(),
            again.toString());
    assertEquals(0, compared.exitCode(), compared.out());
  }

  @Test
  void billsOfMaterialsNameLibrariesAndRuntime() throws IOException {
    for (String architecture : ARCHITECTURES) {
      Set<String> image = components("apiserver-updater-" + VERSION + "-image-" + architecture);
      assertTrue(
          image.containsAll(Set.of("okhttp-jvm", "gson", "snakeyaml", "openjdk", "libc.so.6")),
          image::toString);
      Set<String> node = components("apiserver-bootstrap-" + VERSION + "-" + architecture);
      assertTrue(node.containsAll(Set.of("gson", "snakeyaml", "openjdk")), node::toString);
      assertFalse(node.contains("okhttp-jvm"), node::toString);
    }
  }

  private static Set<String> components(String name) throws IOException {
    JsonObject bill =
        JsonParser.parseString(Files.readString(ReleaseFiles.file(name + ".cdx.json")))
            .getAsJsonObject();
    assertEquals("CycloneDX", bill.get("bomFormat").getAsString());
    Set<String> names = new TreeSet<>();
    for (JsonElement component : bill.getAsJsonArray("components")) {
      names.add(component.getAsJsonObject().get("name").getAsString());
    }
    return names;
  }

  /** As krew reads it: it unpacks files and folders only, and links the one that is named. */
  @Test
  void krewFindsThePluginInTheArchive() throws IOException {
    Object manifest =
        new Yaml(new SafeConstructor(new LoaderOptions()))
            .load(Files.readString(ReleaseFiles.file("apiserver-updater.yaml")));
    JsonObject spec = new Gson().toJsonTree(manifest).getAsJsonObject().getAsJsonObject("spec");
    assertEquals("v" + VERSION, spec.get("version").getAsString());
    JsonArray platforms = spec.getAsJsonArray("platforms");
    assertEquals(ARCHITECTURES.size(), platforms.size());
    for (String architecture : ARCHITECTURES) {
      JsonObject platform = platforms.get(ARCHITECTURES.indexOf(architecture)).getAsJsonObject();
      assertEquals(
          "{\"matchLabels\":{\"os\":\"linux\",\"arch\":\"" + architecture + "\"}}",
          platform.get("selector").toString());
      String uri = platform.get("uri").getAsString();
      String archive = uri.substring(uri.lastIndexOf('/') + 1);
      assertEquals(ReleaseFiles.SOURCE + "/releases/download/v" + VERSION + "/" + archive, uri);
      assertTrue(
          Files.readAllLines(ReleaseFiles.file("SHA256SUMS"))
              .contains(platform.get("sha256").getAsString() + "  " + archive));
      String listed =
          Execution.run(LIMIT, "tar", "-tvzf", ReleaseFiles.file(archive).toString())
              .orThrow()
              .out();
      assertTrue(listed.lines().allMatch(line -> line.matches("[d-].*")), listed);
      String program = platform.get("bin").getAsString();
      assertTrue(listed.lines().anyMatch(line -> line.matches("-rwx.* " + program)), listed);
    }
  }

  @Test
  void archiveWithItsRuntimeNeedsNoJava() {
    try (BareNode node = BareNode.create(PROJECT, folder.resolve("node"))) {
      String name = "apiserver-updater-" + VERSION;
      node.disk()
          .copy(ReleaseFiles.file(name + "-linux-amd64.tar.gz").toString(), "/root/archive.tar.gz");
      node.run("tar", "-xzf", "/root/archive.tar.gz", "-C", "/root").orThrow();
      assertFalse(Files.exists(node.disk().path("/usr/bin/java")));
      assertEquals(
          "updater " + VERSION + "\n",
          node.run("/root/" + name + "/bin/kubectl-apiserver_updater", "--version")
              .orThrow()
              .out());
    }
  }
}
