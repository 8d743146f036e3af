package io.apiserverupdater.node;

import java.nio.file.Path;

/** What {@code ./release} has made, as {@code ./check} calls it before the real tier. */
final class ReleaseFiles {
  static final Path FOLDER = Path.of(System.getProperty("project.root"), "dist");
  static final String VERSION = System.getProperty("build.version");

  /** On the loopback of a node. */
  static final String REGISTRY = "127.0.0.1:5000";

  /** Of {@code ./release --image}, with its tag. */
  static final String IMAGE = REGISTRY + "/apiserver-updater:" + VERSION;

  /** Of {@code ./release --source}. */
  static final String SOURCE = "https://example.com/apiserver-updater";

  private ReleaseFiles() {}

  static Path file(String name) {
    return FOLDER.resolve(name);
  }

  static OciLayout image() {
    return new OciLayout(FOLDER.resolve("image"));
  }
}
