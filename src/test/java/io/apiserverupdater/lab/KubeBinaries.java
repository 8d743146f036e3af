package io.apiserverupdater.lab;

import java.nio.file.Path;

/**
 * The programs of the control plane, built by {@code src/test/kube/build}.
 *
 * @param folder where the links etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
 *     kube-proxy, kubelet, kubectl and kubeadm are
 */
public record KubeBinaries(Path folder) {
  /** Finds or builds them, as {@link BuildScript#run}. */
  public static KubeBinaries locate(Path projectRoot) {
    return new KubeBinaries(BuildScript.run(projectRoot, "kube"));
  }

  String program(String name) {
    return folder.resolve(name).toString();
  }
}
