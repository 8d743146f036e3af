package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.sandbox.ApiResource;
import io.apiserverupdater.sandbox.AuditLog;
import io.apiserverupdater.sandbox.SandboxApiserver;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code updater export}: the members of a Service, or nodes, in a file. */
@Tag("component")
class ExportTest extends OnOneCluster {
  private final String user = Replicas.fresh("exporter");
  private final long begun = System.nanoTime();

  @SuppressWarnings("NullAway") // JUnit starts the replicas before it makes an instance.
  private final Path file = replicas.folder().resolve(Replicas.fresh("servers"));

  private static List<String> command(Path kubeconfig, Path file, String... flags) {
    List<String> all =
        new ArrayList<>(
            List.of("export", "--format=list", "--output=" + file, "--kubeconfig=" + kubeconfig));
    all.addAll(List.of(flags));
    return all;
  }

  /** The addresses of most tests are nobody's, so they cannot be asked themselves. */
  private UpdaterProcess exporter(String... flags) {
    List<String> all = command(replicas.kubeconfig(user), file, flags);
    all.add("--apiserver-failover=false");
    return replicas.run(UpdaterProcess.jar(all), Map.of(), "");
  }

  private UpdaterProcess.Result run(String... flags) throws InterruptedException {
    List<String> all = command(replicas.kubeconfig(user), file, flags);
    return replicas.oneShot(all.toArray(new String[0]));
  }

  private List<String> lines() throws IOException {
    return Files.readAllLines(file);
  }

  /** Waits until the exporter has written exactly these, after the given number of log lines. */
  private void awaitWritten(UpdaterProcess exporter, int from, String... servers) throws Exception {
    exporter.awaitLog(from, "written=.* servers=\"" + String.join(" ", servers) + "\"", SOON);
    assertEquals(List.of(servers), lines());
  }

  private static String port() {
    return ":" + cluster.apiserver(0).port();
  }

  @Test
  void memberThatJoinsIsWrittenAndTheBalancerIsTold() throws Exception {
    cluster.source().set("10.0.0.11");
    Path told = replicas.folder().resolve(Replicas.fresh("told"));
    UpdaterProcess exporter = exporter("--on-change=cp " + file + " " + told);
    awaitWritten(exporter, 0, "10.0.0.11" + port());
    int before = exporter.logSize();
    cluster.source().set("10.0.0.11", "10.0.0.12");
    awaitWritten(exporter, before, "10.0.0.11" + port(), "10.0.0.12" + port());
    // It ends when the balancer knows.
    assertEquals(0, exporter.stop());
    assertEquals(lines(), Files.readAllLines(told));
  }

  @Test
  void readsAndNothingElse() throws Exception {
    UpdaterProcess exporter = exporter();
    exporter.awaitLog("written=", SOON);
    cluster.awaitTrue("it watches", () -> requests().contains("watch endpointslices kubernetes"));
    assertEquals(
        List.of("list endpointslices kubernetes", "watch endpointslices kubernetes"), requests());
  }

  /** What it has asked for. */
  private List<String> requests() {
    return replicas.requests(user, begun).stream()
        .map(AuditLog.Entry::request)
        .map(it -> it.verb() + " " + it.resource() + " " + it.name())
        .distinct()
        .sorted()
        .toList();
  }

  @Test
  void emptySourceIsRefusedAndTheFileStays() throws Exception {
    cluster.source().set("10.0.0.11");
    UpdaterProcess exporter = exporter();
    awaitWritten(exporter, 0, "10.0.0.11" + port());
    cluster.source().setEmpty();
    exporter.awaitLog("refused=EmptySource", SOON);
    cluster.source().deleteAll();
    assertEquals(List.of("10.0.0.11" + port()), lines());
    int before = exporter.logSize();
    cluster.source().set("10.0.0.12");
    awaitWritten(exporter, before, "10.0.0.12" + port());
    exporter.awaitLog(before, "refused=none", SOON);
    assertEquals(1, exporter.log("refused=EmptySource").size());
  }

  @Test
  void fileThatTheBalancerRefusesIsNotUsed() throws Exception {
    cluster.source().set("10.0.0.11");
    UpdaterProcess exporter = exporter("--check-command=grep -q 10.0.0.11 {}");
    awaitWritten(exporter, 0, "10.0.0.11" + port());
    cluster.source().set("10.0.0.12");
    exporter.awaitLog("export=failed step=check reason=\"grep .* exit code 1", SOON);
    assertEquals(List.of("10.0.0.11" + port()), lines());
    int before = exporter.logSize();
    cluster.source().set("10.0.0.11", "10.0.0.12");
    awaitWritten(exporter, before, "10.0.0.11" + port(), "10.0.0.12" + port());
    exporter.awaitLog(before, "export=ok", SOON);
  }

  /** HAProxy and nginx put their process or the time into each line. */
  @Test
  void sameFailureIsToldOnce() throws Exception {
    cluster.source().set("10.0.0.11");
    Path check = replicas.folder().resolve(Replicas.fresh("check"));
    Path runs = replicas.folder().resolve(Replicas.fresh("runs"));
    Files.writeString(check, "echo >>" + runs + "; echo \"[ALERT] ($$) : no such thing\"; exit 1");
    UpdaterProcess exporter = exporter("--check-command=sh " + check + " {}");
    for (int i = 1; i <= 3; i++) {
      int expected = i;
      cluster.awaitTrue("run " + i, () -> lineCount(runs) >= expected);
      cluster.source().set("10.0.0.11", "10.0.0.2" + i);
    }
    assertEquals(0, exporter.stop());
    assertEquals(1, exporter.log("export=failed").size(), exporter::logText);
  }

  private static int lineCount(Path file) {
    try {
      return Files.exists(file) ? Files.readAllLines(file).size() : 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void podsOfAnIngressAreListedReadyOrNot() throws Exception {
    String namespace = replicas.emptyNamespace();
    cluster
        .store()
        .create(
            ApiResource.ENDPOINT_SLICES,
            namespace,
            """
            {"metadata": {"name": "web-x7k2p", "labels": {"kubernetes.io/service-name": "web"}},
             "addressType": "IPv4",
             "ports": [{"name": "http", "port": 80, "protocol": "TCP"},
                       {"name": "https", "port": 443, "protocol": "TCP"}],
             "endpoints": [
               {"addresses": ["10.0.0.21"], "nodeName": "n1", "conditions": {"ready": true}},
               {"addresses": ["10.0.0.22"], "nodeName": "n2", "conditions": {"ready": false}}]}
            """);
    run("--once", "--source=" + namespace + "/web", "--port=http").exits(0);
    assertEquals(List.of("10.0.0.21:80", "10.0.0.22:80"), lines());
  }

  @Test
  void nodesAreListedByTheirLabels() throws Exception {
    String role = Replicas.fresh("role");
    createNode(role, "n1", "10.0.0.31", "");
    createNode(role, "n2", "10.0.0.32", "");
    createNode(
        role,
        "n3",
        "10.0.0.33",
        ", \"node.kubernetes.io/exclude-from-external-load-balancers\": \"\"");
    createNode("other", "n4", "10.0.0.34", "");
    UpdaterProcess exporter = exporter("--nodes=role=" + role, "--port=30443");
    awaitWritten(exporter, 0, "10.0.0.31:30443", "10.0.0.32:30443");
    int before = exporter.logSize();
    cluster.store().delete(ApiResource.NODES, "", role + "-n1");
    awaitWritten(exporter, before, "10.0.0.32:30443");
  }

  private static void createNode(String role, String name, String address, String moreLabels) {
    cluster
        .store()
        .create(
            ApiResource.NODES,
            "",
            """
            {"metadata": {"name": "%1$s-%2$s", "labels": {"role": "%1$s"%4$s}},
             "status": {"addresses": [{"type": "Hostname", "address": "%2$s"},
                                      {"type": "InternalIP", "address": "%3$s"}]}}
            """
                .formatted(role, name, address, moreLabels));
  }

  @Test
  void dryRunShowsTheDifferenceAndWritesNothing() throws Exception {
    cluster.source().set("10.0.0.11", "10.0.0.12");
    Files.writeString(file, "10.0.0.11" + port() + "\n10.0.0.13" + port() + "\n");
    List<String> before = lines();
    UpdaterProcess.Result result =
        run("--dry-run", "--check-command=no-such-program", "--on-change=no-such-program");
    result.exits(1).prints("\n-10.0.0.13" + port()).prints("\n+10.0.0.12" + port());
    assertEquals(before, lines());
    cluster.source().set("10.0.0.11", "10.0.0.13");
    assertEquals("", run("--dry-run").exits(0).out());
    cluster.source().setEmpty();
    run("--dry-run").exits(3).says("refused: default/kubernetes has no address");
  }

  @Test
  void onceTellsByItsExitCode() throws Exception {
    cluster.source().set("10.0.0.11");
    run("--once").exits(0).says("written=");
    assertFalse(run("--once").exits(0).err().contains("written="));
    cluster.source().set("10.0.0.12");
    run("--once", "--check-command=false").exits(2).says("error: check: false ended");
    assertEquals(List.of("10.0.0.11" + port()), lines());
    cluster.source().setEmpty();
    run("--once").exits(1).says("refused: ");
    cluster.access().deny(user, "list", "endpointslices", "default", "*");
    run("--once").exits(2).says("cannot list resource");
  }

  /** The kubeconfig names one control plane, and the file of this host is to survive its death. */
  @Test
  void goesOnByTheOtherControlPlanesWhenItsOwnIsGone() throws Exception {
    try (Replicas own = new Replicas(SandboxCluster.start())) {
      SandboxCluster servers = own.cluster();
      Path output = own.folder().resolve("servers");
      UpdaterProcess exporter =
          own.run(UpdaterProcess.jar(command(own.kubeconfig("exporter"), output)), Map.of(), "");
      exporter.awaitLog("written=", SOON);
      servers.apiserver(0).kill();
      SandboxApiserver joined = servers.addApiserver();
      exporter.awaitLog("written=.*" + joined.ip(), SOON);
      assertTrue(Files.readString(output).contains(joined.ip()));
    }
  }
}
