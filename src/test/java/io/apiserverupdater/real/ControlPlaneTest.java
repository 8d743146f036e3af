package io.apiserverupdater.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.ControlPlaneHost;
import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.lab.Lab;
import io.apiserverupdater.lab.PodProcess;
import io.apiserverupdater.lab.ProxyMode;
import io.apiserverupdater.lab.Traffic;
import io.apiserverupdater.lab.TrafficTarget;
import io.apiserverupdater.lab.Worker;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Control planes come and go, and workers make requests through the Service all the while: one by
 * kube-proxy in nftables mode, one in iptables mode. Each request is a new connection whose
 * certificate is verified.
 *
 * <p>What is claimed of requests, as long as membership alone is mirrored:
 *
 * <ul>
 *   <li>None fails when an apiserver stops gracefully ({@code --shutdown-delay-duration=5s}), when
 *       one returns, when one joins, or when another replica of the updater takes over.
 *   <li>After a SIGKILL the source names the dead apiserver for 15 to 25 s more. Until then the
 *       connections that kube-proxy sends to it are refused. All that reach a living apiserver
 *       succeed, and soon after the source has changed nothing fails any more.
 * </ul>
 */
@Tag("real")
@Timeout(180)
class ControlPlaneTest {
  @RegisterExtension
  static final UpdaterCluster cluster =
      new UpdaterCluster(
          Lab.builder("control-plane")
              .apiserverFlags(
                  "--shutdown-delay-duration=5s",
                  // Else it waits for its watches for a minute before it ends.
                  "--shutdown-watch-termination-grace-period=2s"));

  /** In a row from one worker: three, or four, servers drawn at random have all been met then. */
  private static final int MANY = 40;

  /** The requests of all workers. */
  private record Requests(List<Traffic> workers) implements AutoCloseable {

    /** Returns when each worker has reached these control planes and no other. */
    void awaitOnly(Set<String> names) {
      workers.forEach(traffic -> traffic.awaitOnly(names, MANY, UpdaterCluster.SOON));
    }

    /** Returns when each worker has made many more requests. */
    void awaitMore(long since) {
      for (Traffic traffic : workers) {
        traffic.await(
            MANY + " more requests",
            all -> all.stream().filter(sample -> sample.startNanos() >= since).count() >= MANY,
            UpdaterCluster.SOON);
      }
    }

    /** All that failed of what began then or later, by {@link System#nanoTime}. */
    List<Traffic.Sample> failuresSince(long nanos) {
      return workers.stream().flatMap(traffic -> traffic.failuresSince(nanos).stream()).toList();
    }

    @Override
    public void close() {
      workers.forEach(Traffic::close);
    }
  }

  /** Starts both replicas and the requests; returns when all control planes have answered. */
  private static Requests requestsToAll() {
    cluster.startBothAndAwaitTarget();
    for (Worker worker : cluster.lab().workers()) {
      // From here on kube-proxy itself depends on the Service, as every program on a node does.
      worker.pointApiserverNameAt(Lab.APISERVER_SERVICE_ADDRESS);
    }
    Requests requests =
        new Requests(cluster.lab().workers().stream().map(cluster::traffic).toList());
    requests.awaitOnly(all());
    return requests;
  }

  private static Set<String> all() {
    return cluster.lab().controlPlanes().stream()
        .map(ControlPlaneHost::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> allBut(ControlPlaneHost one) {
    Set<String> others = all();
    others.remove(one.name());
    return others;
  }

  @Test
  void everyWorkerReachesEveryApiserver() {
    assertEquals(
        List.of(ProxyMode.NFTABLES, ProxyMode.IPTABLES),
        cluster.lab().workers().stream().map(Worker::mode).toList());
    try (Requests requests = requestsToAll()) {
      long begin = System.nanoTime();
      requests.awaitMore(begin);
      for (Traffic traffic : requests.workers()) {
        assertEquals(all(), traffic.serversSince(begin));
      }
      assertEquals(List.of(), requests.failuresSince(begin));
    }
  }

  @Test
  void noRequestIsLostWhenAnApiserverStopsGracefullyAndReturns() {
    // The second worker's kube-proxy is attached to this one.
    ControlPlaneHost leaving = cluster.lab().controlPlane(2);
    try (Requests requests = requestsToAll()) {
      long begin = System.nanoTime();
      leaving.terminate();
      cluster.awaitTarget(cluster.addressesWithout(leaving));
      assertTrue(leaving.process().alive(), "it is out of the target before it stops serving");
      assertEquals(0, leaving.process().awaitExit(Duration.ofSeconds(60)));
      requests.awaitOnly(allBut(leaving));
      assertEquals(List.of(), requests.failuresSince(begin));

      leaving.restart();
      cluster.awaitTarget();
      requests.awaitOnly(all());
      assertEquals(List.of(), requests.failuresSince(begin));
    }
    cluster.assertNobodyDied();
  }

  @Test
  void onlyConnectionsToTheDeadFailWhenAnApiserverIsKilled() {
    // The last one, to which neither worker's kube-proxy is attached.
    ControlPlaneHost dying = cluster.lab().controlPlane(3);
    try (Requests requests = requestsToAll()) {
      dying.kill();
      long dead = System.nanoTime();
      cluster.awaitSource(cluster.addressesWithout(dying));
      long known = System.nanoTime();
      cluster.awaitTarget(cluster.addressesWithout(dying));
      requests.awaitOnly(allBut(dying));
      long settled = System.nanoTime();
      for (Traffic.Sample failure : requests.failuresSince(dead)) {
        assertEquals("connect", failure.outcome(), failure::toString);
      }
      assertTrue(
          requests.failuresSince(dead).stream()
              .allMatch(failure -> failure.startNanos() - known < UpdaterCluster.SOON.toNanos()),
          "the last failures come soon after the source's change");
      sayOutage(requests, dead, known);

      dying.restart();
      cluster.awaitTarget();
      requests.awaitOnly(all());
      assertEquals(List.of(), requests.failuresSince(settled));
    }
    cluster.assertNobodyDied();
  }

  /** docs/pods.md: two variables in the pod's specification give it the health gate. */
  @Test
  void aPodThatDialsOurAddressLeavesADeadApiserverFirst() {
    ControlPlaneHost dying = cluster.lab().controlPlane(3);
    Worker node = cluster.lab().worker(1);
    cluster.startBothAndAwaitTarget();
    assertEquals(
        "https://%s:%d".formatted(Lab.APISERVER_SERVICE_ADDRESS, Lab.APISERVER_PORT),
        serverInPod(
            node,
            Map.of(
                "KUBERNETES_SERVICE_HOST",
                Lab.APISERVER_SERVICE_ADDRESS,
                "KUBERNETES_SERVICE_PORT",
                String.valueOf(Lab.APISERVER_PORT))));
    String others = "https://" + Lab.KUBERNETES_SERVICE_ADDRESS + ":443";
    assertEquals(others, serverInPod(node, Map.of()));
    try (Traffic withOurs = fromPod(node, Lab.APISERVER_SERVICE_ADDRESS, Lab.APISERVER_PORT);
        Traffic withDefault = fromPod(node, Lab.KUBERNETES_SERVICE_ADDRESS, 443)) {
      withOurs.awaitOnly(all(), MANY, UpdaterCluster.SOON);
      withDefault.awaitOnly(all(), MANY, UpdaterCluster.SOON);
      dying.kill();
      long dead = System.nanoTime();
      withOurs.awaitOnly(allBut(dying), MANY, UpdaterCluster.SOON);
      Duration outage = withOurs.outageSince(dead);
      System.out.printf("real: a SIGKILL cost a pod %d ms of requests%n", outage.toMillis());
      // The source names the dead apiserver for 5 to 25 s, so they end well apart.
      long apart = dead + outage.plusSeconds(1).toNanos();
      withDefault.await(
          "a failure on the default way, when ours had none any more",
          all -> all.stream().anyMatch(sample -> !sample.ok() && sample.startNanos() > apart),
          UpdaterCluster.SOON);
    }
    cluster.assertNobodyDied();
  }

  /** The server that a client in a pod chooses, a kubectl without a kubeconfig. */
  private static String serverInPod(Worker node, Map<String, String> variables) {
    PodProcess.Builder pod = cluster.lab().pod(node, "client");
    variables.forEach(pod::environment);
    String kubectl = cluster.lab().programs().resolve("kubectl").toString();
    Execution asked =
        pod.run(UpdaterCluster.SOON, kubectl, "--v=6", "get", "--raw", "/version").orThrow();
    Matcher url = Pattern.compile("(https://[^/\\s\"]+)/version").matcher(asked.err());
    assertTrue(url.find(), asked::err);
    return url.group(1);
  }

  /** New connections; as a client in a pod does, they verify the address that they dial. */
  private static Traffic fromPod(Worker node, String address, int port) {
    return node.traffic(
        TrafficTarget.of(address, port, address)
            .path("/version")
            .every(Duration.ofMillis(50))
            .within(Duration.ofSeconds(5)));
  }

  private static void sayOutage(Requests requests, long dead, long known) {
    for (Traffic traffic : requests.workers()) {
      System.out.println(
          "real: after a SIGKILL the source took "
              + Duration.ofNanos(known - dead).toMillis()
              + " ms; connections failed until "
              + traffic.outageSince(dead).toMillis()
              + " ms");
    }
  }

  @Test
  void noRequestIsLostWhenAnApiserverJoins() {
    try (Requests requests = requestsToAll()) {
      long begin = System.nanoTime();
      ControlPlaneHost joined = cluster.lab().addControlPlane();
      assertTrue(cluster.addresses().contains(joined.address()));
      cluster.awaitSource();
      cluster.awaitTarget();
      requests.awaitOnly(all());
      assertEquals(List.of(), requests.failuresSince(begin));
    }
    cluster.assertNobodyDied();
  }

  @Test
  void noRequestIsLostWhenTheLeaderChanges() {
    try (Requests requests = requestsToAll()) {
      Replica old = cluster.leader();
      long begin = System.nanoTime();
      old.pod().process().kill();
      Replica unusedNext = cluster.awaitLeader(replica -> replica != old);
      cluster.awaitTarget();
      requests.awaitMore(System.nanoTime());
      requests.awaitOnly(all());
      assertEquals(List.of(), requests.failuresSince(begin));
    }
  }
}
