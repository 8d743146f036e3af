package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.sandbox.ApiResource;
import io.apiserverupdater.sandbox.FreePort;
import io.apiserverupdater.sandbox.SandboxApiserver;
import io.apiserverupdater.sandbox.SandboxCluster;
import io.apiserverupdater.sandbox.SandboxStore;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Apiservers that leave, hang and return; what health and log say of it. */
@Tag("component")
class ApiserverLossTest {
  private static final String[] ELECTION = {
    "--apiserver-failover",
    "--health-check=readyz",
    "--lease-duration=3s",
    "--renew-deadline=2s",
    "--retry-period=500ms"
  };

  private final SandboxCluster cluster =
      SandboxCluster.builder().reconcileTtl(Duration.ofSeconds(1)).start();
  private final Replicas replicas = new Replicas(cluster);
  private final String user = Replicas.fresh("updater");
  private final String namespace = replicas.namespace();

  @AfterEach
  void end() {
    replicas.close();
  }

  private record Health(int status, String text) {}

  private static Health health(int port, String path) throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection) URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
    connection.setConnectTimeout(2000);
    connection.setReadTimeout(2000);
    int status = connection.getResponseCode();
    try (var body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      return new Health(status, new String(body.readAllBytes(), StandardCharsets.UTF_8));
    } finally {
      connection.disconnect();
    }
  }

  private void awaitHealth(int port, String path, int status) {
    cluster.awaitTrue(
        path + " is " + status,
        () -> {
          try {
            return health(port, path).status() == status;
          } catch (IOException e) {
            return false;
          }
        });
  }

  private void awaitMembersMirrored() {
    cluster.awaitTrue(
        "the target is the source",
        () ->
            cluster.source().members().equals(cluster.runningAddresses())
                && replicas.isMirrored(namespace, cluster.runningAddresses()));
  }

  /** Proves that writes work, without help of a membership change. */
  private void awaitRepair() {
    cluster.store().delete(ApiResource.ENDPOINTS, namespace, "apiserver");
    awaitMembersMirrored();
  }

  @Test
  void eachApiserverIsKilledAndReturnsOneAfterTheOther() {
    UpdaterProcess updater = replicas.replica(user, namespace, ELECTION);
    awaitMembersMirrored();
    for (SandboxApiserver server : cluster.apiservers()) {
      server.kill();
      awaitMembersMirrored();
      server.start();
      awaitMembersMirrored();
    }
    assertTrue(updater.isAlive());
  }

  @Test
  void onlyTheLastOneIsLeftAndTheOthersReturn() {
    UpdaterProcess updater = replicas.replica(user, namespace, ELECTION);
    awaitMembersMirrored();
    cluster.apiserver(0).kill();
    cluster.apiserver(1).kill();
    awaitMembersMirrored();
    awaitRepair();
    cluster.apiserver(1).start();
    cluster.apiserver(2).stopGracefully();
    awaitMembersMirrored();
    cluster.apiserver(0).start();
    cluster.apiserver(2).start();
    cluster.addApiserver();
    awaitMembersMirrored();
    assertTrue(updater.isAlive());
  }

  @Test
  void eachApiserverHangsAndWakes() {
    UpdaterProcess updater = replicas.replica(user, namespace, ELECTION);
    awaitMembersMirrored();
    for (SandboxApiserver server : cluster.apiservers()) {
      server.pause();
      awaitMembersMirrored();
      server.resume();
      awaitMembersMirrored();
    }
    assertTrue(updater.isAlive());
  }

  /** The apiservers are restarted then, as etcd's documentation says; the updaters are not. */
  @Test
  void etcdIsRestoredFromABackup() {
    replicas.replica(user, namespace, ELECTION);
    replicas.replica("standby", namespace, ELECTION);
    awaitMembersMirrored();
    SandboxStore.Backup backup = cluster.store().backup();
    // More than all the writes that follow: the revisions do not come so far again.
    for (int i = 0; i < 5_000; i++) {
      cluster
          .store()
          .patch(
              ApiResource.NAMESPACES,
              "",
              namespace,
              "{\"metadata\":{\"labels\":{\"round\":\"" + i + "\"}}}");
    }
    awaitLossAndReturn();
    cluster.store().restore(backup);
    cluster.apiservers().forEach(SandboxApiserver::breakConnections);
    awaitLossAndReturn();
    awaitRepair();
  }

  private void awaitLossAndReturn() {
    cluster.apiserver(1).kill();
    awaitMembersMirrored();
    cluster.apiserver(1).start();
    awaitMembersMirrored();
  }

  /** One that has lost its etcd keeps a watch open, and nothing comes any more. */
  @Test
  void watchesLeaveAnApiserverThatIsNotReady() {
    replicas.replica(user, namespace, ELECTION);
    awaitMembersMirrored();
    List<String> watched = List.of("leases", "endpointslices", "services", "endpoints");
    for (String resource : watched) {
      cluster.awaitTrue(resource + " are watched", () -> !watchedAt(resource).isEmpty());
    }
    String served = watchedAt("leases");
    SandboxApiserver lost =
        cluster.apiservers().stream()
            .filter(server -> server.name().equals(served))
            .findFirst()
            .orElseThrow();
    lost.failReadyz("etcd");
    for (String resource : watched) {
      cluster.awaitTrue(
          "the watch of " + resource + " is not at " + served,
          () -> !watchedAt(resource).equals(served));
    }
    lost.passReadyz();
    awaitRepair();
  }

  /** Where the latest watch of such objects was opened, empty before the first. */
  private String watchedAt(String resource) {
    return replicas.watches(user, resource).stream().reduce("", (before, latest) -> latest);
  }

  @Test
  void withoutFailoverTheOneAddressIsWaitedFor() {
    UpdaterProcess updater = replicas.single(user, namespace);
    awaitMembersMirrored();
    cluster.apiserver(0).kill();
    cluster.awaitTrue("it left", () -> cluster.source().members().size() == 2);
    cluster.apiserver(0).start();
    awaitRepair();
    cluster.apiserver(0).pause();
    cluster.awaitTrue("it left", () -> cluster.source().members().size() == 2);
    cluster.apiserver(0).resume();
    awaitRepair();
    assertTrue(updater.isAlive());
  }

  @Test
  void allAreGoneAndHangAndReturnWhileHealthSaysSo() throws Exception {
    int port = FreePort.find();
    int standbyPort = FreePort.find();
    UpdaterProcess updater =
        replicas.with(
            user,
            namespace,
            replicas.kubeconfig(user),
            "--apiserver-failover",
            "--listen=127.0.0.1:" + port);
    cluster.awaitTrue(
        "it leads",
        () -> cluster.leaseHolder(namespace, "apiserver-updater").startsWith(user + "_"));
    UpdaterProcess standby =
        replicas.with(
            "standby",
            namespace,
            replicas.kubeconfig("standby"),
            "--apiserver-failover",
            "--listen=127.0.0.1:" + standbyPort);
    awaitMembersMirrored();
    awaitHealth(standbyPort, "/readyz", 200); // A standby is ready.
    awaitHealth(port, "/readyz", 200);
    assertEquals(new Health(200, "ok"), health(port, "/livez"));
    Health verbose = health(port, "/readyz?verbose");
    assertTrue(verbose.text().contains("[+]ping ok\n"), verbose::toString);
    assertTrue(verbose.text().contains("[+]apiserver ok\n"), verbose::toString);
    assertTrue(verbose.text().endsWith("readyz check passed\n"), verbose::toString);
    assertEquals(200, health(port, "/readyz/apiserver").status());
    assertEquals(404, health(port, "/readyz/nonsense").status());
    assertEquals(404, health(port, "/nonsense").status());

    for (boolean hang : List.of(true, false)) {
      cluster.apiservers().forEach(hang ? SandboxApiserver::pause : SandboxApiserver::kill);
      awaitHealth(port, "/readyz", 500);
      awaitHealth(standbyPort, "/readyz", 500);
      Health failed = health(port, "/readyz");
      assertTrue(
          failed.text().matches("(?s).*\\[-]apiserver failed: .* [0-9]+s ago\n.*"),
          failed::toString);
      assertTrue(failed.text().endsWith("readyz check failed\n"), failed::toString);
      assertEquals(new Health(200, "ok"), health(port, "/livez"));
      Duration cpu = updater.cpuTime();
      cluster.awaitNever("it ends", Duration.ofSeconds(3), () -> !updater.isAlive());
      Duration spent = updater.cpuTime().minus(cpu);
      assertTrue(spent.toMillis() < 1500, () -> "CPU time in 3 s without an apiserver: " + spent);
      cluster.apiservers().forEach(hang ? SandboxApiserver::resume : SandboxApiserver::start);
      awaitHealth(port, "/readyz", 200);
      awaitHealth(standbyPort, "/readyz", 200);
      awaitRepair();
    }
    // Whoever has said that the Lease is out of reach says that it is back.
    for (UpdaterProcess process : List.of(updater, standby)) {
      cluster.awaitTrue(
          "as often back as gone",
          () -> process.log("lease=unreachable").isEmpty() || endsReachable(process));
    }
    assertTrue(updater.residentMebibytes() < 128);
    assertTrue(updater.threads() < 60, () -> updater.threads() + " threads");
    assertTrue(updater.openFiles() < 100, () -> updater.openFiles() + " open files");
  }

  private static boolean endsReachable(UpdaterProcess process) {
    List<String> lines = process.log("lease=");
    return lines.get(lines.size() - 1).contains("lease=reachable");
  }

  @Test
  void theLogHasALineForEachStateChangeAndNoMore() throws Exception {
    UpdaterProcess updater = replicas.replica(user, namespace, ELECTION);
    awaitMembersMirrored();
    updater.awaitLog("leading=true identity=" + user + "_", SOON);
    updater.awaitLog("target=" + namespace + "/apiserver IPv4=", SOON);
    for (int i = 0; i < 4; i++) {
      awaitRepair(); // Each time the Warning header comes again.
    }
    assertEquals(1, updater.log("warning=.*v1 Endpoints is deprecated").size(), updater::logText);
    int before = updater.logSize();
    cluster.apiserver(0).kill();
    awaitMembersMirrored();
    // Time in which somebody who logs each retry would do so.
    cluster.awaitNever("it ends", Duration.ofSeconds(2), () -> !updater.isAlive());
    List<String> lines = updater.log().subList(before, updater.logSize());
    String ip = cluster.apiserver(0).ip();
    assertTrue(
        lines.stream().filter(l -> l.contains("apiserver=down") && l.contains(ip)).count() <= 2,
        () -> String.join("\n", lines));
    // Who logs each retry says the same again and again. On a busy machine a member may fall and
    // return once more, or the Lease be lost and won again.
    Map<String, Long> said =
        lines.stream()
            .map(line -> line.replaceFirst("^\\S+ ", "").replaceFirst(" (reason|evidence)=.*", ""))
            .collect(Collectors.groupingBy(line -> line, Collectors.counting()));
    assertTrue(
        said.values().stream().allMatch(times -> times <= 3), () -> String.join("\n", lines));
    assertTrue(lines.size() <= 16, () -> String.join("\n", lines));
    for (String line : updater.log()) {
      assertTrue(
          line.matches(
              "\\d{4}-\\d\\d-\\d\\dT[0-9:.]+(Z|[+-]\\d\\d:\\d\\d) [A-Z]+ \\w+ - .*\\w+=.+"),
          () -> "not key=value: " + line);
    }
  }
}
