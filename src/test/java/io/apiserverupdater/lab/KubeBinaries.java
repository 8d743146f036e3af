package io.apiserverupdater.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The programs of the control plane, built by {@code src/test/kube/build}.
 *
 * @param folder where the links etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
 *     kube-proxy, kubelet, kubectl and kubeadm are
 */
public record KubeBinaries(Path folder) {
  /**
   * Finds them in the cache or builds them, which takes minutes and needs the network: run the
   * script before entering the universe.
   *
   * @param projectRoot the checkout
   */
  public static KubeBinaries locate(Path projectRoot) {
    Path script = projectRoot.resolve("src/test/kube/build");
    if (!Files.isExecutable(script)) {
      throw new LabException(
          script + " is not there; is -Dproject.root=" + projectRoot + " the checkout?");
    }
    Execution built = Execution.run(Duration.ofMinutes(20), script.toString()).orThrow();
    return new KubeBinaries(Path.of(built.out().strip()));
  }

  String program(String name) {
    return folder.resolve(name).toString();
  }
}
