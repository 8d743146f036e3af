package io.apiserverupdater.lab;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** kube-controller-manager, on a host of its own. */
final class ControllerManager {
  private static final Duration START = Duration.ofSeconds(60);
  private static final int PORT = 10257;
  private static final String FIRST_ACCOUNT =
      "/api/v1/namespaces/kube-system/serviceaccounts/default";

  private ControllerManager() {}

  /** Starts it and waits until it works. */
  static LabProcess start(
      LabHost host, KubeBinaries binaries, LabPki pki, Path kubeconfig, AdminClient admin) {
    LabProcess process =
        host.start(
            "kube-controller-manager",
            List.of(
                binaries.program("kube-controller-manager"),
                "--kubeconfig=" + kubeconfig,
                "--service-account-private-key-file=" + pki.serviceAccountKey(),
                "--root-ca-file=" + pki.caFile(),
                // It signs the certificates of kubelets that join.
                "--cluster-signing-cert-file=" + pki.caFile(),
                "--cluster-signing-key-file=" + pki.caKey(),
                "--leader-elect=false",
                // Most nodes have no kubelet here, so nobody renews their leases.
                "--controllers=*,-node-lifecycle-controller,-node-ipam-controller"),
            Map.of());
    process.awaitReady(
        "its port and the first service account",
        () -> accepts(host.address()) && admin.find(FIRST_ACCOUNT).isPresent(),
        Deadline.in(START));
    return process;
  }

  @SuppressWarnings("AddressSelection") // The address is a literal.
  private static boolean accepts(String address) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getByName(address), PORT), 500);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
