package io.apiserverupdater.node;

import io.apiserverupdater.lab.BuildScript;
import java.nio.file.Path;

/**
 * What every node is made of, built by {@code src/test/node/build}.
 *
 * @param disk an ext4 file system, to be copied, of the Debian that was asked for
 * @param pauseImage the container image of all pods of the lab
 * @param kubernetesImage the container image of Kubernetes, under all names by which kubeadm knows
 *     its parts
 * @param rootfs what is put on each disk for the lab: units and configuration
 * @param bootScript powers a node on
 */
record NodeImage(Path disk, Path pauseImage, Path kubernetesImage, Path rootfs, Path bootScript) {
  /** The release of Debian that most nodes have. */
  static final String USUAL = "bookworm";

  /** The same as {@link #locate(Path, String)}, with {@link #USUAL}. */
  static NodeImage locate(Path projectRoot) {
    return locate(projectRoot, USUAL);
  }

  /**
   * Finds it in the cache or builds it, which takes a minute and needs the network: run the script
   * before entering the universe.
   *
   * @param release of Debian, as the script calls it
   */
  static NodeImage locate(Path projectRoot, String release) {
    Path sources = projectRoot.resolve("src/test/node");
    Path images = BuildScript.run(projectRoot, "node", USUAL);
    return new NodeImage(
        BuildScript.run(projectRoot, "node", release).resolve("node.img"),
        images.resolve("pause.tar"),
        images.resolve("kubernetes.tar"),
        sources.resolve("rootfs"),
        sources.resolve("boot"));
  }
}
