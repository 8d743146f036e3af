package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.apiserverupdater.lab.Execution;
import io.apiserverupdater.manifests.Promtool;
import io.apiserverupdater.sandbox.FreePort;
import io.apiserverupdater.sandbox.SandboxApiserver;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What Prometheus thinks of the metrics. In the real tier, because it has to be built. */
@Tag("real")
@Timeout(120)
class MetricsFormatTest extends OnOneCluster {
  @Test
  void promtoolFindsNoFaultInTheMetrics() throws Exception {
    int port = FreePort.find();
    UpdaterProcess updater =
        replicas.single(
            "metrics", replicas.namespace(), "--health-check=readyz", "--listen=127.0.0.1:" + port);
    updater.awaitLog(" - target=", SOON);
    SandboxApiserver first = cluster.apiservers().get(0);
    first.failReadyz("etcd");
    updater.awaitLog("member=unready", SOON);
    first.passReadyz();
    String metrics;
    try (var body = URI.create("http://127.0.0.1:" + port + "/metrics").toURL().openStream()) {
      metrics = new String(body.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertTrue(metrics.contains("apiserver_updater_probe_failures_total{"), metrics);
    Execution checked =
        Promtool.locate(Path.of(System.getProperty("project.root")))
            .run(metrics, "check", "metrics");
    assertEquals(0, checked.exitCode(), checked.out() + checked.err());
  }
}
