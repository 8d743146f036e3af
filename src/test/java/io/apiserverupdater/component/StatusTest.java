package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.apiserverupdater.sandbox.AccessControl;
import io.apiserverupdater.sandbox.ApiResource;
import io.apiserverupdater.sandbox.FreePort;
import io.apiserverupdater.sandbox.Json;
import io.apiserverupdater.sandbox.SandboxApiserver;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.xml.sax.InputSource;

/** What a person sees who asks for the status, at a terminal or in a browser. */
@Tag("component")
class StatusTest {
  private final SandboxCluster cluster =
      SandboxCluster.builder().reconcileTtl(Duration.ofMinutes(5)).start();
  private final Replicas replicas = new Replicas(cluster);
  private final String namespace = replicas.namespace();
  private final List<String> all = cluster.runningAddresses();
  private final SandboxApiserver third = cluster.apiserver(2);
  private final String person = Replicas.fresh("person");
  private final String one = Replicas.fresh("apiserver-updater");
  private final String other = Replicas.fresh("apiserver-updater");

  @AfterEach
  void end() {
    replicas.close();
  }

  /** Starts a replica and makes its pod; returns its port once it has judged each member. */
  private int start(String pod, String... flags) throws IOException, InterruptedException {
    int port = FreePort.find();
    List<String> line = new ArrayList<>(List.of(flags));
    line.addAll(
        List.of(
            "--health-check=readyz",
            "--probe-timeout=5s",
            "--apiserver-failover",
            "--listen=127.0.0.1:" + port));
    UpdaterProcess replica = replicas.replica(pod, namespace, line.toArray(new String[0]));
    createPod(pod, port, "Running");
    for (String address : all) {
      replica.awaitLog("member=ready address=" + address, SOON);
    }
    return port;
  }

  private void createPod(String name, int port, String phase) {
    cluster
        .store()
        .create(
            ApiResource.PODS,
            namespace,
            """
            {"metadata": {"name": "%s", "labels": {"app.kubernetes.io/name": "apiserver-updater"}},
             "spec": {"nodeName": "node-of-%s", "containers": [{"name": "updater",
                      "ports": [{"name": "http", "containerPort": %d}]}]},
             "status": {"phase": "%s", "podIP": "127.0.0.1"}}
            """
                .formatted(name, name, port, phase));
  }

  private void startBoth() throws IOException, InterruptedException {
    int leader = start(one);
    cluster.awaitTrue(
        "it leads",
        () -> cluster.leaseHolder(namespace, "apiserver-updater").startsWith(one + "_"));
    int standby = start(other);
    replicas.awaitReady(namespace, all);
    // A person waits 2 s for each, and the first page takes the longest.
    cluster.awaitTrue("both serve it", () -> isInStep(leader) && isInStep(standby));
  }

  private UpdaterProcess.Result status(String... flags) throws InterruptedException {
    List<String> line = new ArrayList<>(List.of("status"));
    line.addAll(List.of(flags));
    line.add("--kubeconfig=" + replicas.kubeconfig(person));
    line.add("--namespace=" + namespace);
    return replicas.oneShot(line.toArray(new String[0]));
  }

  /** A line of a table. */
  private static String row(UpdaterProcess.Result result, String start) {
    return result
        .out()
        .lines()
        .filter(line -> line.startsWith(start))
        .findFirst()
        .orElseThrow(() -> new AssertionError(start + " is not in " + result))
        .replaceAll(" {2,}", " | ");
  }

  @Test
  void runningPairIsWell() throws Exception {
    startBoth();
    UpdaterProcess.Result result = status().exits(0);
    assertTrue(
        result.out().startsWith(namespace + "/apiserver from default/kubernetes: all is well\n"),
        result::toString);
    assertTrue(
        row(result, one).matches(one + " \\| leader \\| \\d+s .* node-of-" + one), result.out());
    assertTrue(row(result, other).contains(" | standby | "), result.out());
    for (String address : all) {
      assertTrue(
          row(result, address)
              .matches(
                  address
                      + ":6443 \\| ready \\| \\d+s \\| ready \\| [0-9.]+ ms \\| 36[45]d( \\| .*)?"),
          result.out());
    }
    result.prints("Gate:   IPv4 normal\n").prints("Target: in step with the source\n");
    assertTrue(result.out().contains(" LeaderElected "), result::toString);
    assertEquals("", result.err());
    assertEquals(
        List.of(),
        cluster.audit().entries(e -> e.request().user().equals(person) && e.request().isWrite()));

    JsonObject json = Json.parse(status("-o", "json").exits(0).out());
    assertTrue(json.get("well").getAsBoolean());
    assertEquals(3, json.getAsJsonArray("members").size());
    assertEquals("leader", Json.text(json, "replicas/0/role"));
    assertEquals(other, Json.text(json, "members/0/probes/1/replica"));
  }

  @Test
  void memberThatIsDownIsTheFirstThingToSee() throws Exception {
    startBoth();
    third.kill();
    replicas.awaitReady(namespace, all.subList(0, 2));
    cluster.awaitTrue("both know", () -> knowsThird(one) && knowsThird(other));
    UpdaterProcess.Result result = status().exits(1);
    String finding = result.out().lines().skip(1).findFirst().orElse("");
    assertTrue(
        finding.matches(
            "! %s:6443 has not been ready for \\d+s: connection refused: .*".formatted(third.ip())),
        result::toString);
    assertTrue(row(result, third.ip()).contains(":6443 | not ready | "), result::toString);
    result.prints("MemberUnready").prints("Target: in step with the source");
  }

  private boolean knowsThird(String replica) {
    return Json.text(own(replica), "members/2/probes/0/state").equals("not ready");
  }

  private int port(String replica) {
    JsonObject pod = cluster.store().require(ApiResource.PODS, namespace, replica);
    return Integer.parseInt(Json.text(pod, "spec/containers/0/ports/0/containerPort"));
  }

  private JsonObject own(String replica) {
    try {
      return Json.parse(get(port(replica), "/status.json").text());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** What a person has asked for is nothing to look at. */
  @Test
  void drainedMemberIsShownAsWhatItIs() throws Exception {
    startBoth();
    replicas
        .oneShot(
            "drain",
            third.ip(),
            "--for=1h",
            "--kubeconfig=" + replicas.kubeconfig(person),
            "--namespace=" + namespace)
        .exits(0);
    replicas.awaitReady(namespace, all.subList(0, 2));
    cluster.awaitTrue(
        "the leader has seen it",
        () ->
            Json.text(own(one), "members/2/published").equals("not ready") && isInStep(port(one)));
    UpdaterProcess.Result result = status().exits(0);
    assertTrue(
        row(result, third.ip())
            .matches(
                third.ip()
                    + ":6443 \\| ready \\| \\d+s \\| ready"
                    + " \\| not ready, drained for another \\d+m \\| .*"),
        result.out());
    result.prints(": all is well\n").prints(" MemberDrained ").prints("Target: in step with");
    JsonObject json = Json.parse(status("-o", "json").exits(0).out());
    assertTrue(
        Instant.parse(Json.text(json, "members/2/drainedUntil")).isAfter(Instant.now()),
        json::toString);
    replicas
        .oneShot(
            "undrain",
            third.ip(),
            "--kubeconfig=" + replicas.kubeconfig(person),
            "--namespace=" + namespace)
        .exits(0);
    replicas.awaitReady(namespace, all);
    cluster.awaitTrue(
        "the leader has seen it",
        () -> Json.text(own(one), "members/2/published").equals("ready") && isInStep(port(one)));
    UpdaterProcess.Result back = status().exits(0);
    assertFalse(back.out().contains("drained for"), back::toString);
    back.prints(" MemberUndrained ");
  }

  @Test
  void whatAPersonMayNotAskIsSaidAndTheRestIsShown() throws Exception {
    startBoth();
    cluster.access().deny(person, "get", "pods/proxy", namespace, "*");
    UpdaterProcess.Result noProxy = status().exits(1);
    noProxy.prints("! replica " + one + ": 403 Forbidden: ").prints("cannot get resource");
    assertTrue(row(noProxy, one).contains(" | leader | "), noProxy::toString);
    assertTrue(row(noProxy, all.get(0)).contains(":6443 | ready"), noProxy::toString);
    noProxy.prints("Target: in step with the source");

    cluster.access().deny(person, "list", "pods", namespace, "*");
    status().exits(1).prints("! the replicas' pods cannot be listed: 403 Forbidden: ");
    cluster.access().deny(person, "list", "leases", namespace, "*");
    status().exits(1).prints("! the Lease cannot be read: 403 Forbidden: ");
    AccessControl.Denial slices =
        cluster.access().deny(person, "list", "endpointslices", "default", "*");
    UpdaterProcess.Result nothing = status().exits(2);
    assertEquals("", nothing.out());
    nothing.says("error: source and target cannot be compared: 403 Forbidden: ");
    cluster.access().allowAgain(slices);
    status().exits(1).prints("Target: in step with the source");
  }

  @Test
  void withoutTheSlicesTheLeadersWordIsShown() throws Exception {
    startBoth();
    cluster.access().deny(person, "list", "endpointslices", "default", "*");
    UpdaterProcess.Result result = status().exits(1);
    result.prints("! source and target cannot be compared: 403 Forbidden: ");
    assertTrue(row(result, all.get(0)).contains(":6443 | ready | "), result::toString);
  }

  @Test
  void podsThatDoNotAnswerAreNamed() throws Exception {
    startBoth();
    createPod("apiserver-updater-gone", FreePort.find(), "Running");
    createPod("apiserver-updater-waits", FreePort.find(), "Pending");
    UpdaterProcess.Result result = status().exits(1);
    result.prints("! replica apiserver-updater-gone: 503 ServiceUnavailable: error trying to");
    result.prints("! replica apiserver-updater-waits: its pod is Pending\n");
    assertTrue(row(result, one).contains(" | leader | "), result::toString);
    assertEquals("", result.err());
  }

  @Test
  void withoutAReplicaTheObjectsAreShown() throws Exception {
    UpdaterProcess.Result result = status().exits(1);
    result.prints("! no replica leads, so nothing is written\n");
    result.prints("! no replica was asked: there is no pod with the label");
    result.prints("! not in step: create EndpointSlice apiserver-ipv4\n");
    assertTrue(row(result, all.get(0)).contains(":6443 | ready | not listed"), result::toString);
  }

  @Test
  void saysWhatIsWrongWithTheLineAndTheCluster() throws Exception {
    replicas.oneShot("status", "--nonsense").exits(2).says("See updater status --help.");
    cluster.apiservers().forEach(SandboxApiserver::kill);
    UpdaterProcess.Result result = status().exits(2).says("error: ").says(all.get(0));
    assertEquals("", result.out());
  }

  private record Answer(int status, HttpURLConnection head, String text) {
    private String header(String name) {
      return String.valueOf(head.getHeaderField(name));
    }
  }

  private static Answer get(int port, String path) throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection) URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
    connection.setConnectTimeout((int) SOON.toMillis());
    connection.setReadTimeout((int) SOON.toMillis());
    int status = connection.getResponseCode();
    try (var body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      return new Answer(
          status, connection, new String(body.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  private static boolean isInStep(int port) {
    try {
      return JsonParser.parseString(get(port, "/status.json").text())
          .getAsJsonObject()
          .getAsJsonArray("differences")
          .isEmpty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void pageShowsTheSameAndLoadsNothing() throws Exception {
    int port = start(one);
    replicas.awaitReady(namespace, all);
    // What is there has yet to come back to the updater by its watches.
    cluster.awaitTrue("it has seen it", () -> isInStep(port));
    Answer page = get(port, "/");
    assertEquals(200, page.status());
    assertEquals("text/html; charset=utf-8", page.header("Content-Type"));
    assertTrue(page.header("Content-Security-Policy").startsWith("default-src 'none'; "));
    assertEquals("no-store", page.header("Cache-Control"));
    String text =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(page.text())))
            .getDocumentElement()
            .getTextContent();
    assertTrue(text.contains("All is well"), text);
    for (String address : all) {
      assertTrue(text.contains(address + ":6443"), text);
    }
    assertTrue(page.text().contains("http-equiv=\"refresh\""));
    assertFalse(get(port, "/?pause").text().contains("http-equiv=\"refresh\""));
    Answer json = get(port, "/status.json");
    assertEquals("application/json", json.header("Content-Type"));
    assertEquals(
        "leader",
        Json.text(JsonParser.parseString(json.text()).getAsJsonObject(), "replicas/0/role"));
  }

  @Test
  void pageIsOffWhenItIsTurnedOff() throws Exception {
    int port = start(one, "--status-page=false");
    replicas.awaitReady(namespace, all);
    assertEquals(404, get(port, "/").status());
    assertEquals(404, get(port, "/status.json").status());
    assertEquals(200, get(port, "/metrics").status());
    status().exits(1).prints("! replica " + one + ": it serves no /status.json");
  }
}
