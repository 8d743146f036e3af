package io.apiserverupdater.component;

import static io.apiserverupdater.component.Replicas.SOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.apiserverupdater.sandbox.AccessControl;
import io.apiserverupdater.sandbox.ApiResource;
import io.apiserverupdater.sandbox.SandboxCluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

@Tag("component")
class OneShotTest extends OnOneCluster {
  private final String user = Replicas.fresh("person");

  @SuppressWarnings("NullAway") // JUnit starts the replicas before it makes an instance.
  private final Path kubeconfig = replicas.kubeconfig(user);

  private UpdaterProcess.Result run(String namespace, String... flags) throws InterruptedException {
    List<String> all = new ArrayList<>(List.of(flags));
    all.add("--kubeconfig=" + kubeconfig);
    all.add("--namespace=" + namespace);
    return replicas.oneShot(all.toArray(new String[0]));
  }

  /** As a person does who writes the manifests to a file first. */
  private String sourceYaml() {
    return new Yaml()
        .dump(
            new Yaml()
                .<Map<String, Object>>load(
                    cluster
                        .store()
                        .get(ApiResource.ENDPOINT_SLICES, "default", "kubernetes")
                        .orElseThrow()
                        .toString()));
  }

  private void assertWroteNothing() {
    assertEquals(
        List.of(),
        cluster.audit().entries(e -> e.request().user().equals(user) && e.request().isWrite()));
  }

  @Test
  void onceBringsTheTargetInStepAndThenFindsNothingToDo() throws Exception {
    String namespace = replicas.namespace();
    UpdaterProcess.Result done = run(namespace, "--once");
    assertEquals(0, done.exitCode(), done::toString);
    assertTrue(done.err().contains("2 objects written"), done::toString);
    assertTrue(replicas.isMirrored(namespace, cluster.runningAddresses()));
    long again = System.nanoTime();
    UpdaterProcess.Result nothing = run(namespace, "--once");
    assertEquals(0, nothing.exitCode(), nothing::toString);
    assertTrue(nothing.err().contains("nothing to change"), nothing::toString);
    assertEquals(List.of(), replicas.writes(user, again));
    assertEquals(
        0,
        replicas.requests(user, again).stream()
            .filter(e -> e.request().resource().equals("leases"))
            .count());
  }

  @Test
  void onceRefusesWithOneAndTheReason() throws Exception {
    UpdaterProcess.Result refused = run(replicas.emptyNamespace(), "--once");
    assertEquals(1, refused.exitCode(), refused::toString);
    assertTrue(refused.err().contains("does not exist; create it"), refused::toString);
    assertWroteNothing();
  }

  @Test
  void onceEndsWithTwoWhenItMayNotReadOrWrite() throws Exception {
    String namespace = replicas.namespace();
    AccessControl.Denial read =
        cluster.access().deny(user, "list", "endpointslices", "default", "*");
    UpdaterProcess.Result unread = run(namespace, "--once");
    assertEquals(2, unread.exitCode(), unread::toString);
    assertTrue(unread.err().contains("403 Forbidden"), unread::toString);
    assertTrue(unread.err().contains("cannot list resource"), unread::toString);
    cluster.access().allowAgain(read);

    cluster.access().deny(user, "create", "endpointslices", namespace, "*");
    UpdaterProcess.Result unwritten = run(namespace, "--once");
    assertEquals(2, unwritten.exitCode(), unwritten::toString);
    assertTrue(unwritten.err().contains("cannot create resource"), unwritten::toString);
  }

  @Test
  void onceAndDryRunEndWithTwoWhenNobodyAnswers() throws Exception {
    try (Replicas gone = Replicas.at(SandboxCluster.start())) {
      Path config = gone.kubeconfig("person");
      gone.cluster().apiservers().forEach(server -> server.kill());
      for (String mode : List.of("--once", "--dry-run")) {
        UpdaterProcess.Result result = gone.oneShot(mode, "--kubeconfig=" + config);
        assertEquals(2, result.exitCode(), result::toString);
        assertTrue(result.err().contains(gone.cluster().apiserver(0).ip()), result::toString);
        assertEquals("", result.out());
      }
    }
  }

  @Test
  void onceGetsByWhenOneAttemptIsLost() throws Exception {
    String namespace = replicas.namespace();
    cluster
        .faults()
        .next(
            1,
            r -> r.user().equals(user) && r.isWrite(),
            new io.apiserverupdater.sandbox.Fault.AnswerLost());
    UpdaterProcess.Result done = run(namespace, "--once");
    assertEquals(0, done.exitCode(), done::toString);
    assertTrue(replicas.isMirrored(namespace, cluster.runningAddresses()));
  }

  @Test
  void dryRunTellsByItsExitCodeAndWritesNothing() throws Exception {
    String namespace = replicas.namespace();
    UpdaterProcess.Result changes = run(namespace, "--dry-run");
    assertEquals(1, changes.exitCode(), changes::toString);
    assertTrue(changes.out().contains("+++"), changes::toString);
    for (String address : cluster.runningAddresses()) {
      assertTrue(changes.out().contains(address), changes::toString);
    }
    assertTrue(changes.err().contains("2 objects would be created"), changes::toString);
    UpdaterProcess.Result refused = run(namespace, "--dry-run", "--service=other");
    assertEquals(1, refused.exitCode(), refused::toString);
    assertTrue(refused.err().contains("Service must be created first"), refused::toString);
    assertWroteNothing();

    run(namespace, "--once");
    UpdaterProcess.Result nothing = run(namespace, "--dry-run");
    assertEquals(0, nothing.exitCode(), nothing::toString);
    assertEquals("", nothing.out());
  }

  @Test
  void dryRunEndsWithThreeWhenRefusedAndWithTwoWhenForbidden() throws Exception {
    String namespace = replicas.namespace();
    cluster
        .store()
        .patch(
            ApiResource.SERVICES,
            namespace,
            "apiserver",
            Objects.parse("{\"spec\":{\"selector\":{\"app\":\"mine\"}}}"));
    UpdaterProcess.Result refused = run(namespace, "--dry-run");
    assertEquals(3, refused.exitCode(), refused::toString);
    assertTrue(refused.err().contains("refused: "), refused::toString);
    cluster.access().deny(user, "list", "services", namespace, "*");
    UpdaterProcess.Result forbidden = run(namespace, "--dry-run");
    assertEquals(2, forbidden.exitCode(), forbidden::toString);
    assertTrue(forbidden.err().contains("cannot list resource"), forbidden::toString);
    assertWroteNothing();
  }

  @Test
  void dryRunPrintsManifestsThatParse() throws Exception {
    String namespace = replicas.namespace();
    UpdaterProcess.Result yaml = run(namespace, "--dry-run", "-o", "yaml");
    assertEquals(1, yaml.exitCode(), yaml::toString);
    List<Object> documents = new ArrayList<>();
    new Yaml().loadAll(yaml.out()).forEach(documents::add);
    assertTrue(documents.toString().contains("EndpointSlice"), yaml::toString);
    assertTrue(documents.toString().contains("apiserver-ipv4"), yaml::toString);
    UpdaterProcess.Result json = run(namespace, "--dry-run", "-o", "json");
    assertEquals(1, json.exitCode(), json::toString);
    assertTrue(
        JsonParser.parseString(json.out()).toString().contains("EndpointSlice"), json::toString);
  }

  @Test
  void dryRunTakesTheSourceFromAFileOrStdinAlsoWithoutACluster() throws Exception {
    String namespace = replicas.namespace();
    Path file = replicas.folder().resolve(Replicas.fresh("source"));
    Files.writeString(file, sourceYaml().replace(cluster.apiserver(0).ip(), "10.9.9.9"));
    UpdaterProcess.Result fromFile = run(namespace, "--dry-run", "-f", file.toString());
    assertEquals(1, fromFile.exitCode(), fromFile::toString);
    assertTrue(fromFile.out().contains("10.9.9.9"), fromFile::toString);

    UpdaterProcess.Result offline =
        replicas
            .run(
                UpdaterProcess.jar(List.of("--dry-run", "-f", "-")),
                Map.of(),
                Files.readString(file))
            .result(SOON);
    assertEquals(1, offline.exitCode(), offline::toString);
    assertTrue(offline.out().contains("10.9.9.9"), offline::toString);

    UpdaterProcess.Result garbage =
        replicas
            .run(UpdaterProcess.jar(List.of("--dry-run", "-f", "-")), Map.of(), "{not: [yaml")
            .result(SOON);
    assertEquals(2, garbage.exitCode(), garbage::toString);
    assertWroteNothing();
  }

  @Test
  void wrongFlagsAreToldAllAtOnce() throws Exception {
    UpdaterProcess.Result result =
        replicas.oneShot(
            "--namspace=x", "--lease-duration=soon", "--source=nope", "--listen=here", "extra");
    assertEquals(2, result.exitCode(), result::toString);
    assertEquals("", result.out());
    for (String told :
        List.of("did you mean --namespace", "--lease-duration", "--source", "--listen", "extra")) {
      assertTrue(result.err().contains(told), () -> told + " in " + result);
    }
    assertEquals(5, result.err().lines().filter(l -> l.startsWith("error: ")).count());
  }

  @Test
  void noClusterAtAllIsAnErrorThatSaysWhereItLooked() throws Exception {
    UpdaterProcess.Result result = replicas.oneShot("--listen=0");
    assertEquals(2, result.exitCode(), result::toString);
    assertTrue(result.err().contains("~/.kube/config"), result::toString);
  }

  @Test
  void theKubeconfigIsFoundAsKubectlFindsIt() throws Exception {
    String namespace = replicas.namespace();
    List<String> command =
        UpdaterProcess.jar(List.of("--dry-run", "--namespace=" + namespace, "--context=cp2"));
    UpdaterProcess.Result byVariable =
        replicas.run(command, Map.of("KUBECONFIG", kubeconfig.toString()), "").result(SOON);
    assertEquals(1, byVariable.exitCode(), byVariable::toString);
    Path home = Files.createDirectories(replicas.folder().resolve(Replicas.fresh("home")));
    Files.createDirectories(home.resolve(".kube"));
    Files.copy(kubeconfig, home.resolve(".kube/config"));
    UpdaterProcess.Result byHome =
        replicas.run(command, Map.of("HOME", home.toString()), "").result(SOON);
    assertEquals(1, byHome.exitCode(), byHome::toString);
    assertTrue(
        cluster.audit().entries(e -> e.request().user().equals(user)).stream()
            .allMatch(e -> e.request().apiserver().equals("cp2")),
        "another apiserver than the context's was asked");
    UpdaterProcess.Result wrong = run(namespace, "--dry-run", "--context=cp9");
    assertEquals(2, wrong.exitCode(), wrong::toString);
    assertTrue(Stream.of("cp1", "cp2", "cp3").allMatch(wrong.err()::contains), wrong::toString);
  }
}
