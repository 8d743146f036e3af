package io.apiserverupdater.node;

import io.apiserverupdater.lab.Execution;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** The forms in which the node package comes, as the build has just made them. */
enum PackageFormat {
  DEB(Path.of(System.getProperty("bootstrap.deb"))) {
    @Override
    String install(BareNode node, Path file) {
      return node.install(file);
    }

    @Override
    String remove(BareNode node) {
      return node.dpkg("--remove");
    }

    @Override
    String purge(BareNode node) {
      return node.dpkg("--purge");
    }

    @Override
    Path withVersion(String version, Path folder) throws IOException {
      Path tree = folder.resolve("tree");
      Path deb = folder.resolve(version + ".deb");
      Execution.run(LIMIT, "dpkg-deb", "--raw-extract", file().toString(), tree.toString())
          .orThrow();
      Path control = tree.resolve("DEBIAN/control");
      Files.writeString(
          control,
          Files.readString(control).replaceFirst("(?m)^Version: .*$", "Version: " + version));
      Execution.run(LIMIT, "dpkg-deb", "-Znone", "--build", tree.toString(), deb.toString())
          .orThrow();
      return deb;
    }
  },

  /** On a Debian, whose packages rpm does not know: it is told not to look for dependencies. */
  RPM(Path.of(System.getProperty("bootstrap.rpm"))) {
    @Override
    String install(BareNode node, Path file) {
      return node.rpm("--upgrade", "--oldpackage", file.toString());
    }

    @Override
    String remove(BareNode node) {
      return node.rpm("--erase", "apiserver-bootstrap");
    }

    @Override
    String purge(BareNode node) {
      return "";
    }

    @Override
    Path withVersion(String version, Path folder) {
      return rpm(version, "1", folder);
    }
  };

  private static final Duration LIMIT = Duration.ofMinutes(2);

  private final Path file;

  PackageFormat(Path file) {
    this.file = file;
  }

  Path file() {
    return file;
  }

  /** The .rpm of this version and revision, in an empty {@code folder}. */
  static Path rpm(String version, String revision, Path folder) {
    Path deploy = folder.resolve("deploy");
    Execution.run(
            LIMIT,
            "sh",
            "-ec",
            """
            mkdir -p "$2/deb"
            cp -r "$1/deploy/rpm" "$2/rpm"
            cp "$1/LICENSE" "$2/.."
            ln -s "$1/deploy/deb/target" "$2/deb/target"
            "$2/rpm/build-rpm" "$3" "$4" "$5"
            """,
            "sh",
            System.getProperty("project.root"),
            deploy.toString(),
            version,
            System.getProperty("build.timestamp"),
            revision)
        .orThrow();
    return deploy.resolve("rpm/target/apiserver-bootstrap.rpm");
  }

  /** Installs a file of this machine, or upgrades or downgrades to it; what the package said. */
  abstract String install(BareNode node, Path file);

  /** Removes it and keeps its configuration as the format does; what the package said. */
  abstract String remove(BareNode node);

  /** Deletes what a removal has kept, where the format has that; what the package said. */
  abstract String purge(BareNode node);

  /** The package under another version, in an empty {@code folder}. */
  abstract Path withVersion(String version, Path folder) throws IOException;
}
