package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Through a proxy nothing is sent that was not tunnelled, and all is done as without one. */
@Tag("component")
class ProxyTest extends OnOneCluster {
  private final String user = Replicas.fresh("updater");
  private Relay proxy;

  @BeforeEach
  void startProxy() throws IOException {
    proxy = Relay.proxy();
  }

  @AfterEach
  void endProxy() throws IOException {
    proxy.close();
  }

  private Path kubeconfig() throws IOException {
    return replicas.kubeconfig(
        user, server -> server + "\n    proxy-url: http://" + proxy.address());
  }

  @Test
  void electsMirrorsAndFindsAServerThatHangs() throws Exception {
    String namespace = replicas.namespace();
    UpdaterProcess updater = replicas.with(user, namespace, kubeconfig());
    updater.awaitLog("leading=true", SOON);
    replicas.awaitMirrored(namespace, cluster.runningAddresses().toArray(new String[0]));
    cluster.source().set("192.0.2.7");
    replicas.awaitMirrored(namespace, "192.0.2.7");
    String first = cluster.apiserver(0).url().replace("https://", "");
    assertEquals(Set.of(first), Set.copyOf(proxy.destinations()));

    int running = updater.logSize();
    cluster.apiserver(0).pause();
    updater.awaitLog(running, "apiserver=down address=" + first, SOON);
    int before = updater.logSize();
    cluster.apiserver(0).resume();
    updater.awaitLog(before, "apiserver=up address=" + first, SOON);
    cluster.source().set("192.0.2.8");
    replicas.awaitMirrored(namespace, "192.0.2.8");
    assertTrue(updater.isAlive());
  }

  @Test
  void isAskedForTheServerAndNotForItsTlsNameAndIsToldUserAndPassword() throws Exception {
    Path kubeconfig =
        replicas.kubeconfig(
            user,
            server ->
                server
                    + "\n    tls-server-name: kubernetes.default.svc"
                    + "\n    proxy-url: http://me:p%40ss@"
                    + proxy.address());
    replicas
        .oneShot(
            "--once",
            "--health-check=off",
            "--kubeconfig=" + kubeconfig,
            "--namespace=" + replicas.namespace())
        .exits(0);
    String first = cluster.apiserver(0).url().replace("https://", "");
    assertEquals(Set.of(first), Set.copyOf(proxy.destinations()));
    for (String head : proxy.heads()) {
      assertTrue(head.contains("\r\nProxy-Authorization: Basic bWU6cEBzcw==\r\n"), head);
      assertTrue(head.contains("\r\nHost: " + first + "\r\n"), head);
    }
  }

  @Test
  void proxyThatIsGoneIsSaid() throws Exception {
    Path kubeconfig = kubeconfig();
    proxy.close();
    UpdaterProcess.Result failed =
        replicas
            .oneShot(
                "--dry-run", "--kubeconfig=" + kubeconfig, "--namespace=" + replicas.namespace())
            .exits(2);
    failed.says("refused");
    assertFalse(failed.err().contains("Exception"), failed::toString);
    assertEquals(List.of(), proxy.destinations());
  }
}
