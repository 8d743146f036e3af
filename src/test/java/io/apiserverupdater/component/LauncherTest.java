package io.apiserverupdater.component;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The release archive, unpacked as a person does, and the launcher in it. */
@Tag("component")
class LauncherTest {
  /** A first start makes the class archive: some seconds of a processor that others use as well. */
  private static final Duration FIRST_START = Duration.ofMinutes(1);

  private static final Path ROOT = Path.of(System.getProperty("project.root", "."));
  private static final String SEARCH_PATH = System.getenv().getOrDefault("PATH", "/usr/bin:/bin");

  private static Replicas replicas;
  private Path release = Path.of("");

  @BeforeAll
  static void start() throws IOException {
    replicas = new Replicas(SandboxCluster.builder().apiservers(1).start());
    // Another user must be able to read the release.
    Files.setPosixFilePermissions(replicas.folder(), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @AfterAll
  static void end() {
    replicas.close();
  }

  @BeforeEach
  void unpack() throws Exception {
    Path archive;
    try (Stream<Path> files = Files.list(ROOT.resolve("updater/target"))) {
      archive = files.filter(f -> f.toString().endsWith(".tar.gz")).findFirst().orElseThrow();
    }
    Path folder = Files.createDirectory(replicas.folder().resolve(Replicas.fresh("release")));
    run(Map.of(), "tar", "-xzf", archive.toString(), "-C", folder.toString()).exits(0);
    try (Stream<Path> files = Files.list(folder)) {
      release = files.findFirst().orElseThrow();
    }
  }

  private static UpdaterProcess.Result run(Map<String, String> variables, String... command)
      throws InterruptedException {
    return replicas.run(List.of(command), variables, "").result(FIRST_START);
  }

  private String launcher() {
    return release.resolve("bin/updater").toString();
  }

  private static List<Path> in(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().contains(".jsa")).toList();
    }
  }

  @Test
  void runsAsTypedAndThroughASymbolicLink() throws Exception {
    UpdaterProcess.Result version = run(Map.of(), launcher(), "--version").exits(0);
    assertTrue(version.out().matches("updater [0-9]+\\.[0-9]+\\.[0-9]+"), version::toString);
    assertEquals("", version.err());

    Path link = replicas.folder().resolve(Replicas.fresh("link"));
    Files.createSymbolicLink(link, release.resolve("bin/updater"));
    String config = "--kubeconfig=" + replicas.kubeconfig("person");
    run(Map.of(), link.toString(), "--dry-run", config, "--namespace=" + replicas.namespace())
        .exits(1)
        .says("2 objects would be created");
    // Both have shared what was made at the first start.
    assertEquals(1, in(release.resolve("lib")).size());
  }

  /** By the README's own lines, in a checkout that has been built. */
  @Test
  void showsToAReaderOfTheReadmeWhatWouldChange() throws Exception {
    Matcher preview =
        Pattern.compile("(?m)^tar -xzf updater/target/.*\n.*bin/updater --dry-run$")
            .matcher(Files.readString(ROOT.resolve("README.md")));
    assertTrue(preview.find());
    Files.createSymbolicLink(release.resolve("updater"), ROOT.resolve("updater"));
    String lines = "cd '" + release + "'\n" + preview.group();
    run(Map.of("KUBECONFIG", replicas.kubeconfig("reader").toString()), "sh", "-ec", lines)
        .exits(1)
        .says("would be created");
  }

  /** Where docs/outside.md takes them from, for who has no checkout. */
  @ParameterizedTest
  @ValueSource(strings = {"apiserver-export.service", "rbac.yaml"})
  void hasWhatALoadBalancerNeeds(String name) throws Exception {
    Path file = release.resolve("deploy/export").resolve(name);
    assertEquals(-1, Files.mismatch(ROOT.resolve("deploy/export").resolve(name), file));
    assertEquals("rw-r--r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
  }

  /** Whatever Java is installed. */
  @Test
  void prefersTheRuntimeOfItsArchive() throws Exception {
    Path own = Files.createDirectories(release.resolve("runtime/bin")).resolve("java");
    Files.writeString(own, "#!/bin/sh\necho own\n");
    Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertEquals("own", run(Map.of(), launcher(), "--version").exits(0).out());
  }

  @Test
  void optionsOfTheCallerWin() throws Exception {
    UpdaterProcess.Result flags =
        run(Map.of("UPDATER_OPTS", "-Xmx40m -XX:+PrintFlagsFinal"), launcher(), "--version")
            .exits(0);
    assertTrue(
        Pattern.compile(" MaxHeapSize +=? +" + (40 << 20) + " ").matcher(flags.out()).find(),
        flags::toString);
  }

  private static Path file(String text) throws IOException {
    return Files.writeString(replicas.folder().resolve(Replicas.fresh("file")), text);
  }

  /** An exit code of 1 would mean that there are changes, and the virtual machine's 3 a refusal. */
  @Test
  void commandThatRunsOutOfMemoryEndsWithTwoAndOneLine() throws Exception {
    String values = file("- a\n".repeat(49_999)).toString();
    UpdaterProcess.Result result =
        run(Map.of("UPDATER_OPTS", "-Xmx9m"), launcher(), "--dry-run", "-f", values).exits(2);
    assertTrue(result.err().matches("error: out of memory; .*"), result::toString);
    assertEquals("", result.out());
  }

  @Test
  void controllerThatRunsOutOfMemoryIsEndedByItsRuntime() throws Exception {
    Pattern on = Pattern.compile(" ExitOnOutOfMemoryError +=? +true ");
    Map<String, String> flags = Map.of("UPDATER_OPTS", "-XX:+PrintFlagsFinal");
    UpdaterProcess.Result controller = run(flags, launcher()).exits(2);
    assertTrue(on.matcher(controller.out()).find(), controller::toString);
    for (String mode : List.of("--once", "status")) {
      UpdaterProcess.Result command = run(flags, launcher(), mode).exits(2);
      assertFalse(on.matcher(command.out()).find(), command::toString);
    }
  }

  /** With the options that are shipped. */
  @Test
  void fileAtTheLimitFitsIntoTheHeap() throws Exception {
    String head =
        """
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        addressType: IPv4
        metadata: {name: kubernetes}
        ports: [{name: https, port: 6443}]
        endpoints: [{addresses: [192.0.2.7]}]
        unknown: [\
        """;
    int most = 512 * 1024 - head.length() - 10;
    List<String> fill =
        List.of(
            "{},".repeat(49_900),
            "a,".repeat(49_900),
            "abcdefghi,".repeat(49_900),
            "x".repeat(most),
            "\u0439".repeat(most / 2));
    for (String text : fill) {
      assertIsRead(head + text + "]\n");
    }
    assertIsRead(
        """
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "kubernetes"}, "ports": [{"name": "https", "port": 6443}],
        "endpoints": [{"addresses": ["192.0.2.7"]}], "unknown": [%s1]}
        """
            .formatted("{},".repeat(24_900)));
    run(Map.of(), launcher(), "--dry-run", "-f", file("a\n---\n".repeat(50_000)).toString())
        .exits(2)
        .says("document 1 is no object");
  }

  private void assertIsRead(String text) throws Exception {
    assertTrue(text.getBytes(StandardCharsets.UTF_8).length <= 512 * 1024);
    run(Map.of(), launcher(), "--dry-run", "-f", file(text).toString())
        .exits(1)
        .prints("192.0.2.7");
  }

  @Test
  void kubeconfigAtTheLimitFitsIntoTheHeap() throws Exception {
    String config = Files.readString(replicas.kubeconfig("person"));
    int most = (1 << 20) - config.length() - 20;
    String namespace = "--namespace=" + replicas.namespace();
    for (String text : List.of("{},".repeat(49_900), "x".repeat(most))) {
      Path large = file(config + "extensions: [" + text + "]\n");
      run(Map.of(), launcher(), "--dry-run", "--kubeconfig=" + large, namespace)
          .exits(1)
          .says("2 objects would be created");
    }
  }

  @Test
  void signalsReachTheUpdaterThroughTheLauncher() throws Exception {
    String namespace = replicas.namespace();
    run(Map.of(), launcher(), "--version").exits(0);
    UpdaterProcess updater =
        replicas.run(
            List.of(
                launcher(),
                "--kubeconfig=" + replicas.kubeconfig("updater"),
                "--namespace=" + namespace,
                "--listen=0"),
            Map.of(),
            "");
    replicas.awaitMirrored(namespace, replicas.cluster().runningAddresses());
    assertEquals(0, updater.stop());
  }

  @Test
  void theClassArchiveHoldsNearlyAllThatIsLoaded() throws Exception {
    run(Map.of(), launcher(), "--version");
    Path archive = in(release.resolve("lib")).get(0);
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:SharedArchiveFile=" + archive,
                "-Xlog:class+load",
                "-jar",
                release.resolve("lib/updater.jar").toString()));
    command.addAll(
        List.of(
            "--once",
            "--kubeconfig=" + replicas.kubeconfig("person"),
            "--namespace=" + replicas.namespace()));
    UpdaterProcess.Result once = run(Map.of(), command.toArray(new String[0])).exits(0);
    List<String> loaded =
        once.out()
            .lines()
            .filter(l -> l.contains(" io.apiserverupdater.") || l.contains(" okhttp3."))
            .filter(l -> l.contains(" source: "))
            // Lambdas' classes are made while it runs.
            .filter(l -> !l.contains("$$Lambda"))
            .toList();
    List<String> parsed = loaded.stream().filter(l -> !l.contains("shared objects file")).toList();
    assertTrue(loaded.size() > 100, () -> loaded.size() + " classes");
    assertTrue(
        parsed.size() * 10 <= loaded.size(),
        () -> parsed.size() + " of " + loaded.size() + ":\n" + String.join("\n", parsed));
  }

  @Test
  void whereItMayNotWriteTheArchiveGoesToTheCacheFolder() throws Exception {
    Path cache = Files.createDirectory(replicas.folder().resolve(Replicas.fresh("cache")));
    List<String> command = new ArrayList<>();
    if (release.resolve("lib").toFile().setWritable(false, false)
        && Files.isWritable(release.resolve("lib"))) {
      // The superuser may write everywhere: somebody else tries.
      assumeTrue(
          Files.isExecutable(Path.of("/usr/bin/setpriv")), "setpriv, to become another user");
      command.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
      Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
    }
    command.addAll(List.of(launcher(), "--version"));
    run(Map.of("XDG_CACHE_HOME", cache.toString()), command.toArray(new String[0])).exits(0);
    assertEquals(List.of(), in(release.resolve("lib")));
    assertEquals(1, in(cache.resolve("apiserver-updater")).size());
    assertTrue(release.resolve("lib").toFile().setWritable(true));
  }

  @Test
  void withoutJavaItSaysWhatToInstall() throws Exception {
    Path tools = Files.createDirectory(replicas.folder().resolve(Replicas.fresh("tools")));
    for (String tool : List.of("sh", "readlink", "dirname", "cat", "cksum", "cut", "stat")) {
      Path found =
          Stream.of(SEARCH_PATH.split(":"))
              .map(folder -> Path.of(folder, tool))
              .filter(Files::isExecutable)
              .findFirst()
              .orElseThrow();
      Files.createSymbolicLink(tools.resolve(tool), found);
    }
    run(Map.of("PATH", tools.toString(), "JAVA_HOME", ""), launcher(), "--version")
        .exits(2)
        .says("no Java runtime: set JAVA_HOME");
  }

  @Test
  void twoFirstStartsAtOnceDoNotDisturbEachOther() throws Exception {
    List<String> command = List.of(launcher(), "--version");
    UpdaterProcess one = replicas.run(command, Map.of(), "");
    UpdaterProcess other = replicas.run(command, Map.of(), "");
    for (UpdaterProcess process : List.of(one, other)) {
      UpdaterProcess.Result result = process.result(FIRST_START).exits(0);
      assertTrue(result.out().startsWith("updater "), result::toString);
      assertEquals("", result.err());
    }
    assertEquals(1, in(release.resolve("lib")).size());
  }

  @Test
  void isAPluginOfKubectl() throws Exception {
    Path bin = release.resolve("bin");
    Optional<Path> kubectl = kubectl();
    List<String> command =
        kubectl.isPresent()
            ? List.of(kubectl.get().toString(), "apiserver-updater", "--version")
            : List.of(bin.resolve("kubectl-apiserver_updater").toString(), "--version");
    UpdaterProcess.Result result =
        replicas
            .run(command, Map.of("PATH", bin + ":" + SEARCH_PATH), "")
            .result(FIRST_START)
            .exits(0);
    assertTrue(result.out().startsWith("updater "), result::toString);
  }

  @Test
  void bringsTheCompletionFileOfEachShell() throws Exception {
    for (Map.Entry<String, String> file :
        Map.of(
                "bash", "bash-completion/completions/updater",
                "zsh", "zsh/site-functions/_updater",
                "fish", "fish/vendor_completions.d/updater.fish")
            .entrySet()) {
      assertEquals(
          run(Map.of(), launcher(), "completion", file.getKey()).exits(0).out().strip(),
          Files.readString(release.resolve("share").resolve(file.getValue())).strip());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--health-check t | tcp",
        "--health-check=o | --health-check=off",
        "--kubeconfig /e  | :0",
        "--context a      | :4",
      })
  void kubectlCompletesThePlugin(String line, String first) throws Exception {
    Path bin = release.resolve("bin");
    List<String> command = new ArrayList<>();
    kubectl()
        .ifPresentOrElse(
            kubectl ->
                command.addAll(List.of(kubectl.toString(), "__complete", "apiserver-updater")),
            () -> command.add(bin.resolve("kubectl_complete-apiserver_updater").toString()));
    command.addAll(List.of(line.split(" ")));
    UpdaterProcess.Result result =
        replicas
            .run(command, Map.of("PATH", bin + ":" + SEARCH_PATH), "")
            .result(FIRST_START)
            .exits(0);
    assertEquals(first, result.out().lines().findFirst().orElse(""), result::toString);
  }

  /** The one that the real tier has built, if it has. */
  private static Optional<Path> kubectl() throws IOException {
    Path cache =
        Path.of(
            System.getenv()
                .getOrDefault("XDG_CACHE_HOME", System.getProperty("user.home") + "/.cache"),
            "apiserver-updater");
    if (!Files.isDirectory(cache)) {
      return Optional.empty();
    }
    try (Stream<Path> folders = Files.list(cache)) {
      return folders
          .map(folder -> folder.resolve("kubectl"))
          .filter(Files::isExecutable)
          .findFirst();
    }
  }
}
