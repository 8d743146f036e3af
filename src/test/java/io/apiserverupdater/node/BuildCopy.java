package io.apiserverupdater.node;

import io.apiserverupdater.lab.Execution;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A copy of what builds the node package and the image, to build them once more in it. */
record BuildCopy(Path folder) {
  private static final Duration LIMIT = Duration.ofMinutes(4);
  private static final String TIMESTAMP = System.getProperty("build.timestamp");

  /** Copies it into {@code folder}, which must not exist. */
  static BuildCopy of(Path project, Path folder) {
    for (String needed :
        List.of(
            "deploy/runtime.sh",
            "deploy/ListClasses.java",
            "deploy/profile",
            "deploy/completions",
            "deploy/systemd",
            "deploy/deb/build-tree",
            "deploy/deb/control",
            "deploy/deb/runtime",
            "deploy/deb/tree",
            "deploy/image/build-tree",
            "updater/src/main/dist",
            "updater/target/updater.jar",
            "updater/target/updater.classlist",
            "bootstrap/target/bootstrap.jar")) {
      Execution.run(
              LIMIT,
              "sh",
              "-c",
              "mkdir -p \"$(dirname \"$2\")\" && cp -r \"$1\" \"$2\"",
              "sh",
              project.resolve(needed).toString(),
              folder.resolve(needed).toString())
          .orThrow();
    }
    return new BuildCopy(folder);
  }

  /** Builds the tree of the node package; the result is {@code deploy/deb/target}. */
  Path nodePackage(String jdk) {
    return build("deploy/deb", jdk, System.getProperty("build.version"), TIMESTAMP);
  }

  /** Builds the node package from this JDK, with this revision; the result is a .deb. */
  Path deb(String jdk, String revision) {
    String version = System.getProperty("build.version");
    Path target = build("deploy/deb", jdk, version, TIMESTAMP, jdk, "/", revision);
    Execution.run(
            LIMIT,
            "sh",
            "-ec",
            """
            cp -r "$1/control" "$1/root/DEBIAN"
            chmod 755 "$1/root/DEBIAN/postinst" "$1/root/DEBIAN/prerm" "$1/root/DEBIAN/postrm"
            dpkg-deb --root-owner-group -Zgzip -z1 --build "$1/root" "$1/apiserver-bootstrap.deb"
            """,
            "sh",
            target.toString())
        .orThrow();
    return target.resolve("apiserver-bootstrap.deb");
  }

  /** Builds the file system of the image; the result is {@code deploy/image/target}. */
  Path image(String jdk, String architecture) {
    return build("deploy/image", jdk, TIMESTAMP, architecture);
  }

  private Path build(String where, String... arguments) {
    List<String> command =
        new ArrayList<>(List.of(folder.resolve(where + "/build-tree").toString()));
    command.addAll(Arrays.asList(arguments));
    Execution.run(LIMIT, command.toArray(String[]::new)).orThrow();
    return folder.resolve(where + "/target");
  }
}
