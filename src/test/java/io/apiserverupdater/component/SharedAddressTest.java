package io.apiserverupdater.component;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.sandbox.Fault;
import io.apiserverupdater.sandbox.RequestInfo;
import io.apiserverupdater.sandbox.SandboxApiserver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One address for all apiservers, as that of the Service or of a balancer: new connections go to a
 * healthy one, those that are open stay where they are.
 */
@Tag("component")
class SharedAddressTest extends OnOneCluster {
  private final String user = Replicas.fresh("updater");
  private volatile SandboxApiserver next = cluster.apiserver(1);
  private Relay balancer;

  @BeforeEach
  void startBalancer() throws IOException {
    balancer = Relay.balancer(() -> addressOf(next));
  }

  @AfterEach
  void endBalancer() throws IOException {
    balancer.close();
    cluster.apiservers().forEach(SandboxApiserver::resume);
  }

  private static String addressOf(SandboxApiserver server) {
    return server.url().replace("https://", "");
  }

  private Path kubeconfig() throws IOException {
    return replicas.kubeconfig(
        user,
        server ->
            "    server: https://"
                + balancer.address()
                + "\n    tls-server-name: kubernetes.default.svc");
  }

  /** As long as the source is not known, there is no other address than the shared one. */
  private void holdTheSourceBack() {
    cluster
        .faults()
        .next(
            1,
            Replicas.of(user).and(r -> r.verb().equals("list") && r.namespace().equals("default")),
            new Fault.AnsweredLate(Duration.ofSeconds(3)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--apiserver-failover --health-check=readyz",
        "--apiserver-failover --health-check=off"
      })
  void watchesLeaveAServerThatHangs(String flags) throws Exception {
    String namespace = replicas.namespace();
    SandboxApiserver hung = cluster.apiserver(1);
    next = hung;
    holdTheSourceBack();
    UpdaterProcess updater =
        replicas.with(
            user, namespace, kubeconfig(), flags.isEmpty() ? new String[0] : flags.split(" "));
    awaitWatchedAt(hung);
    List<String> all = cluster.runningAddresses();
    replicas.awaitMirrored(namespace, all);

    next = cluster.apiserver(2);
    hung.pause();
    awaitLeft(hung);
    cluster.source().set(all.get(0), all.get(2));
    replicas.awaitMirrored(namespace, all.get(0), all.get(2));
    assertTrue(updater.isAlive());
  }

  /** No probe can tell that it hangs: every member is where no apiserver listens. */
  @Test
  void watchesLeaveAHungServerAlthoughNoProbeReachesAMember() throws Exception {
    String namespace = replicas.namespace();
    SandboxApiserver hung = cluster.apiserver(1);
    next = hung;
    cluster.source().set("127.66.0.1", "127.66.0.2");
    UpdaterProcess updater =
        replicas.with(
            user, namespace, kubeconfig(), "--apiserver-failover", "--health-check=readyz");
    replicas.awaitMirrored(namespace, "127.66.0.1", "127.66.0.2");
    awaitWatchedAt(hung);

    next = cluster.apiserver(2);
    hung.pause();
    awaitLeft(hung);
    assertTrue(updater.isAlive());
  }

  @Test
  void watchesMoveToAMemberAndRenewalsTakeTurnsBetweenTwo() throws Exception {
    String namespace = replicas.namespace();
    holdTheSourceBack();
    replicas.with(user, namespace, kubeconfig(), "--apiserver-failover");
    awaitWatchedAt(next);
    replicas.awaitMirrored(namespace, cluster.runningAddresses());
    cluster.awaitTrue("only calls went to the shared address", () -> balancer.clients() <= 1);
    cluster.awaitTrue(
        "the Lease is renewed at two apiservers",
        () ->
            cluster.audit().entries(entry -> isRenewal(entry.request())).stream()
                    .map(entry -> entry.request().apiserver())
                    .distinct()
                    .count()
                > 1);
  }

  private boolean isRenewal(RequestInfo request) {
    return request.user().equals(user) && request.is("update", "leases");
  }

  /** Once the source is known, they may have left again. */
  private void awaitWatchedAt(SandboxApiserver server) {
    for (String resource : List.of("leases", "services", "endpoints")) {
      cluster.awaitTrue(
          resource + " are watched there",
          () -> replicas.watches(user, resource).contains(server.name()));
    }
  }

  private void awaitLeft(SandboxApiserver hung) {
    for (String resource : List.of("leases", "services", "endpoints", "endpointslices")) {
      cluster.awaitTrue(
          resource + " are watched elsewhere",
          () -> {
            List<String> at = replicas.watches(user, resource);
            return at.lastIndexOf(hung.name()) < at.size() - 1;
          });
    }
  }
}
