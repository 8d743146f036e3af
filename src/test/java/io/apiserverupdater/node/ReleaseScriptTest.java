package io.apiserverupdater.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Execution;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code ./release} from its first line to its last, with packages and an image that are empty. Of
 * what it makes of the real ones {@link ReleaseTest} has the rest.
 */
@Tag("real")
@Tag("arm64")
@Timeout(120)
class ReleaseScriptTest {
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final Path PROJECT = Path.of(System.getProperty("project.root"));
  private static final String KEY = "release@example.com";

  /** Makes what the build leaves, in place of Maven. */
  private static final String BUILD =
      """
      build_packages() {
        local deb=deploy/deb/target image=deploy/image/target program=apiserver-updater-$version runtime
        mkdir -p $deb/control deploy/rpm/target {updater,bootstrap}/target "$program"
        echo "Depends: libc6 (>= 2.17), zlib1g" >$deb/control/control
        touch $deb/apiserver-bootstrap.{deb,tar.gz} deploy/rpm/target/apiserver-bootstrap.rpm
        for runtime in $deb/root/usr/lib/apiserver-bootstrap $image/root/usr/lib/apiserver-updater; do
          mkdir -p $runtime/runtime/lib/server
          touch $runtime/runtime/lib/server/classes.jsa
          echo 'JAVA_VERSION="17.0.9"' >$runtime/runtime/release
        done
        touch $image/jib-image.tar
        printf '{\\n  "components" : [\\n  ]\\n}\\n' | tee updater/target/bom.json >bootstrap/target/bom.json
        tar --create --gzip --file "updater/target/$program.tar.gz" "$program"
      }
      """;

  @TempDir Path folder;

  @BeforeEach
  void makeACheckoutAndAKey() throws IOException {
    run(
            "sh",
            "-ec",
            """
            mkdir -p "$2/deploy/image" "$2/deploy/kustomize" "$2/src/test"
            cp -r "$1/release" "$1/pom.xml" "$2"
            cp -r "$1/deploy/helm" "$1/deploy/runtime.sh" "$1/deploy/sums" "$2/deploy"
            cp "$1/src/test/toolchain.sh" "$2/src/test"
            cd "$2"
            git init --quiet
            git -c user.name=x -c user.email=x@example.com commit --quiet --allow-empty --message=x
            """,
            "sh",
            PROJECT.toString(),
            checkout().toString())
        .orThrow();
    Path toolchain = checkout().resolve("src/test/toolchain.sh");
    Files.writeString(toolchain, Files.readString(toolchain) + BUILD);
    program("deploy/kustomize/build", "echo kind: List");
    program("deploy/kustomize/build-monitoring", "echo kind: List");
    program(
        "deploy/image/build-index",
        "mkdir -p $1/blobs && touch $1/oci-layout && echo '{\"digest\":\"sha256:1\"}' >$1/index.json");
    Files.createDirectory(keys());
    Files.setPosixFilePermissions(keys(), PosixFilePermissions.fromString("rwx------"));
    run(
            "gpg",
            "--batch",
            "--passphrase",
            "",
            "--quick-generate-key",
            KEY,
            "default",
            "default",
            "never")
        .orThrow();
  }

  @AfterEach
  void endTheAgentOfTheKeys() {
    Execution unusedDone = run("gpgconf", "--kill", "all");
  }

  private Path checkout() {
    return folder.resolve("checkout");
  }

  private Path keys() {
    return folder.resolve("keys");
  }

  private void program(String name, String text) throws IOException {
    Path file = Files.writeString(checkout().resolve(name), "#!/bin/sh\n" + text + "\n");
    assertTrue(file.toFile().setExecutable(true));
  }

  private Execution run(String... command) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().put("GNUPGHOME", keys().toString());
    builder.environment().put("LC_ALL", "C");
    return Execution.run(builder, LIMIT);
  }

  private Execution release(String... flags) {
    List<String> command =
        new ArrayList<>(
            List.of(
                checkout().resolve("release").toString(),
                "9.9.9",
                "--arm64-jdk=/jdk",
                "--arm64-sysroot=/sysroot"));
    command.addAll(List.of(flags));
    return run(command.toArray(String[]::new));
  }

  @Test
  void signsTheSums() {
    Execution done = release("--sign=" + KEY).orThrow();
    Path dist = checkout().resolve("dist");
    run(
            "gpg",
            "--verify",
            dist.resolve("SHA256SUMS.asc").toString(),
            dist.resolve("SHA256SUMS").toString())
        .orThrow();
    assertFalse(done.out().contains("gpg "), done.out());
  }

  @Test
  void saysHowToSignAndWhatToPushWhere() {
    Execution done =
        release("--image=registry.example.com/o/updater", "--source=https://example.com/o/u")
            .orThrow();
    assertFalse(Files.exists(checkout().resolve("dist/SHA256SUMS.asc")));
    for (String line :
        List.of(
            "crane push dist/image registry.example.com/o/updater:9.9.9\n",
            "its digest will be sha256:1\n",
            "helm push dist/apiserver-updater-9.9.9.tgz oci://registry.example.com/o/charts\n",
            "gpg --armor --detach-sign dist/SHA256SUMS\n",
            "gh release create v9.9.9 ",
            "dist/apiserver-updater.yaml, as plugins/apiserver-updater.yaml of krew's index\n")) {
      assertTrue(done.out().contains(line), done.out());
    }
    assertTrue(done.err().contains("needs glibc 2.17 on arm64, 2.17 on amd64\n"), done.err());
    assertFalse(done.err().contains("newer than 2.28"), done.err());
  }

  @Test
  void looksForTheKeyBeforeItBuilds() {
    Execution refused = release("--sign=nobody@example.com");
    assertEquals(1, refused.exitCode(), refused::toString);
    assertTrue(
        refused.err().contains("gpg has no secret key \"nobody@example.com\""), refused::toString);
    assertFalse(Files.exists(checkout().resolve("dist")));
  }
}
