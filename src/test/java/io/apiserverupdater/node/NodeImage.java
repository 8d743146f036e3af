package io.apiserverupdater.node;

import io.apiserverupdater.lab.Execution;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What every node is made of, built by {@code src/test/node/build}.
 *
 * @param disk an ext4 file system, to be copied
 * @param pauseImage the container image of all pods of the lab
 * @param kubernetesImage the container image of Kubernetes, under all names by which kubeadm knows
 *     its parts
 * @param rootfs what is put on each disk for the lab: units and configuration
 * @param bootScript powers a node on
 */
record NodeImage(Path disk, Path pauseImage, Path kubernetesImage, Path rootfs, Path bootScript) {
  /**
   * Finds it in the cache or builds it, which takes a minute and needs the network: run the script
   * before entering the universe.
   */
  static NodeImage locate(Path projectRoot) {
    Path sources = projectRoot.resolve("src/test/node");
    Execution built =
        Execution.run(Duration.ofMinutes(10), sources.resolve("build").toString()).orThrow();
    Path folder = Path.of(built.out().strip());
    return new NodeImage(
        folder.resolve("node.img"),
        folder.resolve("pause.tar"),
        folder.resolve("kubernetes.tar"),
        sources.resolve("rootfs"),
        sources.resolve("boot"));
  }
}
